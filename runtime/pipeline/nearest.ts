// "did you mean", and choices in words. Never guesses from afar.

import { nearName } from "../expression/near-name.ts";

/** "did you mean filter?", or else what there is to choose from when that is short, or null. */
export function didYouMean(name: string, names: readonly string[]): string | null {
  const near = nearName(name, names);
  if (near !== undefined) return `did you mean ${near}?`;
  return names.length === 0 || names.length > 12 ? null : `expected ${choiceOf(names)}`;
}

/** `a, b or c`. */
export function choiceOf(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}
