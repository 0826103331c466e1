// The readings that the benchmarks read: JSON payloads of about 85 bytes from two hundred devices, as texts
// or in the batches that a source delivers. The same bytes in every run; nothing is timed here.

import { type PayloadBatch, PayloadBuilder } from "../runtime/batch/payloads.ts";
import { seeded } from "./seeded.ts";

const subject = "sensors.readings.all";
/** Event time of the first reading; each further one is a millisecond later. */
const start_ms = 1_700_000_000_000;
const devices = 200;
/** One reading in so many is of a sensor that has come loose: the filter leaves it out. */
const looseEvery = 50;

/** One reading as a sensor writes it: numbers as short as they go, so that their lengths differ. */
function readingText(place: number, random: () => number): string {
  const device = `device-${String(Math.floor(random() * devices)).padStart(6, "0")}`;
  const loose = Math.floor(random() * looseEvery) === 0;
  const temp = loose ? 850 : Math.round((random() * 60 - 15) * 100) / 100;
  const humidity = Math.round(random() * 10_000) / 100;
  return JSON.stringify({ device, ts: start_ms + place, temp, humidity, ok: !loose });
}

/** `records` readings as JSON. */
export function* readingTexts(records: number): Generator<string> {
  const random = seeded(1);
  for (let place = 0; place < records; place++) yield readingText(place, random);
}

/** The same in batches as large as a source may deliver. */
export function makeReadings(records: number): readonly PayloadBatch[] {
  const encoder = new TextEncoder();
  const builder = new PayloadBuilder();
  const batches: PayloadBatch[] = [];
  for (const text of readingTexts(records)) {
    const payload = encoder.encode(text);
    if (!builder.fits(payload.length)) batches.push(builder.take());
    builder.add(payload, subject, start_ms);
  }
  if (builder.count > 0) batches.push(builder.take());
  return batches;
}
