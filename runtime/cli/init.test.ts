// What weir init writes for an operator: it lints in a pipeline, whose test passes, and keeps to every law. And commands whose
// reader goes away.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import type { OperatorDefinition } from "../../operators/sdk/index.ts";
import { loadInput } from "../engine/loader.ts";
import { loadOperators } from "../engine/operator-file.ts";
import { conformanceFaults } from "../testing/conformance.ts";
import { runTest } from "../testing/pipeline-tests.ts";
import { init } from "./init.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-init-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("writes an operator that a pipeline takes and that keeps to every law", async () => {
  const said = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const path = join(folder, "operators", "in-range.ts");
  expect(await init(path, {})).toBe(0);
  expect(said.mock.calls.join("")).toContain(`use: [${path}]`);
  said.mockRestore();
  const lines = [
    "name: own",
    "use: [./operators/in-range.ts]",
    "source: { nats: { subject: a }, format: json, schema: { ts: time, temp: float64 }, time: { field: ts } }",
    "steps: [{ in_range: { value: temp, min: -40, max: 85 } }, { sink: { stdout: {} } }]",
    "tests: [{ name: t, input: [{ ts: 0s, temp: 1 }, { ts: 1s, temp: 99 }], expect: { main: [{ temp: 1 }] } }]",
  ];
  const file = join(folder, "own.yaml");
  const { plan, diagnostics } = await loadInput({ file, text: lines.join("\n"), environment: {} }, file);
  expect(diagnostics).toEqual([]);
  expect(runTest(plan!, plan!.spec.tests[0]!).faults).toEqual([]);
  const written = (await import(path)) as { readonly in_range: OperatorDefinition };
  expect(conformanceFaults(written.in_range)).toEqual([]);
});

it("says how the operator is used by a pipeline in the present folder", async () => {
  const said = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const here = relative(process.cwd(), folder);
  expect(await init(`./${here}/own/doubled.ts`, {})).toBe(0);
  expect(said.mock.calls.join("")).toContain(`use: [${here}/own/doubled.ts]`);
  said.mockRestore();
  await expect(init("doubled.cjs", {})).rejects.toThrow(/would be CommonJS/);
});

it.each(["plain.mjs", "plain-too.js", "typed.mts"])("writes an operator to %s", async (name) => {
  const said = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const path = join(folder, name);
  expect(await init(path, {})).toBe(0);
  said.mockRestore();
  const [definition] = await loadOperators(path);
  expect(definition!.name).toBe(name.replace(/\..*/, "").replace("-", "_"));
  expect(conformanceFaults(definition!)).toEqual([]);
});

it("refuses a file that would not name an operator, and one that is there", async () => {
  for (const name of ["9x.ts", "class.ts", "field.ts"])
    await expect(init(join(folder, name), {})).rejects.toThrow(/would not name an operator/);
  for (const name of ["filter", "branch", "late"])
    await expect(init(join(folder, `${name}.ts`), {})).rejects.toThrow(`weir has a step ${name} already`);
  await expect(init(join(folder, "operators", "in-range.ts"), {})).rejects.toThrow(/exists/);
});

it.each([
  ["x.yaml", { json: true }, "--json is for what --from shows"],
  ["x.yaml", { for: "5s" }, "--for is for what --from shows"],
  ["weir.yaml", {}, "weir.yaml is where a device's settings are"],
  ["operators", { force: true }, "operators is a folder"],
])("refuses %s with %j", async (name, options, message) => {
  await expect(init(join(folder, name), options)).rejects.toThrow(message);
  expect(existsSync(join(folder, "x.yaml"))).toBe(false);
});

it("ends in silence when nobody reads what a command says", async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts"), "docs", "--out", "-"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.destroy();
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const [code] = await once(child, "close");
  expect({ code, errors }).toEqual({ code: 141, errors: "" });
});
