// previous: beside each record what the one before it said. Adds columns; holds nothing back and leaves nothing out.

import {
  type ColumnType,
  defineOperator,
  field,
  type OperatorDefinition,
  table,
  withFields,
  z,
} from "weir/sdk";
import { Carried } from "../carried.ts";
import { longer } from "../longer.ts";
import { EarlierNumber, lastNumber } from "./earlier-number.ts";
import { EarlierValue, lastValue } from "./earlier-value.ts";
import { noKeySigned } from "./key-ids.ts";

/** Of which one value takes one cell. */
function isNumber(type: ColumnType): boolean {
  return type !== "int64" && type !== "string";
}

/** Rows of a batch that there is room for at first. */
const rowsFirst = 64;

const types: readonly ColumnType[] = ["float64", "int64", "bool", "string", "time"];

export const previous: OperatorDefinition = defineOperator({
  name: "previous",
  summary: "Adds what the key's previous record said.",
  rule: [
    "Each new column has the value that the named column had in the key's record before this one, in order of arrival; null in the first. A null is passed over: the value is the last that was there.",
    "`filter: state != before` behind it passes what has changed, of any type, and the first record of a key not, for which there is no before: `before == null || state != before` passes that as well.",
    "With the column of event time among them, `ts - since` is how long that was ago, in milliseconds. Records that come out of order are brought into it by `reorder` in front.",
  ].join(" "),
  kind: "keyed",
  late: () => false,
  config: z.strictObject({
    values: z
      .record(z.string(), field.column(types, "The column whose previous value it has."))
      .refine((values) => Object.keys(values).length > 0, "name at least one: { before: state }")
      .meta({
        description: "New columns by name, each with the column whose previous value it takes.",
        examples: [{ before: "state" }],
      }),
    by: field.keys("The key: each has a record before. Without it, all records are of one.").optional(),
  }),
  examples: [
    {
      title: "What a machine did before, and for how long",
      config: { by: "machine", values: { before: "state", since: "ts" } },
      schema: { machine: "string", ts: "time", state: "string" },
      time: "ts",
      input: [
        { machine: "press", ts: 0, state: "idle" },
        { machine: "saw", ts: 5_000, state: "runs" },
        { machine: "press", ts: 60_000, state: "runs" },
        { machine: "press", ts: 90_000, state: null },
        { machine: "press", ts: 120_000, state: "stands" },
      ],
      output: [
        { machine: "press", ts: 0, state: "idle", before: null, since: null },
        { machine: "saw", ts: 5_000, state: "runs", before: null, since: null },
        { machine: "press", ts: 60_000, state: "runs", before: "idle", since: 0 },
        { machine: "press", ts: 90_000, state: null, before: "runs", since: 60_000 },
        { machine: "press", ts: 120_000, state: "stands", before: "runs", since: 90_000 },
      ],
    },
  ],
  schema: (input, { values }) => {
    const added: Record<string, ColumnType> = {};
    for (const [name, { type }] of Object.entries(values)) added[name] = type;
    return withFields(input, added);
  },
  // The last value of each column, of every key in the one pane that there is.
  state: ({ by = [], values }) => ({
    last: table.panes(
      by,
      Object.values(values).map(({ type }) => (isNumber(type) ? lastNumber : lastValue(type))),
      [],
      { yields: true, perKey: () => 1 },
    ),
  }),
  create: ({ values }, { input, output, state: { last } }) => {
    const earlier = Object.values(values).map((column) =>
      isNumber(column.type) ? new EarlierNumber(column) : new EarlierValue(column),
    );
    const carried = new Carried(input, output, Object.keys(values));
    let ids = new Uint32Array(rowsFirst);
    let slots = new Uint32Array(rowsFirst);
    return {
      onBatch(batch, out) {
        const { selection, count } = batch;
        while (ids.length < count) [ids, slots] = [longer(ids), longer(slots)];
        last.keys.identify(batch, ids);
        const rows = out.scratch(batch);
        let going = 0;
        for (let i = 0; i < count; i++) {
          const key = ids[i]! | 0;
          if (key === noKeySigned) out.drop(batch, selection[i]!, "overflow");
          else {
            ids[going] = key;
            rows[going++] = selection[i]!;
          }
        }
        last.pane(0)!.slots(ids, 0, going, slots, 0);
        const added = earlier.map((each, place) => each.take(batch, last.states[place]!, slots, rows, going));
        out.project({ ...batch, selection: rows, count: going }, carried.with(added, batch));
      },
    };
  },
});
