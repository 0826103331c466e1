// The functions over the bits of whole numbers of the function table: status words and registers of machines hold a
// condition in each bit. An int64 is its 64 bits, two's complement; a float64 has to be a whole number, within 2^53 either
// way, and is taken as one. Names are those of CEL's math extension, which has no bitSigned and no bitFloat. Meaning only.

import type { FunctionEntry, Overload } from "./overload.ts";

const bits = 64;
/** Numbers below it that are not negative are within what JavaScript's own operators take for bits. */
const fastMax = 2 ** 31;

/** A float64 as an integer; null where it is none that a float64 holds exactly. */
function whole(x: number): bigint | null {
  return Number.isSafeInteger(x) ? BigInt(x) : null;
}

/** An integer as a float64; none, which is NaN, where that would not be exact. */
function exact(n: bigint): number {
  const x = Number(n);
  return Number.isSafeInteger(x) ? x : Number.NaN;
}

function isFast(x: number): boolean {
  return x >= 0 && x < fastMax && Number.isInteger(x);
}

function isPlace(place: number): boolean {
  return Number.isInteger(place) && place >= 0 && place < bits;
}

function isSet(n: bigint, place: number): boolean | null {
  return isPlace(place) ? ((n >> BigInt(place)) & 1n) === 1n : null;
}

function isSetIn(x: number, place: number): boolean | null {
  if (isFast(x) && isPlace(place) && place < 31) return ((x >> place) & 1) === 1;
  const n = whole(x);
  return n === null ? null : isSet(n, place);
}

/** The two overloads of what is done bit by bit with two numbers. */
function both(ofNumbers: (a: number, b: number) => number, of: (a: bigint, b: bigint) => bigint): Overload[] {
  const byIntegers = (a: number, b: number): number => {
    const [one, other] = [whole(a), whole(b)];
    return one === null || other === null ? Number.NaN : exact(of(one, other));
  };
  const run = (a: number, b: number): number => (isFast(a) && isFast(b) ? ofNumbers(a, b) : byIntegers(a, b));
  return [
    { takes: ["float64", "float64"], gives: "float64", run },
    { takes: ["int64", "int64"], gives: "int64", run: of },
  ];
}

function shiftedLeft(n: bigint, places: bigint): bigint | null {
  if (places < 0n) return null;
  return places >= bits ? 0n : BigInt.asIntN(bits, n << places);
}

/** What comes in from the left is 0, also of a negative number, as in CEL. */
function shiftedRight(n: bigint, places: bigint): bigint | null {
  if (places < 0n) return null;
  return places >= bits ? 0n : BigInt.asIntN(bits, BigInt.asUintN(bits, n) >> places);
}

/**
 * The two overloads of a shift. A float64 has to stay one that is exact, and has no sign that could come along; further than
 * `bits` nothing of it is left that could matter.
 */
function shift(
  ofWhole: (n: bigint, places: bigint) => bigint,
  ofBits: (n: bigint, places: bigint) => bigint | null,
): Overload[] {
  const run = (x: number, places: number): number => {
    const n = whole(x);
    if (n === null || n < 0n || !Number.isInteger(places) || places < 0) return Number.NaN;
    return exact(ofWhole(n, BigInt(Math.min(places, bits))));
  };
  return [
    { takes: ["float64", "float64"], gives: "float64", run },
    { takes: ["int64", "int64"], gives: "int64", run: ofBits },
  ];
}

/** The number that the lowest `width` bits are in two's complement; null where there are not so many bits. */
function signed(n: bigint, width: number): bigint | null {
  return Number.isInteger(width) && width >= 1 && width <= bits ? BigInt.asIntN(width, n) : null;
}

function signedNumber(x: number, width: number): number {
  const n = whole(x);
  const value = n === null ? null : signed(n, width);
  return value === null ? Number.NaN : exact(value);
}

const single = new DataView(new ArrayBuffer(4));

/** The single that 32 bits are; NaN where they are none, or of no finite number. */
function singleOf(x: number): number {
  if (!Number.isInteger(x) || x < 0 || x >= 2 ** 32) return Number.NaN;
  single.setUint32(0, x);
  const value = single.getFloat32(0);
  return Number.isFinite(value) ? value : Number.NaN;
}

export const bitFunctions: readonly FunctionEntry[] = [
  {
    name: "bit",
    kind: "function",
    summary:
      "bit(n, place): whether that bit of a whole number is set; bit 0 is the lowest, 63 the highest. Of another place, or of a number with a fraction, null.",
    overloads: [
      { takes: ["float64", "float64"], gives: "bool", partial: true, run: isSetIn },
      {
        takes: ["int64", "int64"],
        gives: "bool",
        partial: true,
        run: (n: bigint, place: bigint) => isSet(n, Number(place)),
      },
    ],
    examples: [
      { text: "bit(status, 2)", given: { status: 12 }, gives: true },
      { text: "bit(status, 0)", given: { status: 12n }, gives: false },
      { text: "bit(status, 63)", given: { status: -1n }, gives: true },
      { text: "bit(status, 0)", given: { status: 1.5 }, gives: null },
    ],
  },
  {
    name: "bitAnd",
    kind: "function",
    summary: "The bits that are set in both of two whole numbers.",
    overloads: both(
      (a, b) => a & b,
      (a, b) => a & b,
    ),
    examples: [
      { text: "bitAnd(status, 240)", given: { status: 175 }, gives: 160 },
      { text: "bitAnd(n, 255)", given: { n: -1n }, gives: 255n },
    ],
  },
  {
    name: "bitOr",
    kind: "function",
    summary: "The bits that are set in one or both of two whole numbers.",
    overloads: both(
      (a, b) => a | b,
      (a, b) => a | b,
    ),
    examples: [{ text: "bitOr(status, 1)", given: { status: 6 }, gives: 7 }],
  },
  {
    name: "bitXor",
    kind: "function",
    summary: "The bits that are set in one of two whole numbers and not in both.",
    overloads: both(
      (a, b) => a ^ b,
      (a, b) => a ^ b,
    ),
    examples: [{ text: "bitXor(status, 3)", given: { status: 6 }, gives: 5 }],
  },
  {
    name: "bitShiftLeft",
    kind: "function",
    summary:
      "bitShiftLeft(n, places): the bits of a whole number moved up, zeros behind them. What of an int64 leaves its 64 bits is gone; a float64 that would leave 2^53, or is negative, gives null.",
    overloads: shift((n, places) => n << places, shiftedLeft),
    examples: [
      { text: "bitShiftLeft(high, 16) + low", given: { high: 1, low: 2 }, gives: 65_538 },
      { text: "bitShiftLeft(n, 63)", given: { n: 3n }, gives: -9_223_372_036_854_775_808n },
    ],
  },
  {
    name: "bitShiftRight",
    kind: "function",
    summary:
      "bitShiftRight(n, places): the bits of a whole number moved down, zeros in front of them, also of a negative int64. A negative float64 gives null.",
    overloads: shift((n, places) => n >> places, shiftedRight),
    examples: [
      { text: "bitAnd(bitShiftRight(status, 4), 15)", given: { status: 175 }, gives: 10 },
      { text: "bitShiftRight(n, 60)", given: { n: -1n }, gives: 15n },
    ],
  },
  {
    name: "bitSigned",
    kind: "function",
    summary:
      "bitSigned(n, width): the lowest bits of a whole number, so many, as one with a sign (two's complement), as a register of 16 bits holds it. Of a width that is not from 1 to 64, null.",
    overloads: [
      { takes: ["float64", "float64"], gives: "float64", run: signedNumber },
      {
        takes: ["int64", "int64"],
        gives: "int64",
        run: (n: bigint, width: bigint) => signed(n, Number(width)),
      },
    ],
    examples: [
      { text: "bitSigned(register, 16)", given: { register: 65_526 }, gives: -10 },
      { text: "bitSigned(register, 16)", given: { register: 10n }, gives: 10n },
      { text: "bitSigned(register, 0)", given: { register: 10 }, gives: null },
    ],
  },
  {
    name: "bitFloat",
    kind: "function",
    summary:
      "The number that 32 bits are as a float of single precision (IEEE 754), which devices keep in two registers. Null where they are infinite or no number, or where there are more bits.",
    overloads: [
      { takes: ["float64"], gives: "float64", run: singleOf },
      { takes: ["int64"], gives: "float64", run: (n: bigint) => singleOf(Number(n)) },
    ],
    examples: [
      { text: "bitFloat(bitShiftLeft(high, 16) + low)", given: { high: 16_712, low: 0 }, gives: 12.5 },
      { text: "bitFloat(n)", given: { n: 3_240_099_840n }, gives: -10 },
      { text: "bitFloat(n)", given: { n: 2_143_289_344 }, gives: null },
    ],
  },
];
