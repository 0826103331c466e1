// How a test of a pipeline file says that its rows are not those that it expects.

import { expect, test } from "vitest";
import { catalog } from "../../operators/catalog.ts";
import { loadPipeline } from "../pipeline/load.ts";
import { runTest } from "./pipeline-tests.ts";

function faultsOf(steps: string, expected: string): readonly string[] {
  const content = `name: p
source:
  nats: { subject: "counters.{meter}" }
  schema: { n: int64 }
steps:
  - branch: { main: [${steps}] }
tests:
  - name: t
    input: [{ subject: counters.a, raw: '{"n":9007199254740993}' }]
    expect: { main: [{ ${expected} }] }
`;
  const { plan, diagnostics } = loadPipeline({ file: "p.yaml", content, catalogue: catalog });
  expect(diagnostics).toEqual([]);
  return runTest(plan!, plan!.spec.tests[0]!).faults;
}

test.each(["json", "msgpack", "csv"])("every digit of a whole number counts, in %s", (format) => {
  const steps = `{ select: { n: n, next: n + 1 } }, { sink: { nothing: {}, format: ${format} } }`;
  expect(faultsOf(steps, 'n: "9007199254740993", next: "9007199254740994"')).toEqual([]);
  expect(faultsOf(steps, 'n: "9007199254740992"')).toEqual([
    'main[0].n: expected "9007199254740992", got 9007199254740993',
  ]);
});

test("a token of the subject is missed in a row that goes on as it came, and how it comes into it is told", () => {
  const sink = "{ sink: { nothing: {} } }";
  expect(faultsOf(`{ filter: has(n) }, ${sink}`, "meter: a, other: 1")).toEqual([
    'main[0].meter: expected "a", got undefined; a token of the subject is not in a row that goes on as it came: set: { meter: meter } adds it',
    "main[0].other: expected 1, got undefined",
  ]);
  expect(faultsOf(`{ set: { meter: meter } }, ${sink}`, "meter: a")).toEqual([]);
});
