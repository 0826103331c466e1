// Every pipeline that is shipped lints without a warning, carries tests, and passes them.

import { readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { loadInput, readInput } from "../engine/loader.ts";
import { readReferenceFiles } from "../engine/reference-files.ts";
import { runTest } from "../testing/pipeline-tests.ts";

const folder = resolve(import.meta.dirname, "../../pipelines");
const files = readdirSync(folder).filter((name) => name.endsWith(".yaml"));

test("the file that the reference begins with lints, and passes its test", async () => {
  const reference = readFileSync(join(folder, "../operators/REFERENCE.md"), "utf8");
  const text = /^```yaml\n([\s\S]*?)^```$/m.exec(reference)?.[1] ?? "";
  const { plan, diagnostics } = await loadInput(
    { file: "boiler.yaml", text, environment: {} },
    "boiler.yaml",
  );
  expect(diagnostics).toEqual([]);
  expect(plan!.spec.tests.map((each) => runTest(plan!, each).faults)).toEqual([[]]);
});

test("there are pipelines", () => {
  expect(files.length).toBeGreaterThan(4);
});

describe.each(files)("%s", async (name) => {
  const loaded = await loadInput(readInput(join(folder, name), {}), name);
  const { plan } = loaded;
  const tables = await readReferenceFiles(loaded, name);

  test("lints, and carries tests", () => {
    expect([...loaded.diagnostics, ...tables.diagnostics]).toEqual([]);
    expect(plan?.spec.tests.length).toBeGreaterThan(0);
  });

  test.each(plan?.spec.tests ?? [])("$name", (each) => {
    expect(runTest(plan!, each, 1, tables.contents).faults).toEqual([]);
  });
});
