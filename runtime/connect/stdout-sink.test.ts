// A reader that goes away ends weir's output, not weir. A real process writes into a real pipe.

import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const program = `
import { stdoutSink } from ${JSON.stringify(join(import.meta.dirname, "stdout-sink.ts"))};
let gone = false;
const sink = stdoutSink({ header: "n", onEnd: () => { gone = true; } });
await sink.open();
let taken = 0;
while (!gone) {
  sink.write({ subject: "", payload: Buffer.from(String(taken++)), id: null, caused: 0 });
  await sink.ready();
  if (taken % 1000 === 0) await sink.flush();
}
sink.write({ subject: "", payload: Buffer.from("late"), id: null, caused: 0 });
await sink.flush();
await sink.close();
const { rows, pending, dropped } = sink.stats();
console.error(JSON.stringify({ whole: rows + dropped.reader_gone === taken + 1, pending }));
`;

it("is a clean end, with every row accounted for", async () => {
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const first = await new Promise<string>((resolve) => {
    child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString()));
  });
  expect(first).toMatch(/^n\n/);
  child.stdout.destroy();
  const code = await new Promise((resolve) => child.once("exit", resolve));
  expect({ code, said: JSON.parse(said) as unknown }).toEqual({ code: 0, said: { whole: true, pending: 0 } });
});

it("on a disk that is full is a fault that is told, with every row accounted for", async () => {
  const full = openSync("/dev/full", "w");
  const failing = `
import { stdoutSink } from ${JSON.stringify(join(import.meta.dirname, "stdout-sink.ts"))};
const sink = stdoutSink();
await sink.open();
sink.write({ subject: "", payload: Buffer.from("1"), id: null, caused: 0 });
const fault = await sink.flush().then(() => null, (error) => [error.code, error.message]);
sink.write({ subject: "", payload: Buffer.from("2"), id: null, caused: 0 });
await sink.close();
console.error(JSON.stringify({ fault, dropped: sink.stats().dropped }));
`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", failing], {
    stdio: ["ignore", full, "pipe"],
  });
  closeSync(full);
  let said = "";
  child.stderr!.on("data", (chunk: Buffer) => (said += chunk.toString()));
  expect(await new Promise((resolve) => child.once("close", resolve))).toBe(0);
  expect(JSON.parse(said)).toEqual({
    fault: ["WEIR_SINK", expect.stringContaining("ENOSPC")],
    dropped: { write_failed: 2 },
  });
});
