// Keeps the dictionary of a text column within its bounds from batch to batch. Never takes a code's
// meaning away: a full dictionary is left to the batches that refer to it, and a new one begun.

import { TextDictionary } from "../batch/columns.ts";

/** The dictionary for the next batch: the one used so far, or a new one when that is full. */
export function nextDictionary(dictionary: TextDictionary | null): TextDictionary {
  return dictionary === null || dictionary.isFull ? new TextDictionary() : dictionary;
}
