// join: pairs of records of two inputs that belong together by key and by time. Keeps the records of
// each side for as long as one of the other side may still come that joins them.

import {
  type Batch,
  type ColumnReference,
  defineOperator,
  type KeyedTable,
  type OperatorDefinition,
  type PartTable,
  type Room,
  table,
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
/** The record of its key and side that came next; `none` for the last. */
const nextCell = ownCell + 1;
const none = -1;

/** Of each key, for either side: the first record that is kept, the last, and how many are. */
const keptCells: readonly number[] = [none, none, 0, none, none, 0];
const keptOfSide = 3;
const last = 1;
const keptCount = 2;

class Pairs implements JoiningRules {
  readonly #table: PartTable;
  readonly #kept: KeyedTable;
  readonly #rows: JoinedRows;
  readonly #inputs: InputRows;
  readonly #reach: Reach;
  readonly #on: readonly ColumnReference[];
  readonly #max: number;
  /** By key column of the present batch that has nulls, which rows are none. */
  #valid: readonly Uint8Array[] = [];
  /** By side, whether a record that joined nothing is sent with nulls. */
  readonly #sentAlone: readonly boolean[];
  /** Records whose time is over. */
  #expired = new Uint32Array(64);

  constructor(
    table: PartTable,
    kept: KeyedTable,
    rows: JoinedRows,
    inputs: InputRows,
    settings: JoinSettings,
  ) {
    this.#table = table;
    this.#kept = kept;
    this.#rows = rows;
    this.#inputs = inputs;
    this.#reach = reachOf(settings);
    this.#on = settings.on;
    this.#max = settings.max;
    this.#sentAlone = [settings.kind !== "inner", settings.kind === "outer"];
  }

  begin({ columns }: Batch): void {
    this.#kept.reserve();
    this.#valid = this.#on.map(({ index }) => columns[index]!.valid).filter((valid) => valid !== null);
  }

  number(numbers: Float64Array, slots: Uint32Array, rows: Uint32Array, count: number): void {
    for (let i = 0; i < count; i++) numbers[slots[i]!] = this.#inputs.of(rows[i]!);
    for (const valid of this.#valid)
      for (let i = 0; i < count; i++)
        if (valid[rows[i]!] === 0) numbers[slots[i]!] = (numbers[slots[i]!]! & sideMask) + nullKey;
  }

  take(slots: Uint32Array, count: number, passes: boolean): void {
    const { cells, expiring } = this.#table;
    const [times, keys, owns] = [cells[firstCell]!, cells[keyCell]!, cells[ownCell]!];
    const kept = this.#kept.cells[0]!;
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      const time = times[slot]!;
      const key = keys[slot]! | 0;
      const own = owns[slot]! | 0;
      const side = own & sideMask;
      if (passes && expiring.next <= time) this.passed(time);
      if ((own & nullKey) !== 0) this.#leave(slot, key, side, time);
      else if (kept[placeOf(key, side) + keptCount]! >= this.#max) this.#rows.refuse(slot);
      else this.#join(slot, key, side, time);
    }
  }

  passed(time: number): void {
    const count = this.#takeExpired(time);
    if (count > 1 && this.#sentAlone[left]!) this.#sortExpired(count);
    const keys = this.#table.cells[keyCell]!;
    for (let i = 0; i < count; i++) {
      const slot = this.#expired[i]!;
      this.#leaveFirst(keys[slot]! | 0, this.#sideOf(slot));
    }
  }

  /** Writes all whose time is over to `#expired`; returns how many. */
  #takeExpired(time: number): number {
    const { expiring } = this.#table;
    let count = expiring.due(time, this.#expired);
    while (count === this.#expired.length) {
      const before = this.#expired;
      this.#expired = new Uint32Array(count * 2);
      this.#expired.set(before);
      count += expiring.due(time, this.#expired.subarray(count));
    }
    return count;
  }

  forget(key: number): void {
    const kept = this.#kept.cells[0]!;
    // A key that was silent for long has none.
    if (kept[placeOf(key, left)] === none && kept[placeOf(key, right)] === none) return;
    const isOfKey = (slot: number): boolean => this.#table.cells[keyCell]![slot] === key;
    this.#table.expiring.take(isOfKey, () => undefined);
    for (const side of [left, right]) while (kept[placeOf(key, side)] !== none) this.#leaveFirst(key, side);
  }

  /** Pairs a record with all of the other side: what is still kept of it came before, and is within reach. */
  #join(slot: number, key: number, side: number, time: number): void {
    const { cells } = this.#table;
    const kept = this.#kept.cells[0]!;
    const [own, next] = [cells[ownCell]!, cells[nextCell]!];
    for (let other = kept[placeOf(key, 1 - side)]! | 0; other !== none; other = next[other]! | 0) {
      const row = this.#rows.add(key, time, time);
      this.#rows.put(row, side, slot);
      this.#rows.put(row, 1 - side, other);
      own[other]! |= joined;
      own[slot]! |= joined;
    }
    const place = placeOf(key, side);
    if (kept[place] === none) kept[place] = slot;
    else next[kept[place + last]!] = slot;
    kept[place + last] = slot;
    kept[place + keptCount]!++;
    this.#table.expiring.add(slot, this.#reach.over(this.#reach.last(time, side)));
  }

  /** What is sent alone is sent by the last moment at which one could have come that joins it, by key, left ones first. */
  #sortExpired(count: number): void {
    const keys = this.#table.cells[keyCell]!;
    this.#expired.subarray(0, count).sort((a, b) => {
      const [sideA, sideB] = [this.#sideOf(a), this.#sideOf(b)];
      return this.#lastOf(a, sideA) - this.#lastOf(b, sideB) || keys[a]! - keys[b]! || sideA - sideB;
    });
  }

  #sideOf(slot: number): number {
    return this.#table.cells[ownCell]![slot]! & sideMask;
  }

  #lastOf(slot: number, side: number): number {
    return this.#reach.last(this.#table.cells[firstCell]![slot]!, side);
  }

  /** Lets go of the first record of a key and side, which is the one whose time is over first. */
  #leaveFirst(key: number, side: number): void {
    const kept = this.#kept.cells[0]!;
    const place = placeOf(key, side);
    const slot = kept[place]! | 0;
    kept[place] = this.#table.cells[nextCell]![slot]!;
    kept[place + keptCount]!--;
    this.#leave(slot, key, side, this.#lastOf(slot, side));
  }

  /** A record's time is over: if it has joined nothing it is sent alone, where that is asked for. */
  #leave(slot: number, key: number, side: number, instant: number): void {
    const { cells } = this.#table;
    if (this.#sentAlone[side]! && (cells[ownCell]![slot]! & joined) === 0) {
      const row = this.#rows.add(key, cells[firstCell]![slot]!, instant);
      this.#rows.put(row, side, slot);
      this.#rows.miss(row, 1 - side, slot);
    }
    this.#rows.leave(slot);
  }
}

function placeOf(key: number, side: number): number {
  return key * keptCells.length + side * keptOfSide;
}

/** Records of the two sides have places of their own: the side on which they are kept for longer is full first. */
function roomOf(settings: JoinSettings): Room {
  const { within: limits, max } = settings;
  const isOneSided = limits !== undefined && Math.min(limits.before, limits.after) === 0;
  return {
    within: () => longestReach(settings),
    ofOne: () => max,
    // Where one side keeps nothing for long, all records might be of it.
    ofAll: (keys) => (isOneSided ? Number.POSITIVE_INFINITY : 2 * max * keys),
    cure: (records) =>
      records > keyRecordsMax
        ? "let it join only what is closer in time, or put records together by a window before it"
        : `write max: ${records} in join, or let it join only what is closer in time`,
  };
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
    const records = recordTable(grouping, [none], longestReach(settings), 0);
    return {
      records,
      kept: table.keyed(settings.on, keptCells, { together: true, room: roomOf(settings) }),
      course,
    };
  },
  create: (settings, { state }) => {
    const { records, kept } = state;
    const selected = selectedIn(settings);
    const grouping = recordGrouping(settings.on, selected);
    const rows = new JoinedRows(records, grouping, selected, 2);
    const inputs = new InputRows([settings.inputs[settings.left]!, settings.inputs[settings.right]!]);
    return joining(
      new Parts(records, grouping),
      state.course,
      rows,
      inputs,
      new Pairs(records, kept, rows, inputs, settings),
    );
  },
});
