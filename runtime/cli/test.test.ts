// What weir test says of tests that fail: what became of the records, and that an operator does not return.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { type Clock, wallClock } from "../clock.ts";
import { limits } from "../limits.ts";
import { loadFiles } from "./load.ts";
import { type FileTestResult, testResults } from "./test.ts";
import { WeirProcesses } from "./weir-process.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-test-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Time for an operator to return is over as soon as it has begun. */
const impatient: Clock = {
  ...wallClock,
  after: (ms, task) => wallClock.after(ms === limits.operator_hang_ms_max ? 0 : ms, task),
};

const operator = `import { defineFilter, type OperatorDefinition, z } from "weir/sdk";
export const odd: OperatorDefinition = defineFilter({
  name: "odd",
  summary: "Behaves in odd ways.",
  config: z.strictObject({ how: z.string() }),
  keep: ({ how }) => () => {
    if (how === "throws") throw new Error("no such probe");
    for (;;);
  },
});
`;

async function resultsOf(step: string, clock: Clock): Promise<readonly FileTestResult[]> {
  writeFileSync(join(folder, "odd.ts"), operator);
  const file = join(folder, "odd.yaml");
  const lines = [
    "name: odd",
    "use: [./odd.ts]",
    "source: { nats: { subject: a }, format: json, schema: { ts: time, temp: float64 }, time: { field: ts } }",
    `steps: [{ filter: temp > 0 }, ${step}, { sink: { nats: { subject: b } } }]`,
    "tests:",
    "  - { name: one, input: [{ ts: 0s, temp: 1 }, { ts: 1s, temp: -1 }], expect: { main: [{ temp: 1 }] } }",
    "  - { name: two, input: [{ ts: 0s, temp: text }], expect: { main: [] } }",
  ];
  writeFileSync(file, lines.join("\n"));
  return testResults([file], await loadFiles([file]), clock);
}

it("says what became of the records that stand in no row", async () => {
  const [one, two] = await resultsOf("{ odd: { how: throws } }", wallClock);
  expect(one).toMatchObject({
    name: "one",
    faults: ["main: expected 1 row, got none"],
    leftOut: [
      "1 record at 1 filter: filtered",
      expect.stringMatching(/^1 record at 2 odd: fault: no such probe \(odd\.ts:\d+:\d+\)$/),
    ],
  });
  expect(two).toMatchObject({ faults: [], leftOut: [expect.stringMatching(/^1 record at source: type: /)] });
});

it("ends an operator that does not return, and says which tests were not run", async () => {
  const results = await resultsOf("{ odd: { how: loops } }", impatient);
  expect(results.map(({ name, faults }) => ({ name, faults }))).toEqual([
    { name: "one", faults: [`step 2 odd did not return within ${limits.operator_hang_ms_max} ms`] },
    { name: "two", faults: ["not run: an earlier test did not come to its end"] },
  ]);
});

it("shows the rows where they are asked for, as they may stand in the test", async () => {
  const processes = new WeirProcesses(folder);
  await processes.weir("init", "rows.yaml");
  const { code, stdout } = await processes.weir("test", "rows.yaml", "--rows");
  expect(code).toBe(0);
  const [, row = ""] = /^ {5}main:\n {7}- (.*)$/m.exec(stdout) ?? [];
  expect(JSON.parse(row)).toMatchObject({ mean: 21 });
  const file = join(folder, "rows.yaml");
  writeFileSync(file, readFileSync(file, "utf8").replace(/expect:[^]*$/, `expect: { main: [${row}] }\n`));
  expect((await processes.weir("test", "rows.yaml")).code).toBe(0);
  const [without] = (
    JSON.parse((await processes.weir("test", "rows.yaml", "--json")).stdout) as { tests: unknown[] }
  ).tests;
  expect(without).not.toHaveProperty("rows");
});
