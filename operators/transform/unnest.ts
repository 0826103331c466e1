// unnest: a row of each element of a list, or of each entry of a map, that a record holds. Keeps nothing; rows of one record follow each other.

import {
  type Batch,
  type Collector,
  type ColumnReference,
  type ColumnType,
  columnTypes,
  ConfigurationError,
  defineOperator,
  type Draft,
  field,
  type OperatorDefinition,
  put,
  type Scalar,
  type Schema,
  valueAt,
  withFields,
  z,
} from "weir/sdk";
import { type ElementField, type Elements, readElements } from "./elements.ts";

/** Rows that are sent together: a list may have very many elements. */
const rowsMax = 4_096;
/** Elements of a list: a message of a megabyte may hold half a million. */
const elementsMax = 1_000_000;
const elementsDefault = 10_000;

type Types = Readonly<Record<string, ColumnType>>;

interface UnnestSettings {
  readonly list: ColumnReference;
  readonly fields?: Types | undefined;
  readonly as?: Types | undefined;
  readonly name?: string | undefined;
  readonly position?: string | undefined;
  readonly time?: string | undefined;
  readonly max: number;
}

function addedBy({ fields, as, name, position }: UnnestSettings): Types {
  const added: Record<string, ColumnType> = { ...fields, ...as };
  if (name !== undefined) added[name] = "string";
  if (position !== undefined) added[position] = "float64";
  return added;
}

function outputOf(input: Schema, settings: UnnestSettings): Schema {
  const { list, fields = {}, as = {}, name, position, time } = settings;
  const taken = new Set([...Object.keys(fields), ...Object.keys(as)]);
  for (const [setting, column] of Object.entries({ name, position }))
    if (column !== undefined && taken.size === taken.add(column).size)
      throw new ConfigurationError([setting], `${column} is a column already; write another name`);
  if (time !== undefined && fields[time] !== "time")
    throw new ConfigurationError(
      ["time"],
      `${time} is no field of type time; write it under fields: ${time}: time`,
    );
  const others = input.fields.filter(({ name }) => name !== list.name);
  return withFields({ fields: others, rest: null }, addedBy(settings));
}

/** What is read of each element, in the order of the columns that it makes. */
function elementFields({ fields, as }: UnnestSettings): readonly ElementField[] {
  if (fields !== undefined)
    return Object.entries(fields).map(([name, type]) => ({ name, path: name.split("."), type }));
  return Object.entries(as ?? {}).map(([name, type]) => ({ name, path: [], type }));
}

/** Rows that wait to be sent, of one batch. */
class Rows {
  readonly #batch: Batch;
  readonly #out: Collector;
  /** By column of the output: the input's column that is carried, or the place of a scalar below zero, counted from -1. */
  readonly #sources: readonly number[];
  /** Where the time stands among the scalars; -1 for the record's own. */
  readonly #time: number;
  #records: number[] = [];
  #scalars: Elements[number][] = [];
  #more = 0;

  constructor(batch: Batch, out: Collector, sources: readonly number[], time: number) {
    this.#batch = batch;
    this.#out = out;
    this.#sources = sources;
    this.#time = time;
  }

  /** Each row stands for as many records as its own did: all but the first of a record are more than came. */
  add(record: number, scalars: Elements[number], isFirst: boolean): void {
    if (this.#records.length === rowsMax) this.send();
    this.#records.push(record);
    this.#scalars.push(scalars);
    if (!isFirst) this.#more += this.#batch.weight?.[record] ?? 1;
  }

  send(): void {
    const count = this.#records.length;
    if (count === 0) return;
    const draft = this.#out.draft(count);
    const { time, watermark, weight } = this.#batch;
    for (let row = 0; row < count; row++) {
      const record = this.#records[row]!;
      const own = this.#time < 0 ? null : this.#scalars[row]![this.#time];
      draft.time[row] = typeof own === "number" ? own : time[record]!;
      draft.watermark[row] = watermark[record]!;
      draft.weight[row] = weight?.[record] ?? 1;
    }
    for (const [place, source] of this.#sources.entries())
      if (source >= 0) this.#carry(draft, place, source);
      else this.#scalars.forEach((scalars, row) => put(draft, place, row, scalars[-1 - source]!));
    this.#out.append(draft);
    this.#out.more(this.#more);
    this.#records = [];
    this.#scalars = [];
    this.#more = 0;
  }

  /** A column of the record, once for each of its rows. */
  #carry(draft: Draft, place: number, source: number): void {
    const column = this.#batch.columns[source]!;
    let [before, value]: [number, Scalar] = [-1, null];
    for (const [row, record] of this.#records.entries()) {
      if (record !== before) value = valueAt(column, record);
      put(draft, place, row, value);
      before = record;
    }
  }
}

const types = z.record(z.string().min(1), z.enum(columnTypes));

export const unnest: OperatorDefinition = defineOperator({
  name: "unnest",
  summary: "Makes a row of each element of a list, or of each entry of a map.",
  rule: [
    "The list is a column of type json. Each of its elements makes a row: with the record's other columns, and with `fields` of the element, where it is a map (`values.temp` is a field within a field), or with `as` the element itself. A field that is not there is null, and so is an element that is null. For a list within a list, declare it as json and write a second `unnest`. With `name` it is a map in place of a list, and each of its entries makes a row, with its name in that column; names that are whole numbers come first, rising.",
    "A record whose list is null or empty makes no row and is counted as `filtered`. One whose list is none, or holds a value of another type, goes to the dead letter as a whole. An int64 is a whole number up to 2^53.",
    "A row has the time of its record, or with `time` its own: then one that is null or later than the record's, whose time windows go by, is refused with its record. Such rows may be as old as `lateness` allows. From here on each row is a record: `count()` counts them, and so do `weir status` and the metrics of the branch. Where steps behind it keep records for a time, `limits: { rate }` is to say how many rows there are.",
  ].join(" "),
  kind: "stateless",
  config: z
    .strictObject({
      list: field.column(["json"], "The list, or with `name` the map, declared as json in the schema."),
      fields: types
        .refine((fields) => Object.keys(fields).length > 0, "at least one field: { id: string }")
        .meta({ description: "Fields of each element by their names, with their types. A time is in ms." })
        .optional(),
      as: types
        .refine((columns) => Object.keys(columns).length === 1, "one column: { value: float64 }")
        .meta({
          description: "In place of `fields`: the column that is each element itself, `{ value: float64 }`.",
        })
        .optional(),
      name: z
        .string()
        .min(1)
        .meta({ description: "The list is a map: a column for the name of each of its entries." })
        .optional(),
      position: z
        .string()
        .min(1)
        .meta({ description: "A column for the place of each element in its list, from 0." })
        .optional(),
      time: z
        .string()
        .min(1)
        .meta({ description: "The field, of type time, that is a row's own time." })
        .optional(),
      max: z.int().min(1).max(elementsMax).default(elementsDefault).meta({
        description: "How many elements a list may have. A record with more goes to the dead letter.",
      }),
    })
    .refine(({ fields, as }) => (fields === undefined) !== (as === undefined), {
      message: "write either fields, where elements are maps, or as, where they are plain values",
    }),
  examples: [
    {
      title: "Devices behind a gateway",
      config: { list: "devices", fields: { id: "string", "values.temp": "float64" } },
      schema: { gateway: "string", devices: "json" },
      input: [
        { gateway: "g1", devices: [{ id: "a", values: { temp: 20 } }, { id: "b" }] },
        { gateway: "g2", devices: [] },
        { gateway: "g3", devices: "offline" },
      ],
      output: [
        { gateway: "g1", id: "a", "values.temp": 20 },
        { gateway: "g1", id: "b", "values.temp": null },
      ],
    },
    {
      title: "Readings that were gathered, each with its own time",
      config: { list: "readings", fields: { at: "time", v: "float64" }, time: "at" },
      schema: { device: "string", ts: "time", readings: "json" },
      time: "ts",
      input: [
        {
          device: "a",
          ts: 3_000,
          readings: [
            { at: 1_000, v: 1 },
            { at: 2_000, v: 2 },
          ],
        },
      ],
      output: [
        { device: "a", ts: 3_000, at: 1_000, v: 1 },
        { device: "a", ts: 3_000, at: 2_000, v: 2 },
      ],
    },
    {
      title: "Values by the names of their measuring points",
      config: { list: "values", name: "tag", as: { value: "float64" } },
      schema: { plc: "string", values: "json" },
      input: [
        { plc: "p1", values: { "oil-temp": 61.5, level: 0.4 } },
        { plc: "p2", values: [61.5] },
      ],
      output: [
        { plc: "p1", value: 61.5, tag: "oil-temp" },
        { plc: "p1", value: 0.4, tag: "level" },
      ],
    },
    {
      title: "Plain values with their places",
      config: { list: "axes", as: { g: "float64" }, position: "axis" },
      schema: { axes: "json" },
      input: [{ axes: [0.1, null, 9.8] }],
      output: [
        { g: 0.1, axis: 0 },
        { g: null, axis: 1 },
        { g: 9.8, axis: 2 },
      ],
    },
  ],
  schema: outputOf,
  create: (settings, { input, output }) => {
    const { list, name, position, time, max } = settings;
    const fields = elementFields(settings);
    const wanted = { name: list.name, isMap: name !== undefined, fields, max };
    const scalars = fields.map((each) => each.name);
    if (name !== undefined) scalars.push(name);
    if (position !== undefined) scalars.push(position);
    const sources = output.fields.map((column) =>
      scalars.includes(column.name)
        ? -1 - scalars.indexOf(column.name)
        : input.fields.findIndex((each) => each.name === column.name),
    );
    const timePlace = time === undefined ? -1 : scalars.indexOf(time);
    /** The place of a row whose own time is not there or later than the record's; -1 for none. */
    const ahead = (rows: Elements, most: number): number =>
      timePlace < 0 ? -1 : rows.findIndex((row) => !(Number(row[timePlace] ?? Number.NaN) <= most));
    const makeRows = (made: Rows, batch: Batch, record: number, rows: Elements, out: Collector): void => {
      const early = ahead(rows, batch.time[record]!);
      if (rows.length === 0) out.drop(batch, record, "filtered");
      else if (early >= 0) {
        const where = `${list.name}[${early}].${time}`;
        out.reject(batch, record, "ahead", `expected a time up to the record's own in ${where}`);
      } else
        for (const [place, row] of rows.entries())
          made.add(record, position === undefined ? row : [...row, place], place === 0);
    };
    return {
      onBatch(batch, out) {
        const made = new Rows(batch, out, sources, timePlace);
        for (let i = 0; i < batch.count; i++) {
          const record = batch.selection[i]!;
          const text = String(valueAt(batch.columns[list.index]!, record));
          const read = readElements(text, wanted);
          if ("fault" in read) out.reject(batch, record, read.reason, read.fault);
          else makeRows(made, batch, record, read.rows, out);
        }
        made.send();
      },
    };
  },
});
