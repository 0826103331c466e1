// count_distinct: how many different values. Exact while they are few (their hashes are kept, sorted),
// then HyperLogLog (Flajolet, Fusy, Gandouet, Meunier, 2007) with linear counting below its range:
// 4,096 registers, a standard error of 1.6 %.

import type { Aggregate, AggregateDefinition, AggregateState, ColumnType } from "weir/sdk";
import { exactMax } from "./bounds.ts";
import { hashAt } from "./hash.ts";

const registerBits = 12;
export const registers: number = 2 ** registerBits;
/** The highest that a register can be: one more than the bits of a hash that it looks at. */
export const rankMax: number = 32 - registerBits + 1;

/** Puts a hash into the registers: the high bits name one, the others' leading zeros raise it. */
function raise(sketch: Uint8Array, hash: number): void {
  const word = Math.floor(hash / 2 ** 20);
  const register = word >>> (32 - registerBits);
  const rank = Math.clz32(((word << registerBits) | (1 << (registerBits - 1))) >>> 0) + 1;
  if (rank > sketch[register]!) sketch[register] = rank;
}

/** The few hashes so far: [how many, hash, hash, …] in ascending order; becomes registers when it is full. */
function insert(list: Float64Array, hash: number): Float64Array | Uint8Array {
  const size = list[0]!;
  let low = 1;
  let high = size + 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle]! < hash) low = middle + 1;
    else high = middle;
  }
  if (low <= size && list[low] === hash) return list;
  if (size === exactMax) {
    const sketch = new Uint8Array(registers);
    for (let i = 1; i <= size; i++) raise(sketch, list[i]!);
    raise(sketch, hash);
    return sketch;
  }
  let room = list;
  if (size + 1 === list.length) {
    room = new Float64Array(Math.min(exactMax + 1, list.length * 2));
    room.set(list);
  }
  room.copyWithin(low + 1, low, size + 1);
  room[low] = hash;
  room[0] = size + 1;
  return room;
}

function include(state: AggregateState, slot: number, hash: number): void {
  const sketch = state.buffers[slot];
  if (sketch instanceof Uint8Array) raise(sketch, hash);
  else state.buffers[slot] = insert(sketch ?? new Float64Array(8), hash);
}

function estimate(sketch: Uint8Array): number {
  let sum = 0;
  let empty = 0;
  for (const rank of sketch) {
    sum += 2 ** -rank;
    if (rank === 0) empty++;
  }
  const raw = ((0.7213 / (1 + 1.079 / registers)) * registers * registers) / sum;
  return Math.round(raw <= 2.5 * registers && empty > 0 ? registers * Math.log(registers / empty) : raw);
}

/** The most bytes that either form takes. */
export const distinctBytes: number = Math.max(registers, (exactMax + 1) * 8);

/** The few hashes or the registers of each slot. `count_distinct` and `sketch_distinct` of one input share them. */
export const distinct: Pick<Aggregate, "initial" | "bytes" | "add" | "merge"> = {
  initial: [],
  bytes: distinctBytes,
  add(state, slots, rows, count, input) {
    const column = input!;
    for (let i = 0; i < count; i++) {
      const row = rows[i]!;
      if (column.valid !== null && column.valid[row] === 0) continue;
      include(state, slots[i]!, hashAt(column, row));
    }
  },
  merge(target, into, source, from) {
    const other = source.buffers[from];
    if (other !== undefined) join(target, into, other);
  },
};

/** How many different values there were; 0 for a slot without any. */
export function distinctIn(state: AggregateState, slot: number): number {
  const sketch = state.buffers[slot];
  if (sketch === undefined) return 0;
  return sketch instanceof Uint8Array ? estimate(sketch) : sketch[0]!;
}

/** What is kept of one slot, into another. */
export function join(target: AggregateState, into: number, other: Float64Array | Uint8Array): void {
  if (!(other instanceof Uint8Array)) {
    for (let i = 1; i <= other[0]!; i++) include(target, into, other[i]!);
    return;
  }
  const own = target.buffers[into];
  const sketch = other.slice();
  if (own instanceof Uint8Array) {
    for (let i = 0; i < registers; i++) sketch[i] = Math.max(sketch[i]!, own[i]!);
  } else if (own !== undefined) {
    for (let i = 1; i <= own[0]!; i++) raise(sketch, own[i]!);
  }
  target.buffers[into] = sketch;
}

/** What can be told apart. */
export const countable: readonly ColumnType[] = ["string", "float64", "int64", "bool", "time", "json"];

export const countDistinct: AggregateDefinition = {
  name: "count_distinct",
  summary: `How many different values; exact up to ${exactMax}, then with a standard error of 1.6 % (HyperLogLog).`,
  input: countable,
  parameters: [],
  output: () => "float64",
  create: () => ({
    ...distinct,
    finish(state, slots, count, out) {
      for (let i = 0; i < count; i++) out.values[i] = distinctIn(state, slots[i]!);
    },
  }),
};
