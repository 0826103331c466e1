// State lives only in declared tables, so that the engine can bound, snapshot, restore and expire it.
// This file declares what an operator may ask for; the tables themselves belong to the engine.

import type { Batch } from "./batch.ts";
import type { Aggregate, AggregateState, ColumnReference, WritableColumn } from "./expression.ts";

/** Returned in place of a key's id when the table is full. */
export const noKey = 0xffffffff;

/**
 * Gives each distinct key a dense id, 0, 1, 2, … Null is a key of its own. The id is the key's until it is
 * forgotten; then another may get it. Tables of one step with the same key columns share their keys.
 */
export interface KeyTable {
  /** One more than the highest id given. */
  readonly size: number;
  /** Writes the id of the i-th selected row to `ids[i]`, or `noKey` where the table is full. */
  identify(batch: Batch, ids: Uint32Array): void;
  /** Writes part `part` of the keys `ids[0 … count - 1]` to rows 0 … of `out`. */
  write(part: number, ids: Uint32Array, count: number, out: WritableColumn): void;
}

/** The slots of one window, by key. */
export interface Pane {
  readonly start: number;
  /** The key's slot in this pane, opened when it has none yet. */
  slot(key: number): number;
  /** The same for many: writes the slot of `keys[from + i]` to `slots[at + i]`, for i below `to - from`. */
  slots(keys: Uint32Array, from: number, to: number, slots: Uint32Array, at: number): void;
}

/** What a closing pane held, in the order in which its keys were first seen. */
export interface ClosedPane {
  readonly start: number;
  readonly count: number;
  readonly keys: Uint32Array;
  readonly slots: Uint32Array;
}

/** One slot per open (window, key), with the state of each declared aggregate. */
export interface PaneTable {
  readonly keys: KeyTable;
  /** In the order in which the aggregates were declared. Read `cells` again after opening slots: they may have grown. */
  readonly states: readonly AggregateState[];
  /** One array for each declared number, indexed by slot. Read again after opening slots. */
  readonly cells: readonly Float64Array[];
  /** Input records in open slots. */
  readonly held: number;
  /** Infinity: when a pane closes is for the operator to say. */
  readonly due: number;
  /** The pane that starts at `start` (ms), opened when absent; null when too many are open. */
  pane(start: number): Pane | null;
  /** Counts the input records of `rows[i]` into `slots[i]` for i below `count`, so that the ledger knows that they are held. */
  hold(slots: Uint32Array, rows: Uint32Array, count: number, batch: Batch): void;
  /** Counts `weight` input records into one slot, as when what another slot holds is merged into it. */
  carry(slot: number, weight: number): void;
  /** The number of input records that a slot stands for. */
  weight(slot: number): number;
  /** The slot's records are held no more, for they were sent; returns how many there were. */
  release(slot: number): number;
  /** Where the oldest open pane starts, ms; Infinity when none is open. */
  readonly oldest: number;
  /** The slot of a key in the pane that starts at `start`; -1 when it has none. Opens none. */
  find(start: number, key: number): number;
  /** What the pane that starts at `start` holds so far; null when it is not open. Opens none. */
  at(start: number): ClosedPane | null;
  /** Visits and then frees every pane that starts at or before `start`, oldest first. */
  close(start: number, visit: (pane: ClosedPane) => void): void;
}

/**
 * The most that a table holds when a call has returned, so that `weir lint` can tell what it may take;
 * without it only the keys and their numbers are counted. `lateness`: how late a record may come, ms.
 */
export interface Extent {
  /** Panes, parts or kept records of each key at a time. */
  perKey?(lateness: number): number;
  /** How long each record has a part, or is kept, by itself, ms. */
  within?(lateness: number): number;
  /** Whose keys the slots are of, where they are those of another table. */
  readonly keysOf?: readonly ColumnReference[];
  /** Where there is room for fewer records than for keys, or than the rate makes. */
  readonly room?: Room;
}

/**
 * Where an operator has room for so many records and leaves the others out as `overflow`, however much memory there
 * is: `weir lint` compares it with the rate that is expected.
 */
export interface Room {
  /** How long each record is kept, or what tells that it came, ms. `lateness`: how late a record may come, ms. */
  within(lateness: number): number;
  /** How many have room if all are of one key. `keys`: how many keys the step may remember. */
  ofOne(keys: number): number;
  /** How many have room if they are spread over the keys as well as can be. */
  ofAll(keys: number): number;
  /** What to write, so that there is room for so many of one key. */
  cure(records: number): string;
}

/** A declaration: per key and window, the state of some aggregates. */
export interface PaneDeclaration {
  readonly kind: "panes";
  readonly by: readonly ColumnReference[];
  readonly aggregates: readonly Aggregate[];
  /** By number of a slot, what it is before it is first written. */
  readonly initial: readonly number[];
  /** True where they keep no key from being forgotten, as those of windows that were sent: what they hold of it goes with it. */
  readonly yields?: boolean;
  readonly extent?: Extent | undefined;
}

/** One timer a key, in event time. Setting it again replaces it. */
export interface KeyTimers {
  /** When the first timer is due, ms; Infinity when none is set. */
  readonly next: number;
  set(key: number, time: number): void;
  clear(key: number): void;
  /** The time that a key's timer is set to, ms; Infinity when it is not set. */
  at(key: number): number;
  /** Visits and clears, earliest first and then by key, every timer set to `until` or before. A visit may set timers; those due are visited as well. */
  due(until: number, visit: (key: number, time: number) => void): void;
}

/** Whole records that are remembered, with what they held when they came. Until they are sent or let go they count as held. */
export interface RecordStore {
  /** Remembers a selected row of the operator's input; returns the slot it is kept in. */
  keep(batch: Batch, row: number): number;
  /** The same for many: writes the slot of `rows[i]` to `slots[i]`, for i below `count`. Rows that follow each other are kept sooner. */
  keepAll(batch: Batch, rows: Uint32Array, count: number, slots: Uint32Array): void;
  /** Time and weight of a kept record. */
  time(slot: number): number;
  weight(slot: number): number;
  /** The value of a number or time column of a kept record; NaN when it is null. */
  number(slot: number, column: ColumnReference): number;
}

/** What is remembered for each key: numbers, a timer, and records in a store that keys share. */
export interface KeyedTable {
  readonly keys: KeyTable;
  /** Input records in `records`. */
  readonly held: number;
  /** The earliest timer, ms; Infinity when none is set. */
  readonly due: number;
  /** Makes room for every key met so far. Call after `keys.identify` and before reading `cells`. */
  reserve(): void;
  /**
   * One array for each declared number, indexed by key. Where they are declared `together`, a single array, in which
   * the first number of a key is at `key * n` of n declared ones. Read again after `reserve`: they may have grown.
   */
  readonly cells: readonly Float64Array[];
  readonly timers: KeyTimers;
  readonly records: RecordStore;
  /** Forgets every key with its numbers and timer, so that ids begin anew. Of lasting tables only. No record may be kept. */
  clear(): void;
}

/** A declaration: what is remembered for each key. */
export interface KeyedDeclaration {
  readonly kind: "keyed";
  readonly by: readonly ColumnReference[];
  /** By number, what it is before it is first written. */
  readonly initial: readonly number[];
  /** True when the engine forgets no key of it: the operator does so by itself, with `clear`. */
  readonly lasting: boolean;
  /** True when the numbers of a key are beside each other, as suits many that are read at once. */
  readonly together?: boolean;
  /** What the numbers are called, in their order: state that was kept under other names is not gone on with. */
  readonly names?: readonly string[];
  readonly extent?: Extent | undefined;
}

/** Slots in order of time; of equal times, in the order in which they were added. */
export interface TimedSlots {
  readonly size: number;
  /** The earliest time that a slot waits for, ms; Infinity when none does. */
  readonly next: number;
  add(slot: number, time: number): void;
  /**
   * Takes out, in order, slots whose time is `until` or before, as many as there is room for in `slots`; returns how
   * many were written to it.
   */
  due(until: number, slots: Uint32Array): number;
  /** Visits and takes out, in order, every slot that is wanted; the others wait on. */
  take(isWanted: (slot: number) => boolean, visit: (slot: number) => void): void;
}

/**
 * Partial aggregates, each in a slot of its own, for what begins and ends with the records of a key: the
 * operator opens, orders, merges and frees the slots, and the table knows how many records they hold.
 */
export interface PartTable {
  readonly keys: KeyTable;
  /** In the order in which the aggregates were declared. Read `cells` again after opening slots: they may have grown. */
  readonly states: readonly AggregateState[];
  /** One array for each declared number, indexed by slot. Read again after opening slots. */
  readonly cells: readonly Float64Array[];
  /** Input records in slots. */
  readonly held: number;
  /** The earliest timer or waiting slot, ms; Infinity when there is none. */
  readonly due: number;
  /** How many slots there may be beyond those that are open. */
  readonly room: number;
  /** A new slot, in no list. */
  open(): number;
  /** As many new slots, which are written to `slots`. */
  openAll(count: number, slots: Uint32Array): void;
  /** Gives a slot back; the records that it still holds are held no more. */
  free(slot: number): void;
  /** Counts `weight` input records into a slot. */
  hold(slot: number, weight: number): void;
  /** Counts the input records of `rows[i]` into `slots[i]` for i below `count`. */
  holdAll(slots: Uint32Array, rows: Uint32Array, count: number, batch: Batch): void;
  /** The number of input records that a slot holds. */
  weight(slot: number): number;
  /** The slot's records are held no more, for they were sent; returns how many there were. */
  release(slot: number): number;
  /**
   * One of the declared lists of a key: slots in the order that the operator gives them. Asked for anew in each call: the
   * table takes it for changed from then on.
   */
  list(key: number, place: number): number[];
  /** Slots that wait for event time to reach them. */
  readonly waiting: TimedSlots;
  /** Others that event time is to pass, apart from those: each queue is cheap where slots come in order of their times. */
  readonly expiring: TimedSlots;
  readonly timers: KeyTimers;
}

/** A declaration: partial aggregates with some numbers each, in lists that every key has. */
export interface PartDeclaration {
  readonly kind: "parts";
  readonly by: readonly ColumnReference[];
  readonly aggregates: readonly Aggregate[];
  /** By number of a slot, what it is before it is first written. */
  readonly initial: readonly number[];
  /** How many lists each key has. */
  readonly lists: number;
  readonly extent?: Extent | undefined;
}

/** Numbers that belong to the step as a whole: how far it has come, say. */
export interface ValueTable {
  readonly values: Float64Array;
  /** Always 0: numbers stand for no input record. */
  readonly held: number;
  /** Always Infinity. */
  readonly due: number;
}

/** A declaration: numbers of the step as a whole. */
export interface ValueDeclaration {
  readonly kind: "values";
  /** By number, what it is before it is first written. */
  readonly initial: readonly number[];
}

export type TableDeclaration = PaneDeclaration | KeyedDeclaration | PartDeclaration | ValueDeclaration;
export type TableDeclarations = Readonly<Record<string, TableDeclaration>>;

interface TableOf {
  readonly panes: PaneTable;
  readonly keyed: KeyedTable;
  readonly parts: PartTable;
  readonly values: ValueTable;
}

/** The tables that the engine made of the declarations. */
export type Tables<D extends TableDeclarations> = { readonly [N in keyof D]: TableOf[D[N]["kind"]] };

export const table = {
  /** `initial`: by number, what it is before it is first written. */
  values(initial: readonly number[]): ValueDeclaration {
    return { kind: "values", initial };
  },
  /** `initial`: by number of a slot, what it is before it is first written. `yields`: they keep no key. */
  panes(
    by: readonly ColumnReference[],
    aggregates: readonly Aggregate[],
    initial: readonly number[] = [],
    extent?: Extent & { readonly yields?: boolean },
  ): PaneDeclaration {
    return { kind: "panes", by, aggregates, initial, yields: extent?.yields === true, extent };
  },
  /**
   * `initial`: by number, what it is before it is first written. `lasting`: the engine forgets no key of it.
   * `together`: the numbers of a key are beside each other, in one array. `names`: what they are called, so that a version of the
   * operator in which one has another place or meaning does not go on with what the one before kept.
   */
  keyed(
    by: readonly ColumnReference[],
    initial: readonly number[],
    {
      lasting = false,
      together = false,
      names,
      ...extent
    }: Extent & {
      readonly lasting?: boolean;
      readonly together?: boolean;
      readonly names?: readonly string[];
    } = {},
  ): KeyedDeclaration {
    const declared = { kind: "keyed", by, initial, lasting, together, extent } as const;
    return names === undefined ? declared : { ...declared, names };
  },
  /** `initial`: by number of a slot, what it is before it is first written. `lists`: how many each key has. */
  parts(
    by: readonly ColumnReference[],
    aggregates: readonly Aggregate[],
    initial: readonly number[],
    lists: number,
    extent?: Extent,
  ): PartDeclaration {
    return { kind: "parts", by, aggregates, initial, lists, extent };
  },
} as const;
