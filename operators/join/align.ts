// align: side by side what each input of a key said last. Keeps one record of each key and input, for as
// long as it is not too old.

import {
  type ColumnReference,
  defineOperator,
  field,
  type OperatorDefinition,
  type PartTable,
  z,
} from "weir/sdk";
import { ownCell } from "../window/event-order.ts";
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

/** A record's own number: its input until it has its turn; then whether a row of its key has been due since. */
const shown = 0;
const fresh = 1;

class Latest implements JoiningRules {
  readonly #table: PartTable;
  readonly #rows: JoinedRows;
  readonly #inputs: InputRows;
  /** By input, how old its record may be, ms. */
  readonly #ages: readonly number[];
  readonly #complete: boolean;
  readonly #every: number | null;
  readonly #visit = (key: number, instant: number): void => this.#at(key, instant);

  constructor(table: PartTable, rows: JoinedRows, inputs: InputRows, settings: AlignSettings) {
    this.#table = table;
    this.#rows = rows;
    this.#inputs = inputs;
    this.#ages = agesOf(settings);
    this.#complete = settings.emit === "complete";
    this.#every = settings.every ?? null;
  }

  number(row: number): number {
    return this.#inputs.of(row);
  }

  take(slot: number, key: number): void {
    const { cells } = this.#table;
    const time = cells[firstCell]![slot]!;
    const input = cells[ownCell]![slot]!;
    const list = this.#table.list(key, input);
    if (list.length > 0) this.#rows.leave(list.pop()!);
    list.push(slot);
    cells[ownCell]![slot] = fresh;
    this.#wake(key, justAfter(time + this.#ages[input]!));
    if (this.#every === null) this.#send(key, time);
    else this.#wake(key, justAfter(this.#stepOf(time)));
  }

  passed(time: number): void {
    this.#table.timers.due(time, this.#visit);
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
    if (this.#every !== null) this.#step(key, instant);
    for (let input = 0; input < this.#ages.length; input++) {
      const list = this.#table.list(key, input);
      if (list.length === 0) continue;
      const over = justAfter(times[list[0]!]! + this.#ages[input]!);
      if (over <= instant) this.#rows.leave(list.pop()!);
      else this.#wake(key, over);
    }
  }

  /** Sends the key's row if there is something fresh to show, and its moment is over. */
  #step(key: number, instant: number): void {
    const { cells } = this.#table;
    let newest = Number.NEGATIVE_INFINITY;
    for (let input = 0; input < this.#ages.length; input++) {
      const slot = this.#table.list(key, input)[0];
      if (slot !== undefined && cells[ownCell]![slot] === fresh)
        newest = Math.max(newest, cells[firstCell]![slot]!);
    }
    if (newest === Number.NEGATIVE_INFINITY) return;
    const step = this.#stepOf(newest);
    if (justAfter(step) > instant) this.#wake(key, justAfter(step));
    else this.#send(key, step);
  }

  /** Sends the key's row, unless it has to be complete and is not. Records that are too old have gone by now. */
  #send(key: number, time: number): void {
    const inputs = this.#ages.length;
    let missing = 0;
    for (let input = 0; input < inputs; input++) {
      const slot = this.#table.list(key, input)[0];
      if (slot === undefined) missing++;
      else this.#table.cells[ownCell]![slot] = shown;
    }
    if (this.#complete && missing > 0) return;
    const row = this.#rows.add(key, time, time);
    for (let input = 0; input < inputs; input++) {
      const slot = this.#table.list(key, input)[0];
      if (slot !== undefined) this.#rows.put(row, input, slot);
    }
  }

  /** A timer that would come too late is set anew; one that comes too early is set again then. */
  #wake(key: number, instant: number): void {
    const { timers } = this.#table;
    if (timers.at(key) > instant) timers.set(key, instant);
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

const age = field.duration("How old a record may be and still be shown.");

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
    return { records: recordTable(grouping, inputs, 0, inputs), course };
  },
  create: (settings, { state }) => {
    const { records } = state;
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
      new Latest(records, rows, inputs, settings),
    );
  },
});
