// An operator's file that is no TypeScript, or no JavaScript, as Node reads it: the line that is wrong is shown.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { WeirProcesses } from "./weir-process.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-operator-files-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  ["types.ts", "export const x = 1;\nconst y: = 2;\n", "const y: = 2;"],
  ["enum.ts", "export const x = 1;\nenum Colour { Red }\n", "enum Colour { Red }"],
  ["plain.mjs", "export const x = 1;\nconst y = ;\n", "const y = ;"],
])("%s", async (file, text, line) => {
  const name = file.replace(/\..*/, "");
  writeFileSync(join(folder, file), text);
  const rest = "source: { file: { path: a.csv } }\nsteps: [{ sink: { stdout: {} } }]\n";
  writeFileSync(join(folder, `${name}.yaml`), `name: ${name}\nuse: [./${file}]\n${rest}`);
  const { code, stderr } = await new WeirProcesses(folder).weir("lint", `${name}.yaml`);
  expect(code).toBe(78);
  expect(stderr).toContain(`; it is in the line ${line}\n`);
});
