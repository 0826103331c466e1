// What a scenario is: a fault by its name in the matrix, what it needs, and what happens. It leaves a world in which all should
// flow again; whoever runs it judges what has arrived.

import type { Tool } from "./tools.ts";
import type { World, WorldOptions } from "./world.ts";

export interface Scenario {
  /** As in the fault matrix: F1, F16, … */
  readonly name: string;
  /** What happens, in a line. */
  readonly about: string;
  readonly needs?: readonly Tool[];
  readonly world?: Omit<Partial<WorldOptions>, "random" | "say">;
  /** How often its fault strikes; `isShort` for a run that has little time. */
  run(world: World, isShort: boolean): Promise<void>;
}

/** A fault of the run itself: something did not happen as it must. */
export function insist(condition: boolean, otherwise: string): void {
  if (!condition) throw new Error(otherwise);
}
