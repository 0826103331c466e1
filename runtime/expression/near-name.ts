// The name that was probably meant: the one that other tools call so, or the nearest of some known names, if one is
// near at all.

import { limits } from "../limits.ts";
import { synonymOf } from "./synonyms.ts";

/** Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let edits = Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) edits = Math.min(edits, before[j - 2]! + 1);
      row.push(edits);
    }
    before = previous;
    previous = row;
  }
  return previous[b.length]!;
}

/** What `name` means elsewhere, or the nearest of `names` to it, ignoring case; undefined when none is within a third of its length. */
export function nearName(name: string, names: Iterable<string>): string | undefined {
  if (name.length > limits.config_name_length_max) return undefined;
  const known = [...names];
  const synonym = synonymOf(name, known);
  if (synonym !== undefined) return synonym;
  const wanted = name.toLowerCase();
  let best: string | undefined;
  let edits = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const each of known) {
    if (Math.abs(each.length - name.length) >= edits) continue;
    const needed = distance(wanted, each.toLowerCase());
    if (needed < edits) {
      edits = needed;
      best = each;
    }
  }
  return best;
}

/** `; did you mean x?`, or nothing. */
export function didYouMean(name: string, names: Iterable<string>): string {
  const near = nearName(name, names);
  return near === undefined ? "" : `; did you mean ${near}?`;
}
