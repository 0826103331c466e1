// What a process grows by when an engine gets to know many keys: run by the `keys` benchmark as a process of
// its own, with --expose-gc. Writes one JSON object.

import { drawn, KeyedEngine, readingsOf, shuffled } from "./keyed-load.ts";

/** Bytes of this process once everything that nobody refers to is gone. */
export interface Footprint {
  /** Resident pages: of the heap, the arrays, the kernel's memory and the program. */
  readonly resident: number;
  /** What V8 accounts for: its objects and all memory outside that they own, used or not. */
  readonly accounted: number;
}

export interface Growth {
  readonly resident: number;
  readonly accounted: number;
}

function footprint(): Footprint {
  for (let round = 0; round < 3; round++) (globalThis as unknown as { gc(): void }).gc();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { resident: rss, accounted: heapUsed + external };
}

function warmUp(order: Uint32Array): void {
  const records = 300_000;
  const engine = new KeyedEngine();
  for (const batch of readingsOf(drawn(records, 1_000))) engine.feed(batch);
  engine.held(records);
  // The load alone must not count.
  let count = 0;
  for (const batch of readingsOf(order)) count += batch.count;
  if (count !== order.length) throw new RangeError(`expected ${order.length} readings, got ${count}`);
}

function measure(keys: number): Growth {
  const order = shuffled(keys);
  warmUp(order);
  const before = footprint();
  const engine = new KeyedEngine();
  for (const batch of readingsOf(order)) engine.feed(batch);
  const after = footprint();
  engine.held(keys);
  return {
    resident: after.resident - before.resident,
    accounted: after.accounted - before.accounted,
  };
}

process.stdout.write(`${JSON.stringify(measure(Number(process.argv[2])))}\n`);
