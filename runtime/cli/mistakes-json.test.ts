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
