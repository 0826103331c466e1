// The readings that the benchmarks read: JSON payloads of about 85 bytes from two hundred devices, in
// memory, in the batches that a source delivers. The same seed gives the same bytes; nothing is timed here.

import { type PayloadBatch, PayloadBuilder } from "../runtime/batch/payloads.ts";

export const subject = "sensors.readings.all";
/** Event time of the first reading; each further one is a millisecond later. */
const start_ms = 1_700_000_000_000;
const devices = 200;
/** One reading in so many is of a sensor that has come loose: the filter leaves it out. */
const looseEvery = 50;

/** Numbers in [0, 1) from a seed: a linear congruential generator (constants of Knuth's MMIX, upper 32 bits). */
export function seeded(seed: number): () => number {
  let state = BigInt(seed);
  return () => {
    state = BigInt.asUintN(64, state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n);
    return Number(state >> 32n) / 2 ** 32;
  };
}

/** One reading as a sensor writes it: numbers as short as they go, so that their lengths differ. */
function readingText(place: number, random: () => number): string {
  const device = `device-${String(Math.floor(random() * devices)).padStart(6, "0")}`;
  const loose = Math.floor(random() * looseEvery) === 0;
  const temp = loose ? 850 : Math.round((random() * 60 - 15) * 100) / 100;
  const humidity = Math.round(random() * 10_000) / 100;
  return JSON.stringify({ device, ts: start_ms + place, temp, humidity, ok: !loose });
}

/** `records` readings in batches as large as a source may deliver. */
export function makeReadings(records: number, seed: number = 1): readonly PayloadBatch[] {
  const random = seeded(seed);
  const encoder = new TextEncoder();
  const builder = new PayloadBuilder();
  const batches: PayloadBatch[] = [];
  for (let place = 0; place < records; place++) {
    const payload = encoder.encode(readingText(place, random));
    if (!builder.fits(payload.length)) batches.push(builder.take());
    builder.add(payload, subject, start_ms + place);
  }
  if (builder.count > 0) batches.push(builder.take());
  return batches;
}

/** The average length of the payloads, bytes. */
export function bytesEach(batches: readonly PayloadBatch[]): number {
  const bytes = batches.reduce((total, batch) => total + batch.bytes.length, 0);
  const records = batches.reduce((total, batch) => total + batch.count, 0);
  return bytes / records;
}
