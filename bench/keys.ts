// The `keys` benchmark: what a key takes of memory, and what a record costs where there are a million keys
// against a thousand. From JSON payloads through the whole engine to one open window for each key.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ownedPayloads, type PayloadBatch } from "../runtime/batch/payloads.ts";
import { drawn, KeyedEngine, readingsOf, shuffled } from "./keyed-load.ts";
import type { Growth } from "./keys-memory.ts";
import { processorRatio, spreadOf, type Task, timePairs } from "./pairs.ts";
import { atMost, noteBusy, type Report } from "./report.ts";

const keysFew = 1_000;
const keysMany = 1_000_000;
/** At most so many bytes of the process for a key with its window. */
const bytesWanted = 120;
/** A record may cost so many times what it costs with few keys. */
const costWanted = 3;
const memoryProgram: string = fileURLToPath(new URL("./keys-memory.ts", import.meta.url));

export interface KeysOptions {
  readonly records: number;
  readonly pairs: number;
}

export function benchKeys({ records, pairs }: KeysOptions, report: Report): boolean {
  report.note(`count, sum, min and max of each key in one open window, keys in random order`);
  reportMemory(report);
  const few = taskOf(keysFew, records);
  const many = taskOf(keysMany, records);
  const taken = timePairs(few, many, pairs, 2);
  const spread = spreadOf(taken.map(({ a, b }) => b.cpu_ms / a.cpu_ms));
  const nsOf = (name: "a" | "b"): string =>
    ((spreadOf(taken.map((pair) => pair[name].cpu_ms)).median * 1e6) / records).toFixed(0);
  report.note(`  a record costs ${nsOf("a")} ns with ${keysFew} keys and ${nsOf("b")} ns with ${keysMany}`);
  report.note(`  all pairs together: ${processorRatio(taken).toFixed(2)}×`);
  report.verdict({
    target: `cost of a record, ${keysMany} keys against ${keysFew}`,
    ratio: spread.median,
    ratio_min: spread.min,
    ratio_max: spread.max,
    pairs,
    want: costWanted,
    bound: "most",
    met: spread.median <= costWanted,
  });
  noteBusy(
    taken.flatMap(({ a, b }) => [a, b]),
    report,
  );
  return true;
}

/** Measured in a process of its own, which has known no keys before. */
function reportMemory(report: Report): void {
  const output = execFileSync(process.execPath, ["--expose-gc", memoryProgram, String(keysMany)]);
  const { resident, accounted } = JSON.parse(output.toString()) as Growth;
  const [pages, arrays] = [resident / keysMany, accounted / keysMany];
  report.note(
    `  a key takes ${pages.toFixed(1)} bytes of resident memory, ${arrays.toFixed(1)} as V8 accounts for it`,
  );
  const target = `bytes a key, ${keysMany} keys, against ${bytesWanted}`;
  report.verdict(atMost(target, Math.max(pages, arrays) / bytesWanted, 1));
}

/** Feeds readings of random devices, all of which the engine knows already. */
function taskOf(keys: number, records: number): Task {
  const engine = new KeyedEngine();
  for (const batch of readingsOf(shuffled(keys))) engine.feed(batch);
  const batches: PayloadBatch[] = [];
  for (const batch of readingsOf(drawn(records, keys))) batches.push(ownedPayloads(batch));
  let fed = keys;
  return () => () => {
    for (const batch of batches) engine.feed(batch);
    engine.held((fed += records));
  };
}
