// The text of one CSV cell to a value. Text is how CSV writes numbers, so reading them is no coercion;
// but the whole cell must be the value: " 1", "1,5" and "1e999" are not numbers. NaN or undefined
// means "not one".

import { limits } from "../../limits.ts";
import type { TimeUnit } from "../codec.ts";
import { timeOfDecimal, timeOfIso } from "../time-unit.ts";

const decimal = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const integer = /^-?\d{1,19}$/;
const int64Max = 2n ** 63n - 1n;

/** A finite number; NaN for anything else. */
export function numberOfCell(text: string): number {
  if (!decimal.test(text)) return Number.NaN;
  const value = Number(text);
  return Number.isFinite(value) ? value : Number.NaN;
}

export function integerOfCell(text: string): bigint | undefined {
  if (!integer.test(text)) return undefined;
  const value = BigInt(text);
  return value > int64Max || value < -int64Max - 1n ? undefined : value;
}

export function timeOfCell(text: string, unit: TimeUnit): number {
  if (unit === "iso") return timeOfIso(text);
  return decimal.test(text) ? timeOfDecimal(text, unit) : Number.NaN;
}

/** True for JSON text that is nested no deeper than a payload may be. */
export function isJsonCell(text: string): boolean {
  try {
    JSON.parse(text);
  } catch {
    return false;
  }
  let depth = 0;
  for (const token of text.matchAll(/"(?:[^"\\]|\\.)*"|[[{]|[\]}]/g)) {
    if (token[0] === "[" || token[0] === "{") depth++;
    else if (token[0] === "]" || token[0] === "}") depth--;
    if (depth > limits.payload_depth_max) return false;
  }
  return true;
}
