// An operator's file that cannot be loaded, as Node reads it: where it is wrong is shown, and what to do about it.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { WeirProcesses } from "./weir-process.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-operator-files-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What `weir lint` says of a pipeline that uses the file. */
async function lint(file: string, text: string): Promise<string> {
  const name = file.replace(/\..*/, "");
  writeFileSync(join(folder, file), text);
  const rest = "source: { file: { path: a.csv } }\nsteps: [{ sink: { stdout: {} } }]\n";
  writeFileSync(join(folder, `${name}.yaml`), `name: ${name.replace("_", "-")}\nuse: [./${file}]\n${rest}`);
  const { code, stderr } = await new WeirProcesses(folder).weir("lint", `${name}.yaml`);
  expect(code).toBe(78);
  return stderr;
}

test.each([
  ["types.ts", "export const x = 1;\nconst y: = 2;\n", "types.ts:2: const y: = 2;"],
  ["enum.ts", "export const x = 1;\nenum Colour { Red }\n", "enum.ts:2: enum Colour { Red }"],
  ["plain.mjs", "export const x = 1;\nconst y = ;\n", "plain.mjs:2: const y = ;"],
  ["beside.ts", 'import "./types.ts";\n', "types.ts:2: const y: = 2;"],
])("%s", async (file, text, line) => {
  expect(await lint(file, text)).toContain(`; it is in ${line}\n`);
});

const plain = 'import { defineFilter } from "weir/sdk";\n';

test.each([
  ["thrown.mjs", "const x = 1;\nJSON.parse('{nope');\n", / \(thrown\.mjs:2:6\)\n[^]*correct that file\n/],
  ["old.js", plain, /write "type": "module" in .*package\.json, or call it old\.mjs\n/],
  ["old_typed.ts", plain, /write "type": "module" in .*package\.json, or call it old_typed\.mts\n/],
  ["common.cjs", plain, /\^ call it common\.mjs\n/],
  [
    "typed.mts",
    'import { OperatorDefinition } from "weir/sdk";\n',
    /a type is imported as one, import \{ type … \}/,
  ],
  ["other_zod.mjs", 'import { z } from "zod";\n', /\^ z comes from weir\/sdk, beside field\n/],
  [
    "bare.mjs",
    "export const bare = { create() {}, config: {} };\n",
    /exports bare, which is no operator: its name is undefined/,
  ],
  [
    "unchecked.mjs",
    "export const unchecked = { name: 'unchecked', create() {}, config: {}, kind: 'keyed' };\n",
    /which is no operator: its config is no schema, as z\.strictObject/,
  ],
])("%s says what to do", async (file, text, message) => {
  writeFileSync(join(folder, "package.json"), '{ "type": "commonjs" }');
  expect(await lint(file, text)).toMatch(message);
});

test("what an operator prints is no row, and no result of a test", async () => {
  const operator = [
    'import { defineFilter, z } from "weir/sdk";',
    'const keep = () => (record) => (console.log("at", record.time), true);',
    'export const talks = defineFilter({ name: "talks", summary: "", config: z.strictObject({}), keep });',
  ];
  const pipeline = [
    "name: talks",
    "use: [./talks.mjs]",
    "source: { file: { path: in.ndjson }, format: json, schema: { ts: time }, time: { field: ts } }",
    "steps: [{ talks: {} }, { sink: { stdout: {} } }]",
    "tests: [{ name: one, input: [{ ts: 7s }], expect: { main: [{ ts: 7s }] } }]",
  ];
  writeFileSync(join(folder, "talks.mjs"), operator.join("\n"));
  writeFileSync(join(folder, "talks.yaml"), pipeline.join("\n"));
  writeFileSync(join(folder, "in.ndjson"), '{"ts":5}\n');
  const run = await new WeirProcesses(folder).weir("run", "talks.yaml");
  expect(run).toMatchObject({
    code: 0,
    stdout: '{"ts":5}\n',
    stderr: expect.stringContaining("at 5\n") as string,
  });
  const tested = await new WeirProcesses(folder).weir("test", "talks.yaml", "--json");
  expect(JSON.parse(tested.stdout)).toBeTruthy();
  expect(tested.stderr).toContain("at 7000\n");
});

test("editors are told of its settings by a schema that it is in", async () => {
  const operator = [
    'import { defineFilter, field, z } from "weir/sdk";',
    'const config = z.object({ at: field.number({ max: 5 }, "Where.") });',
    'export const own = defineFilter({ name: "own", summary: "Keeps.", config, keep: () => () => true });',
  ];
  writeFileSync(join(folder, "own.mjs"), operator.join("\n"));
  const here = new WeirProcesses(folder);
  const { code, stdout } = await here.weir("schema", "--out", "-", "--use", "own.mjs");
  expect(code).toBe(0);
  const { definitions } = JSON.parse(stdout) as { definitions: Record<string, Record<string, unknown>> };
  expect(definitions["operator_own"]).toMatchObject({
    properties: { at: { type: "number", maximum: 5, description: "Where." } },
    additionalProperties: false,
  });
  expect(definitions["step"]!["properties"]).toMatchObject({ own: {}, filter: {} });
  expect(await here.weir("schema", "--use", "own.mjs")).toMatchObject({
    code: 64,
    stderr: expect.stringContaining("say where it goes") as string,
  });
});
