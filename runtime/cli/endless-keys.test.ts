// Millions of keys against a table of a hundred thousand, as a whole process: what has no room is counted by policy, and memory
// stays where it is for as many as the table has.

import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import type { WorkerStatus } from "../worker/worker.ts";
import { WeirProcesses } from "./weir-process.fixture.ts";

const records = { most: 10_000_000, many: 2_000_000 } as const;
type Records = keyof typeof records;
const keysMax = 100_000;
/** Half as much again as was measured; without a bound on keys it is more than a gigabyte. */
const peak_mb_max = 320;
const linesAtOnce = 20_000;

const folder = mkdtempSync(join(tmpdir(), "weir-keys-test-"));
const processes = new WeirProcesses(folder);

beforeAll(() => {
  for (const [name, count] of Object.entries(records)) writeRecords(`${name}.ndjson`, count);
});

afterAll(() => {
  processes.kill();
  rmSync(folder, { recursive: true, force: true });
});

/** Each with a key of its own, a hundred in a millisecond. */
function writeRecords(name: string, count: number): void {
  const file = openSync(join(folder, name), "w");
  for (let from = 0; from < count; from += linesAtOnce) {
    let text = "";
    for (let n = from; n < from + linesAtOnce; n++) text += `{"key":"k${n}","ts":${Math.floor(n / 100)}}\n`;
    writeSync(file, text);
  }
  closeSync(file);
}

interface Run {
  readonly rows: number;
  readonly overflow: number;
  readonly peak_mb: number;
}

async function run(name: Records, policy: string, step: string): Promise<Run> {
  writeFileSync(
    join(folder, "keys.yaml"),
    `name: keys
source:
  file: { path: ${name}.ndjson }
  schema: { key: string, ts: time }
  time: { field: ts }
limits: { keys: { max: ${keysMax}, when_full: ${policy} } }
steps:
  - ${step}
  - sink: { nothing: {} }
`,
  );
  const { child, ended } = processes.start(["run", "keys.yaml", "--json"]);
  let peak_mb = 0;
  while (child.exitCode === null && child.signalCode === null) {
    peak_mb = Math.max(peak_mb, peakOf(child.pid!));
    await sleep(wallClock, 50);
  }
  const { code, stderr } = await ended;
  expect([code, stderr]).toEqual([0, expect.any(String)]);
  const [status] = JSON.parse(
    stderr.split("\n").findLast((line) => line.startsWith("[{"))!,
  ) as WorkerStatus[];
  const [branch] = status!.pipeline.branches;
  expect(branch!.in).toBe(records[name]);
  const overflow = branch!.ledger.find(({ reason }) => reason === "overflow")?.records ?? 0;
  expect(branch!.out + overflow).toBe(branch!.in);
  return { rows: branch!.rows, overflow, peak_mb };
}

/** 0 where the kernel does not say. */
function peakOf(process: number): number {
  try {
    return (
      Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${process}/status`, "utf8"))?.[1] ?? 0) / 1024
    );
  } catch {
    return 0;
  }
}

const window = (size: string): string => `window: { tumbling: ${size}, by: key, select: { n: count() } }`;

test.each<{ name: Records; policy: string; step: string; rows: number }>([
  { name: "most", policy: "refuse", step: window("1h"), rows: keysMax },
  { name: "many", policy: "forget_oldest", step: window("1h"), rows: keysMax },
  // As a window closes, its keys leave room to those of the next.
  { name: "many", policy: "forget_oldest", step: window("5s"), rows: 4 * keysMax },
  { name: "many", policy: "forget_oldest", step: "sample: { every: 2, by: key }", rows: records.many },
])("$policy: $step", { timeout: 120_000 }, async ({ name, policy, step, rows }) => {
  const { peak_mb, ...counts } = await run(name, policy, step);
  expect(counts).toEqual({ rows, overflow: records[name] - rows });
  expect(peak_mb).toBeLessThan(peak_mb_max);
});
