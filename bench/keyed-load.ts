// The load of the `keys` benchmark: readings of very many devices in random order, and an engine with one
// window open for all of them. Measures nothing.

import { catalog } from "../operators/catalog.ts";
import { type PayloadBatch, PayloadBuilder } from "../runtime/batch/payloads.ts";
import type { PipelineEngine } from "../runtime/engine/pipeline-engine.ts";
import { SourceGroup } from "../runtime/engine/source-group.ts";
import { WeirError } from "../runtime/errors.ts";
import { loadPipeline } from "../runtime/pipeline/load.ts";
import { lawFaults } from "../runtime/testing/harness.ts";
import { seeded } from "./seeded.ts";

const file = "bench/keys.yaml";
const subject = "sensors.readings.all";
/** Event time of every reading, so that all are in one window. */
const at_ms = 1_700_000_000_000;
const content = `
name: keys
source: { nats: { subject: "sensors.readings.*" }, format: json, time: { field: ts } }
limits: { keys: { max: 1000000 } }
steps:
  - window: { tumbling: 1h, by: device, select: { n: count(), sum: sum(temp), min: min(temp), max: max(temp) } }
  - sink: { stdout: {}, format: json }
`;

/** An engine whose one window stays open. */
export class KeyedEngine {
  readonly #group: SourceGroup;

  constructor() {
    const { plan, diagnostics } = loadPipeline({ file, content, catalogue: catalog });
    if (plan === null) throw new TypeError(`${file}: ${diagnostics[0]?.message ?? "no plan"}`);
    const outputs = { row: () => undefined, deadLetter: () => undefined };
    this.#group = new SourceGroup([plan], { headers: [null], identity: "bench", outputs: () => outputs });
  }

  get engine(): PipelineEngine {
    return this.#group.engines[0]!;
  }

  feed(batch: PayloadBatch): void {
    this.#group.feed(batch, at_ms);
  }

  /** Records in the open window; all that were fed, or else the engine did not do its work. */
  held(fed: number): number {
    const counts = this.#group.engines[0]!.counts();
    const held = counts[0]!.held;
    if (lawFaults(counts).length > 0 || held !== fed)
      throw new WeirError("WEIR_INTERNAL", `expected ${fed} records in the open window, found ${held}`);
    return held;
  }
}

/** Numbers 0 … `keys - 1`, each once, in random order. */
export function shuffled(keys: number, seed: number = 1): Uint32Array {
  const random = seeded(seed);
  const order = Uint32Array.from({ length: keys }, (_, key) => key);
  for (let place = keys - 1; place > 0; place--) {
    const other = Math.floor(random() * (place + 1));
    const kept = order[place]!;
    order[place] = order[other]!;
    order[other] = kept;
  }
  return order;
}

/** `records` numbers below `keys`, drawn at random. */
export function drawn(records: number, keys: number, seed: number = 2): Uint32Array {
  const random = seeded(seed);
  return Uint32Array.from({ length: records }, () => Math.floor(random() * keys));
}

/**
 * One reading of each device in `devices`, in batches as large as a source may deliver. Each is valid until the
 * next one is asked for: digits are written into one payload, so that readings leave no garbage behind.
 */
export function* readingsOf(devices: Uint32Array): Generator<PayloadBatch> {
  const builder = new PayloadBuilder();
  const payload = new TextEncoder().encode(
    `{"device":"device-000000","ts":${at_ms},"temp":00.00,"ok":true}`.replace("00.00", "10.00"),
  );
  const [deviceEnd, tempEnd] = [17 + 6 + 1, payload.indexOf(0x2e) + 3];
  for (let place = 0; place < devices.length; place++) {
    putDigits(payload, deviceEnd, 6, devices[place]!);
    putDigits(payload, tempEnd, 2, place % 100);
    if (!builder.fits(payload.length)) {
      yield builder.view();
      builder.reset();
    }
    builder.add(payload, subject, at_ms);
  }
  if (builder.count > 0) yield builder.view();
}

/** Writes the last `digits` decimal digits of a number, so that they end before `end`. */
function putDigits(bytes: Uint8Array, end: number, digits: number, number: number): void {
  for (let at = end - 1; at >= end - digits; at--) {
    bytes[at] = 0x30 + (number % 10);
    number = Math.floor(number / 10);
  }
}
