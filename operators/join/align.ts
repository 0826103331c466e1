// align: side by side what each input of a key said last. Keeps one record of each key and input, for as
// long as it is not too old.

import {
  type ColumnReference,
  defineOperator,
  field,
  type KeyedTable,
  type OperatorDefinition,
  type PartTable,
  table,
  z,
} from "weir/sdk";
import { keyCell, ownCell } from "../window/event-order.ts";
import { justAfter } from "../window/just-after.ts";
import { course } from "../window/kind.ts";
import { firstCell, Parts } from "../window/parts.ts";
import { alignExamples, alignRule } from "./align-reference.ts";
import { InputRows, type Inputs, inputsSetting, type Members, membersSetting, selectedOf } from "./inputs.ts";
import { joining, type JoiningRules } from "./joining.ts";
import { JoinedRows, recordGrouping, recordTable, rowSchema, type Selected } from "./rows.ts";

interface AlignSettings {
  readonly by?: readonly ColumnReference[] | undefined;
  readonly inputs: Inputs;
  readonly select: Members;
  readonly age: number | Readonly<Record<string, number>>;
  readonly emit: "each" | "complete";
  readonly every?: number | undefined;
}

/** A record's own number: its input until it has its turn; then, with `every`, whether a row of its key has been due since. */
const shown = 0;
const fresh = 1;

/** In place of a record: there is none of the input. */
const none = -1;

class Latest implements JoiningRules {
  readonly #table: PartTable;
  /** Of each key, the latest record of each input. */
  readonly #latest: KeyedTable;
  readonly #rows: JoinedRows;
  readonly #inputs: InputRows;
  /** By input, how old its record may be, ms. */
  readonly #ages: readonly number[];
  readonly #complete: boolean;
  readonly #every: number | null;
  /** No timer of the table comes before this. */
  #due = Number.NEGATIVE_INFINITY;
  readonly #visit = (key: number, instant: number): void => this.#at(key, instant);

  constructor(
    table: PartTable,
    latest: KeyedTable,
    rows: JoinedRows,
    inputs: InputRows,
    settings: AlignSettings,
  ) {
    this.#table = table;
    this.#latest = latest;
    this.#rows = rows;
    this.#inputs = inputs;
    this.#ages = agesOf(settings);
    this.#complete = settings.emit === "complete";
    this.#every = settings.every ?? null;
  }

  begin(): void {
    this.#latest.reserve();
  }

  number(numbers: Float64Array, slots: Uint32Array, rows: Uint32Array, count: number): void {
    for (let i = 0; i < count; i++) numbers[slots[i]!] = this.#inputs.of(rows[i]!);
  }

  take(slots: Uint32Array, count: number, passes: boolean): void {
    const { cells } = this.#table;
    const [times, keys, own] = [cells[firstCell]!, cells[keyCell]!, cells[ownCell]!];
    const latest = this.#latest.cells[0]!;
    const ages = this.#ages;
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      const time = times[slot]!;
      const key = keys[slot]! | 0;
      const input = own[slot]! | 0;
      if (passes && this.#due <= time) this.passed(time);
      const place = key * ages.length + input;
      const before = latest[place]! | 0;
      if (before !== none) this.#rows.leave(before);
      latest[place] = slot;
      this.#wakeAfter(key, time + ages[input]!);
      if (this.#every === null) this.#send(key, time);
      else {
        own[slot] = fresh;
        this.#wakeAfter(key, this.#stepOf(time));
      }
    }
  }

  passed(time: number): void {
    const { timers } = this.#table;
    timers.due(time, this.#visit);
    this.#due = timers.next;
  }

  forget(key: number): void {
    this.#at(key, Number.POSITIVE_INFINITY);
  }

  /** The moment of the row that shows a record of `time`. */
  #stepOf(time: number): number {
    const every = this.#every!;
    // What rounds up to the epoch from before it is 0 and not -0.
    return Math.ceil(time / every) * every + 0;
  }

  /** A timer of the key has come: its row is due, or records have become too old, or it was too early. */
  #at(key: number, instant: number): void {
    const times = this.#table.cells[firstCell]!;
    const latest = this.#latest.cells[0]!;
    if (this.#every !== null) this.#step(key, instant);
    const inputs = this.#ages.length;
    for (let input = 0, place = key * inputs; input < inputs; input++, place++) {
      const slot = latest[place]!;
      if (slot === none) continue;
      const last = times[slot]! + this.#ages[input]!;
      if (last >= instant) this.#wakeAfter(key, last);
      else {
        latest[place] = none;
        this.#rows.leave(slot);
      }
    }
  }

  /** Sends the key's row if there is something fresh to show, and its moment is over. */
  #step(key: number, instant: number): void {
    const { cells } = this.#table;
    const latest = this.#latest.cells[0]!;
    const inputs = this.#ages.length;
    let newest = Number.NEGATIVE_INFINITY;
    for (let place = key * inputs; place < (key + 1) * inputs; place++) {
      const slot = latest[place]!;
      if (slot !== none && cells[ownCell]![slot] === fresh)
        newest = Math.max(newest, cells[firstCell]![slot]!);
    }
    if (newest === Number.NEGATIVE_INFINITY) return;
    const step = this.#stepOf(newest);
    if (step >= instant) this.#wakeAfter(key, step);
    else this.#send(key, step);
  }

  /** Sends the key's row, unless it has to be complete and is not. Records that are too old have gone by now. */
  #send(key: number, time: number): void {
    const inputs = this.#ages.length;
    const latest = this.#latest.cells[0]!;
    const first = key * inputs;
    let missing = 0;
    let some = none;
    for (let place = first; place < first + inputs; place++) {
      const slot = latest[place]! | 0;
      if (slot === none) missing++;
      else some = slot;
    }
    if (this.#every !== null) this.#markShown(first);
    if (this.#complete && missing > 0) return;
    const row = this.#rows.add(key, time, time);
    for (let input = 0; input < inputs; input++) {
      const slot = latest[first + input]! | 0;
      if (slot === none) this.#rows.miss(row, input, some);
      else this.#rows.put(row, input, slot);
    }
  }

  #markShown(first: number): void {
    const latest = this.#latest.cells[0]!;
    const own = this.#table.cells[ownCell]!;
    for (let place = first; place < first + this.#ages.length; place++)
      if (latest[place] !== none) own[latest[place]!] = shown;
  }

  /** A timer that would come later than just after `moment` is set anew; one that comes too early is set again then. */
  #wakeAfter(key: number, moment: number): void {
    const { timers } = this.#table;
    if (timers.at(key) <= moment) return;
    const instant = justAfter(moment);
    timers.set(key, instant);
    if (instant < this.#due) this.#due = instant;
  }
}

function agesOf({ inputs, age }: AlignSettings): readonly number[] {
  return Object.keys(inputs).map((name) => (typeof age === "number" ? age : age[name]!));
}

function selectedIn({ inputs, select }: AlignSettings): Selected {
  return selectedOf(select, Object.keys(inputs));
}

const lengthOfTime = (doc: string): ReturnType<typeof field.duration> =>
  field
    .duration(doc)
    .refine((ms) => Number.isInteger(ms) && ms >= 1, "expected whole milliseconds, at least one");

const age = field.duration(
  "How old a record may be and still be shown; with 0s only those of the same time are.",
);

export const align: OperatorDefinition = defineOperator({
  name: "align",
  summary: "Puts side by side what each input of a key said last, unless it is too old.",
  rule: alignRule,
  kind: "keyed",
  config: z
    .strictObject({
      by: field.keys("The key. Without it, all records are of one key.").optional(),
      inputs: inputsSetting,
      select: membersSetting,
      age: z.union([age, z.record(z.string(), age)]).meta({
        description:
          "How old a record may be and still be shown, in event time: for all inputs, or for each by its name.",
      }),
      emit: z
        .enum(["each", "complete"])
        .default("each")
        .meta({ description: "With `complete`, only rows in which every input has a record." }),
      every: lengthOfTime(
        "Sends rows at the multiples of this only, instead of one for each record.",
      ).optional(),
    })
    .superRefine(({ inputs, age: ages }, context) => {
      if (typeof ages === "number") return;
      const fault = (message: string): void => context.addIssue({ code: "custom", path: ["age"], message });
      for (const name of Object.keys(inputs))
        if (!Object.hasOwn(ages, name)) fault(`age says nothing about ${name}: give every input one`);
      for (const name of Object.keys(ages))
        if (!Object.hasOwn(inputs, name)) fault(`there is no input ${name} whose age this could be`);
    }),
  examples: alignExamples,
  schema: (_input, settings) => rowSchema(settings.by ?? [], selectedIn(settings)),
  state: (settings) => {
    const grouping = recordGrouping(settings.by ?? [], selectedIn(settings));
    // The newest record of each input waits for the others, however long.
    const inputs = Object.keys(settings.inputs).length;
    const latest = table.keyed(
      settings.by ?? [],
      Array.from({ length: inputs }, () => none),
      {
        together: true,
      },
    );
    return { records: recordTable(grouping, [], 0, inputs), latest, course };
  },
  create: (settings, { state }) => {
    const { records, latest } = state;
    const selected = selectedIn(settings);
    const grouping = recordGrouping(settings.by ?? [], selected);
    const conditions = Object.values(settings.inputs);
    const rows = new JoinedRows(records, grouping, selected, conditions.length);
    const inputs = new InputRows(conditions);
    return joining(
      new Parts(records, grouping),
      state.course,
      rows,
      inputs,
      new Latest(records, latest, rows, inputs, settings),
    );
  },
});
