// A reader that goes away ends weir's output, not weir. A real process writes into a real pipe.

import { spawn } from "node:child_process";
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
