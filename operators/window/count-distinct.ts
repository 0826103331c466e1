// count_distinct: how many different values. Exact while they are few (their hashes are kept, sorted),
// then HyperLogLog (Flajolet, Fusy, Gandouet, Meunier, 2007) with linear counting below its range:
// 4,096 registers, a standard error of 1.6 %.

import type { AggregateDefinition, AggregateState, Column, Dictionary } from "weir/sdk";

const registerBits = 12;
const registers = 2 ** registerBits;
/** Distinct values that are counted exactly. */
export const exactMax = 256;

const bits = new Float64Array(1);
const words = new Uint32Array(bits.buffer);

/** 32 bits of a 64-bit input, well mixed (the finaliser of MurmurHash3 by Austin Appleby, public domain). */
function mix(low: number, high: number): number {
  let hash = Math.imul(low ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(high, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** 52 bits, as an integer in a double: 32 that are counted by and 20 that tell values apart. */
function joined(low: number, high: number): number {
  return mix(low, high) * 2 ** 20 + (mix(high ^ 0x5bd1e995, low) >>> 12);
}

function hashNumber(value: number): number {
  bits[0] = value === 0 ? 0 : value;
  return joined(words[0]!, words[1]!);
}

function hashText(text: string): number {
  let low = 0x811c9dc5;
  let high = 0x1b873593;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x5bd1e995) ^ (high >>> 15);
  }
  return joined(low, high);
}

const hashesOf = new WeakMap<Dictionary, number[]>();

function hashAt(column: Column, row: number): number {
  if (column.type === "int64") return hashText(column.values[row]!.toString());
  if (column.type !== "string" && column.type !== "json") return hashNumber(column.values[row]!);
  let hashes = hashesOf.get(column.dictionary);
  if (hashes === undefined) {
    hashes = [];
    hashesOf.set(column.dictionary, hashes);
  }
  const code = column.values[row]!;
  hashes[code] ??= hashText(column.dictionary.text(code));
  return hashes[code];
}

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

export const countDistinct: AggregateDefinition = {
  name: "count_distinct",
  summary: `How many different values; exact up to ${exactMax}, then within about 1.6 % (HyperLogLog).`,
  input: ["string", "float64", "int64", "bool", "time", "json"],
  parameters: [],
  output: () => "float64",
  create: () => ({
    initial: [],
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
      if (other === undefined) return;
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
    },
    finish(state, slots, count, out) {
      for (let i = 0; i < count; i++) {
        const sketch = state.buffers[slots[i]!];
        out.values[i] =
          sketch === undefined ? 0 : sketch instanceof Uint8Array ? estimate(sketch) : sketch[0]!;
      }
    },
  }),
};
