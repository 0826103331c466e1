// Lengths of time as options have them. Reads no clock.

import { parseDuration } from "../../operators/sdk/index.ts";
import { WeirError } from "../errors.ts";

/** The ms that an option says; `least`: the fewest that make sense. */
export function durationOption(text: string, option: string, least = 0): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms >= least) return ms;
  throw new WeirError("WEIR_USAGE", `${option}: expected a duration, got ${text}`, {
    remedy: "such as 500ms, 20s or 1m30s",
  });
}
