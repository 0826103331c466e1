// Inputs made of well-formed ones: the same for the same target, seed and number, so that a number is all that it takes to see one
// again. Pure.

import { Random } from "../simulation/random.ts";
import type { FuzzTarget } from "./target.ts";

/** Longer inputs find nothing that these do not, and take their time. */
const inputBytesMax = 65_536;
const changesMax = 8;
const repeatsMax = 2_000;

/** Where bytes are numbers: the ends of their ranges. */
const numbers: readonly (readonly number[])[] = [
  [0],
  [1],
  [0x7f],
  [0x80],
  [0xff],
  [0xff, 0xff],
  [0xff, 0x7f],
  [0, 0, 0, 0x80],
  [0xff, 0xff, 0xff, 0x7f],
  [0xff, 0xff, 0xff, 0xff],
  [0, 0, 0, 0, 0, 0, 0xf0, 0x7f],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
];

/** What opens without being closed, or the other way around. */
const nesting = ["[", "{", "(", '{"a":', "]", "}", ")", "- ", "!", "-", "\u0091", "\u0081"] as const;

/** The input with this number. */
export function inputOf(target: FuzzTarget, seed: number, number: number): Uint8Array {
  const random = new Random(Math.imul(seed, 0x9e3779b1) ^ number);
  let input = random.pick(target.begins);
  if (random.chance(0.15)) input = spliced(input, random.pick(target.begins), random);
  for (let left = random.between(1, changesMax); left > 0; left--) {
    input = changed(input, target.words, random);
    if (input.length > inputBytesMax) input = input.subarray(0, inputBytesMax);
  }
  return input;
}

/** The beginning of one and the end of the other. */
function spliced(one: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const from = random.between(0, other.length);
  return Buffer.concat([one.subarray(0, random.between(0, one.length)), other.subarray(from)]);
}

function changed(input: Uint8Array, words: readonly Uint8Array[], random: Random): Uint8Array {
  const at = random.between(0, input.length);
  const length = random.chance(0.7) ? random.between(1, 8) : random.between(1, input.length + 1);
  const behind = Math.min(input.length, at + length);
  const replaced = (piece: Uint8Array, end: number): Uint8Array =>
    Buffer.concat([input.subarray(0, at), piece, input.subarray(end)]);
  switch (random.between(0, 8)) {
    case 0:
      return flipped(input, at, 1 << random.between(0, 7));
    case 1:
      return flipped(input, at, random.between(1, 255));
    case 2:
      return replaced(new Uint8Array(0), behind);
    case 3:
      return replaced(input.subarray(at, behind), at);
    case 4: {
      const number = Uint8Array.from(random.pick(numbers));
      return replaced(number, random.chance(0.5) ? at : Math.min(input.length, at + number.length));
    }
    case 5:
      return words.length === 0 ? input : replaced(random.pick(words), random.chance(0.5) ? at : behind);
    case 6:
      return input.subarray(0, at);
    case 7:
      return replaced(Buffer.from(random.pick(nesting).repeat(random.between(1, repeatsMax)), "latin1"), at);
    default: {
      const from = random.between(0, input.length);
      return replaced(input.subarray(from, Math.min(input.length, from + length)), behind);
    }
  }
}

function flipped(input: Uint8Array, at: number, mask: number): Uint8Array {
  const copy = Uint8Array.from(input);
  if (at < copy.length) copy[at] = copy[at]! ^ mask;
  return copy;
}
