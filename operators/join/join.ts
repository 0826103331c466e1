// join: pairs of records of two inputs that belong together by key and by time. Keeps the records of
// each side for as long as one of the other side may still come that joins them.

import {
  type Batch,
  type ColumnReference,
  defineOperator,
  type OperatorDefinition,
  type PartTable,
} from "weir/sdk";
import { keyCell, ownCell } from "../window/event-order.ts";
import { course } from "../window/kind.ts";
import { firstCell, Parts } from "../window/parts.ts";
import { keyRecordsMax } from "./bounds.ts";
import { InputRows, selectedOf } from "./inputs.ts";
import { joinExamples, joinRule } from "./join-reference.ts";
import { type JoinSettings, joinSettings } from "./join-settings.ts";
import { joining, type JoiningRules } from "./joining.ts";
import { longestReach, type Reach, reachOf } from "./reach.ts";
import { JoinedRows, recordGrouping, recordTable, rowSchema, type Selected } from "./rows.ts";

const left = 0;
const right = 1;

/** A record's own number: its side, and with that whether its key is null, and whether it has joined. */
const sideMask = 1;
const nullKey = 2;
const joined = 4;

class Pairs implements JoiningRules {
  readonly #table: PartTable;
  readonly #rows: JoinedRows;
  readonly #inputs: InputRows;
  readonly #reach: Reach;
  readonly #on: readonly ColumnReference[];
  /** By side, whether a record that joined nothing is sent with nulls. */
  readonly #sentAlone: readonly boolean[];
  /** Records whose time is over. */
  readonly #expired: number[] = [];
  readonly #collect = (slot: number): void => void this.#expired.push(slot);

  constructor(table: PartTable, rows: JoinedRows, inputs: InputRows, settings: JoinSettings) {
    this.#table = table;
    this.#rows = rows;
    this.#inputs = inputs;
    this.#reach = reachOf(settings);
    this.#on = settings.on;
    this.#sentAlone = [settings.kind !== "inner", settings.kind === "outer"];
  }

  number(row: number, { columns }: Batch): number {
    const side = this.#inputs.of(row);
    return this.#on.some(({ index }) => columns[index]!.valid?.[row] === 0) ? side + nullKey : side;
  }

  take(slot: number, key: number): void {
    const { cells } = this.#table;
    const time = cells[firstCell]![slot]!;
    const own = cells[ownCell]![slot]!;
    const side = own & sideMask;
    if ((own & nullKey) !== 0) this.#leave(slot, key, side, time);
    else if (this.#table.list(key, side).length >= keyRecordsMax) this.#rows.refuse(slot);
    else this.#join(slot, key, side, time);
  }

  passed(time: number): void {
    this.#table.expiring.due(time, this.#collect);
    if (this.#expired.length === 0) return;
    // What is sent alone is sent in that order; of nothing else it shows which came first.
    if (this.#expired.length > 1 && this.#sentAlone[left]!) this.#expired.sort((a, b) => this.#compare(a, b));
    for (const slot of this.#expired) {
      const key = this.#table.cells[keyCell]![slot]!;
      const side = this.#sideOf(slot);
      // Those of a side are in order of time.
      this.#table.list(key, side).shift();
      this.#leave(slot, key, side, this.#lastOf(slot, side));
    }
    this.#expired.length = 0;
  }

  forget(key: number): void {
    const lists = [this.#table.list(key, left), this.#table.list(key, right)];
    // A key that was silent for long has none.
    if (lists.every((list) => list.length === 0)) return;
    const isOfKey = (slot: number): boolean => this.#table.cells[keyCell]![slot] === key;
    this.#table.expiring.take(isOfKey, () => undefined);
    for (const [side, list] of lists.entries()) {
      for (const slot of list) this.#leave(slot, key, side, this.#lastOf(slot, side));
      list.length = 0;
    }
  }

  /** Pairs a record with all of the other side: what is still kept of it came before, and is within reach. */
  #join(slot: number, key: number, side: number, time: number): void {
    const own = this.#table.cells[ownCell]!;
    for (const other of this.#table.list(key, 1 - side)) {
      const row = this.#rows.add(key, time, time);
      this.#rows.put(row, side, slot);
      this.#rows.put(row, 1 - side, other);
      own[other]! |= joined;
      own[slot]! |= joined;
    }
    this.#table.list(key, side).push(slot);
    this.#table.expiring.add(slot, this.#reach.over(this.#reach.last(time, side)));
  }

  /** Which of two comes first: by the last moment at which one could have come that joins it, by key, left ones first. */
  #compare(a: number, b: number): number {
    const keys = this.#table.cells[keyCell]!;
    const [sideA, sideB] = [this.#sideOf(a), this.#sideOf(b)];
    return this.#lastOf(a, sideA) - this.#lastOf(b, sideB) || keys[a]! - keys[b]! || sideA - sideB;
  }

  #sideOf(slot: number): number {
    return this.#table.cells[ownCell]![slot]! & sideMask;
  }

  #lastOf(slot: number, side: number): number {
    return this.#reach.last(this.#table.cells[firstCell]![slot]!, side);
  }

  /** A record's time is over: if it has joined nothing it is sent alone, where that is asked for. */
  #leave(slot: number, key: number, side: number, instant: number): void {
    const cells = this.#table.cells;
    if (this.#sentAlone[side]! && (cells[ownCell]![slot]! & joined) === 0) {
      const row = this.#rows.add(key, cells[firstCell]![slot]!, instant);
      this.#rows.put(row, side, slot);
    }
    this.#rows.leave(slot);
  }
}

function selectedIn({ left: first, right: second, select }: JoinSettings): Selected {
  return selectedOf(select, [first, second]);
}

export const join: OperatorDefinition = defineOperator({
  name: "join",
  summary: "Pairs the records of two inputs that have the same key and are close in event time.",
  rule: joinRule,
  kind: "keyed",
  config: joinSettings,
  examples: joinExamples,
  schema: (_input, settings) => rowSchema(settings.on, selectedIn(settings)),
  state: (settings) => {
    const grouping = recordGrouping(settings.on, selectedIn(settings));
    return { records: recordTable(grouping, 2, longestReach(settings), 0), course };
  },
  create: (settings, { state }) => {
    const { records } = state;
    const selected = selectedIn(settings);
    const grouping = recordGrouping(settings.on, selected);
    const rows = new JoinedRows(records, grouping, selected, 2);
    const inputs = new InputRows([settings.inputs[settings.left]!, settings.inputs[settings.right]!]);
    return joining(
      new Parts(records, grouping),
      state.course,
      rows,
      inputs,
      new Pairs(records, rows, inputs, settings),
    );
  },
});
