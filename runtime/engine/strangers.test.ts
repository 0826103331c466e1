// Operators of the user's own that put into columns what is no value, or do nothing with their records: no such row gets out, each
// record is counted, and what is told says which column.

import { expect, test } from "vitest";
import {
  type Batch,
  type Collector,
  defineMap,
  defineOperator,
  type OperatorDefinition,
  type Schema,
  z,
} from "weir/sdk";
import { dewpoint } from "../../operators/examples/dewpoint.ts";
import { operating_hours } from "../../operators/examples/operating_hours.ts";
import { plausible } from "../../operators/examples/plausible.ts";
import { silence } from "../../operators/examples/silence.ts";
import { spike } from "../../operators/examples/spike.ts";
import { runExample } from "../testing/example.ts";
import { Harness, lawFaults } from "../testing/harness.ts";
import { planOf, sink } from "./engine.fixture.ts";
import { addStranger } from "./strangers.ts";

const config = z.strictObject({});
const about = { name: "own", summary: "", config };

/** What becomes of two records. */
function outcome(own: OperatorDefinition): {
  rows: readonly unknown[];
  letters: readonly string[];
  ledger: unknown;
} {
  addStranger(own);
  const harness = new Harness(planOf({ steps: [{ own: {} }, sink] }, [own]));
  for (const temp of [1, 2]) harness.record({ device: "a", ts: 10, temp });
  harness.finish();
  expect(lawFaults(harness.counts())).toEqual([]);
  const letters = harness.letters.map(({ reason, detail }) => `${reason}: ${detail}`);
  return { rows: harness.rows(0), letters, ledger: harness.counts()[0]!.ledger };
}

type Fill = (draft: ReturnType<Collector["draft"]>, batch: Batch) => void;

/** Sends one row for each record, in columns of every type. */
function drafting(fill: Fill): OperatorDefinition {
  const types = ["float64", "time", "string", "json", "int64", "bool"] as const;
  const schema: Schema = { fields: types.map((type) => ({ name: `a_${type}`, type })), rest: null };
  return defineOperator({
    ...about,
    rule: "",
    kind: "stateless",
    examples: [],
    schema: () => schema,
    create: () => ({
      onBatch(batch, out) {
        const draft = out.draft(batch.count);
        for (let row = 0; row < batch.count; row++) {
          draft.columns[2]!.values[row] = draft.text(2, "x");
          draft.columns[3]!.values[row] = draft.text(3, '{"x":1}');
        }
        fill(draft, batch);
        out.append(draft);
      },
    }),
  });
}

test("a row whose values are what they have to be goes on", () => {
  const { rows } = outcome(drafting(() => undefined));
  const row = { a_float64: 0, a_time: 0, a_string: "x", a_json: { x: 1 }, a_int64: 0, a_bool: false };
  expect(rows).toEqual([row, row]);
});

test.each<[string, Fill, RegExp]>([
  [
    "a number",
    ({ columns }) => void (columns[0]!.values[0] = Number.NaN),
    /a finite number in a_float64, got NaN/,
  ],
  [
    "a time",
    ({ columns }) => void (columns[1]!.values[0] = 1 / 0),
    /a finite number in a_time, got Infinity/,
  ],
  [
    "a text",
    ({ columns }) => void (columns[2]!.values[0] = 55),
    /a code, as draft\.text gives it in a_string, got 55/,
  ],
  [
    "JSON",
    (draft) => void (draft.columns[3]!.values[0] = draft.text(3, "{x")),
    /expected JSON for a_json, as JSON\.stringify makes it, got \{x/,
  ],
  [
    "the time of a row",
    ({ time }) => void (time[0] = Number.NaN),
    /a time of each row in draft\.time, got NaN/,
  ],
  ["a weight", ({ weight }) => void (weight[0] = -1), /draft\.weight, got -1/],
])("a row with %s that is none is a fault of its record", (_, fill, message) => {
  const { rows, letters } = outcome(drafting(fill));
  expect(rows).toEqual([]);
  expect(letters).toEqual([expect.stringMatching(message), expect.stringMatching(message)]);
});

test("a text that is no JSON reaches no row of a map either", () => {
  const own = defineMap({ ...about, columns: () => ({ more: "json" }), map: () => () => ({ more: "none" }) });
  const { rows, letters } = outcome(own);
  expect(rows).toEqual([]);
  expect(letters[0]).toMatch(/^fault: expected JSON for more/);
});

test.each([dewpoint, operating_hours, plausible, silence, spike])(
  "$name does as in its examples",
  (example) => {
    addStranger(example);
    for (const each of example.examples) expect(runExample(example, each).rows).toEqual(each.output);
  },
);

test("columns that are not those of the schema are a fault", () => {
  const own = defineOperator({
    ...about,
    rule: "",
    kind: "stateless",
    examples: [],
    schema: ({ fields, rest }) => ({ fields: [...fields, { name: "more", type: "float64" }], rest }),
    create: () => ({ onBatch: (batch, out) => out.emit(batch) }),
  });
  const { rows, letters } = outcome(own);
  expect(rows).toEqual([]);
  expect(letters[0]).toMatch(/^fault: expected 2 columns, those of its schema, got 1/);
});

test("records that nothing was done with are counted as filtered", () => {
  const own = defineOperator({
    ...about,
    rule: "",
    kind: "stateless",
    examples: [],
    create: () => ({ onBatch: () => undefined }),
  });
  expect(outcome(own)).toMatchObject({
    rows: [],
    letters: [],
    ledger: [{ step: "1 own", reason: "filtered", records: 2 }],
  });
});

test("one that gives no operator is told with its step", () => {
  const rest = { ...about, rule: "", kind: "stateless", examples: [] } as const;
  const creates = (create: () => never): OperatorDefinition => defineOperator({ ...rest, create });
  const thrown = creates(() => {
    throw new Error("no table");
  });
  expect(() => outcome(thrown)).toThrow("step 1 own: operator own could not be created: no table");
  expect(() => outcome(creates(() => undefined as never))).toThrow(
    /could not be created: expected create to return/,
  );
});

test("a column that is none of the settings is named", () => {
  const own = defineMap({
    ...about,
    columns: () => ({}),
    map: () => (record) => ({ x: record.number("temp" as never) }),
  });
  expect(outcome(own).letters[0]).toMatch(/^fault: expected a column of the settings, .* got string temp/);
});
