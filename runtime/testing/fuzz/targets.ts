// All targets of the fuzz run, by name.

import { decoderTargets } from "./decoder-targets.ts";
import { framingTargets } from "./framing-targets.ts";
import { hostTargets } from "./host-targets.ts";
import { stateTargets } from "./state-targets.ts";
import type { FuzzTarget } from "./target.ts";
import { textTargets } from "./text-targets.ts";

export const fuzzTargets: readonly FuzzTarget[] = [
  ...decoderTargets,
  ...framingTargets,
  ...textTargets,
  ...stateTargets,
  ...hostTargets,
];

export function fuzzTarget(name: string): FuzzTarget {
  const found = fuzzTargets.find((target) => target.name === name);
  if (found === undefined) throw new RangeError(`there is no target ${name}`);
  return found;
}
