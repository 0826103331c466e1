// One input given to one target, with what holds for all of them: nothing but a refusal comes out, objects stay clean, and no
// thread is held for long. Also makes an input that fails as small as it goes.

import { messageOf } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { FuzzTarget } from "./target.ts";

/** Times that an input which took too long is tried again: it may have been the collector, or code that was not ready. */
const repeats = 2;
/** Attempts at making an input smaller. */
const shrinksMax = 400;

/** What is wrong with how the target takes the input; null where nothing is. */
export async function faultOf(target: FuzzTarget, input: Uint8Array): Promise<string | null> {
  let least = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn <= repeats; turn++) {
    const before = process.threadCpuUsage();
    try {
      await target.take(Uint8Array.from(input));
    } catch (error) {
      return error instanceof Error ? `${error.name}: ${messageOf(error)}` : `threw ${String(error)}`;
    }
    if (Object.keys(Object.prototype).length > 0) return "every object has members that it should not have";
    const { user, system } = process.threadCpuUsage(before);
    least = Math.min(least, (user + system) / 1_000);
    if (least <= limits.fuzz_input_ms_max) return null;
  }
  return `held its thread for ${Math.round(least)} ms`;
}

/** The smallest input found that still fails, by leaving pieces out: large ones first. */
export async function shrunk(target: FuzzTarget, input: Uint8Array): Promise<Uint8Array> {
  let left = shrinksMax;
  let small = input;
  for (let piece = Math.ceil(small.length / 2); piece >= 1 && left > 0; piece = Math.floor(piece / 2)) {
    for (let at = 0; at < small.length && left > 0; left--) {
      const without = Buffer.concat([small.subarray(0, at), small.subarray(at + piece)]);
      if ((await faultOf(target, without)) === null) at += piece;
      else small = without;
    }
  }
  return small;
}
