// join: pairs of records of two inputs that belong together by key and by time. Keeps the records of
// each side for as long as one of the other side may still come that joins them.

import {
  type Batch,
  type ColumnReference,
  defineOperator,
  type OperatorDefinition,
  type PartTable,
} from "weir/sdk";
import { ownCell } from "../window/event-order.ts";
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

/** A record's own number: its side, and whether its key is null, until it has its turn; then whether it has joined. */
const nullKey = 2;
const alone = 0;
const joined = 1;

class Pairs implements JoiningRules {
  readonly #table: PartTable;
  readonly #rows: JoinedRows;
  readonly #inputs: InputRows;
  readonly #reach: Reach;
  readonly #on: readonly ColumnReference[];
  /** By side, whether a record that joined nothing is sent with nulls. */
  readonly #sentAlone: readonly boolean[];
  readonly #visit = (key: number, instant: number): void => this.#expire(key, instant);

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
    const side = own & 1;
    cells[ownCell]![slot] = alone;
    if (own >= nullKey) this.#leave(slot, key, side, time);
    else if (this.#table.list(key, side).length >= keyRecordsMax) this.#rows.refuse(slot);
    else this.#join(slot, key, side, time);
  }

  passed(time: number): void {
    this.#table.timers.due(time, this.#visit);
  }

  forget(key: number): void {
    this.#expire(key, Number.POSITIVE_INFINITY);
  }

  /** Pairs a record with all of the other side: what is still kept of it came before, and is within reach. */
  #join(slot: number, key: number, side: number, time: number): void {
    for (const other of this.#table.list(key, 1 - side)) {
      const row = this.#rows.add(key, time, time);
      this.#rows.put(row, side, slot);
      this.#rows.put(row, 1 - side, other);
      this.#table.cells[ownCell]![other] = joined;
      this.#table.cells[ownCell]![slot] = joined;
    }
    this.#table.list(key, side).push(slot);
    this.#wake(key, this.#reach.over(this.#reach.last(time, side)));
  }

  /** Lets go of the key's records whose time is over. Those of a side are in order of time. */
  #expire(key: number, instant: number): void {
    const times = this.#table.cells[firstCell]!;
    for (const side of [left, right]) {
      const list = this.#table.list(key, side);
      let gone = 0;
      for (; gone < list.length; gone++) {
        const last = this.#reach.last(times[list[gone]!]!, side);
        if (this.#reach.over(last) > instant) break;
        this.#leave(list[gone]!, key, side, last);
      }
      if (gone > 0) list.splice(0, gone);
      if (list.length > 0) this.#wake(key, this.#reach.over(this.#reach.last(times[list[0]!]!, side)));
    }
  }

  /** A record's time is over: if it has joined nothing it is sent alone, where that is asked for. */
  #leave(slot: number, key: number, side: number, instant: number): void {
    const cells = this.#table.cells;
    if (this.#sentAlone[side]! && cells[ownCell]![slot] === alone) {
      const row = this.#rows.add(key, cells[firstCell]![slot]!, instant);
      this.#rows.put(row, side, slot);
    }
    this.#rows.leave(slot);
  }

  /** A timer that would come too late is set anew; one that comes too early is set again then. */
  #wake(key: number, instant: number): void {
    const { timers } = this.#table;
    if (timers.at(key) > instant) timers.set(key, instant);
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
