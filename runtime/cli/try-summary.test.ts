// What weir try says at its end: how many of the rows it has shown, and which of two pipelines is which.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { WeirProcesses } from "./weir-process.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-try-summary-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const processes = new WeirProcesses(folder);

for (const name of ["a", "b"])
  writeFileSync(
    join(folder, `${name}.yaml`),
    "name: boiler\nsource: { nats: { subject: s }, format: json, schema: { x: float64 } }\nsteps:\n  - sink: { stdout: {}, format: json }\n",
  );
writeFileSync(join(folder, "r.ndjson"), '{"x":1}\n{"x":2}\n{"x":3}\n{"x":4}\n');

test.each([
  ["3rows", 3, "shown: 3 of 4 rows, as --limit says; the others are of records that were read with the last"],
  ["4rows", 4, null],
  ["2", 2, null],
] as const)("--limit %s shows %i rows, and says of how many", async (limit, rows, told) => {
  const { stdout, stderr } = await processes.weir("try", "a.yaml", "--from", "r.ndjson", "--limit", limit);
  expect(stdout.trim().split("\n")).toHaveLength(rows);
  expect(stderr.split("\n").filter((line) => line.startsWith("shown:"))).toEqual(told === null ? [] : [told]);
  const json = await processes.weir("try", "a.yaml", "--from", "r.ndjson", "--limit", limit, "--json");
  expect(JSON.parse(json.stdout.trim().split("\n").at(-1)!)).toMatchObject({ summary: { shown: rows } });
});

test("two files of one name are told apart, and one against itself needs no telling", async () => {
  const { stderr } = await processes.weir("try", "a.yaml", "--against", "b.yaml", "--from", "r.ndjson");
  expect(stderr).toMatch(/^a\.yaml: 4 records\n(.*\n)*b\.yaml: 4 records$/m);
  const same = await processes.weir("try", "a.yaml", "--against", "a.yaml", "--from", "r.ndjson");
  expect(same.stderr).toMatch(/^boiler: 4 records$/m);
});
