// What is said of records in tests that are probably not what was meant, and of conditions that are counted.

import { expect, test } from "vitest";
import { catalog } from "../../operators/catalog.ts";
import { loadPipeline } from "./load.ts";

function toldOf(input: string, select = "n: count()"): readonly string[] {
  const content = `name: p
source: { nats: { subject: "s.{d}" }, schema: { ts: time, temp: float64, on: bool, state.oil: float64 }, time: { field: ts } }
steps:
  - window: { tumbling: 1m, by: d, select: { ${select} } }
  - sink: { stdout: {} }
tests:
  - name: t
    input: [${input}]
`;
  const { plan, diagnostics } = loadPipeline({ file: "p.yaml", content, catalogue: catalog });
  expect(plan).not.toBeNull();
  return diagnostics.map(({ line, column, severity, message, hint }) =>
    [`${severity} ${line}:${column}`, message, hint].join(" | "),
  );
}

test.each([
  [
    "{ subject: s.a, record: { ts: 0s, tmp: 20 } }",
    ["warning 8:47 | the pipeline reads no field tmp | did you mean temp?"],
  ],
  ["{ ts: 0s, sate: { oil: 1 } }", ["warning 8:23 | the pipeline reads no field sate | did you mean state?"]],
  ["{ pauze: 10s }", ["warning 8:15 | the pipeline reads no field pauze | did you mean pause?"]],
  [
    "{ subject: s.a, records: { ts: 0s } }",
    ["warning 8:29 | the pipeline reads no field records | did you mean record?"],
  ],
  // Records may hold more than is read, also where a name is like one that is there as well.
  ["{ ts: 0s, temp: 1, tmp: 2, serial: 5, state: { oil: 1, water: 2 } }", []],
  ["{ pause: 10s }, { ts: 0s }, { raw: broken }, { restart: true }", []],
])("%s", (input, told) => {
  expect(toldOf(input)).toEqual(told);
});

test("a condition that is counted counts where it is false as well; a column by itself is counted where it has a value", () => {
  expect(toldOf("{ ts: 0s }", "n: count(on), hot: count(temp > 80)")).toEqual([
    "warning 4:65 | count(temp > 80) counts the records in which that is false as well: all that are not null | where it is true: sum(double(temp > 80))",
  ]);
});
