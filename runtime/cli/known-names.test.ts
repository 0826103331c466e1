// A mistyped name of a pipeline to forget ends the command before anything runs.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { checkForget } from "./known-names.ts";
import { WeirProcesses } from "./weir-process.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-known-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  [["boler"], ["boiler", "doors"], "did you mean boiler? there are: boiler, doors"],
  [["boiler", "zz"], ["boiler"], "there are: boiler"],
])("%j of %j is refused", (forget, known, remedy) => {
  expect(() => checkForget(forget, known)).toThrow(expect.objectContaining({ code: "WEIR_USAGE", remedy }));
});

test("weir run refuses it", async () => {
  writeFileSync(
    join(folder, "boiler.yaml"),
    "name: boiler\nsource: { host: { every: 1s } }\nsteps:\n  - sink: { stdout: {}, format: json }\n",
  );
  const { code, stderr } = await new WeirProcesses(folder).weir("run", "boiler.yaml", "--forget", "boler");
  expect([code, stderr]).toEqual([
    64,
    expect.stringContaining("--forget boler: none of the pipelines is called so\n  did you mean boiler?"),
  ]);
});
