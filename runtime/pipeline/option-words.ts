// The words that may stand beside that of an operator in a step. Reads nothing.

/** What may stand beside the word of a keyed operator. */
export const stepOptions: readonly string[] = ["keys", "late"];

export function isOption(name: string): boolean {
  return stepOptions.includes(name);
}
