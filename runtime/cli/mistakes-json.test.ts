// What is wrong with a pipeline, told as JSON by every command that reads some and prints JSON: one object, where results would be.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { WeirProcesses } from "./weir-process.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-mistakes-json-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

writeFileSync(
  join(folder, "wrong.yaml"),
  "name: wrong\nsource: { nats: { subject: a } }\nsteps: [{ fliter: a > 1 }, { sink: { stdout: {} } }]\n",
);

test.concurrent.each(["lint", "test", "explain", "try"])("by %s", async (command) => {
  const { code, stdout, stderr } = await new WeirProcesses(folder).weir(command, "wrong.yaml", "--json");
  expect(code).toBe(78);
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toMatchObject({
    ok: false,
    diagnostics: [{ file: "wrong.yaml", line: 3, column: 11, hint: "did you mean filter?" }],
  });
});

test.concurrent.each([
  ["lint", "nowhere.yaml"],
  ["test", "nowhere.yaml"],
  ["explain", "nowhere.yaml"],
  ["try", "nowhere.yaml"],
  ["init", "--from", "nowhere.csv"],
  ["feed", "nowhere.csv", "--to", "a"],
])("of no pipeline, by %s %s", async (...typed) => {
  const { code, stdout, stderr } = await new WeirProcesses(folder).weir(...typed, "--json");
  expect(code).toBe(66);
  expect(stderr).toMatch(/^error: .*nowhere/);
  expect(JSON.parse(stdout)).toMatchObject({
    ok: false,
    error: { code: "WEIR_FILE", message: expect.stringContaining("nowhere") as string },
  });
});

test("of a run, whose rows have standard output, in the last line of the other", async () => {
  const { code, stdout, stderr } = await new WeirProcesses(folder).weir("run", "nowhere.yaml", "--json");
  expect([code, stdout]).toEqual([66, ""]);
  expect(JSON.parse(stderr.trimEnd().split("\n").at(-1)!)).toMatchObject({
    ok: false,
    error: { code: "WEIR_FILE", remedy: "name a pipeline file; weir init writes one to start from" },
  });
});
