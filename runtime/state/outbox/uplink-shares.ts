// What the state folders of a device tell each other of budgets that they share: each has a small file with what it has used, and
// reads those beside it. What cannot be read or written is left out: a budget is no reason to stop. Decides nothing.

import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { readBounded } from "../../bounded-file.ts";
import { limits } from "../../limits.ts";
import { writeWhole } from "../../whole-file.ts";
import type { OtherUse, UplinkShares } from "./uplinks.ts";

/** In each folder of state: when it was written, wall clock ms; and by connection, since when its period counts, what was used of it and what may be. */
interface Told {
  readonly at: number;
  readonly uses: Readonly<Record<string, readonly [from: number, used: number, granted: number]>>;
}

export const uplinksFile = "uplinks.json";

/** Of the folder, which lies beside those that it shares with. */
export function uplinkShares(folder: string): UplinkShares {
  return {
    tell(uses, now) {
      const told: Told = {
        at: now,
        uses: Object.fromEntries(
          [...uses].map(([connection, { from, used, granted }]) => [connection, [from, used, granted]]),
        ),
      };
      try {
        writeWhole(join(folder, uplinksFile), JSON.stringify(told));
      } catch {
        // A full disk, for one, is told elsewhere.
      }
    },
    look: (now) => usesBeside(folder, now),
  };
}

function usesBeside(folder: string, now: number): ReadonlyMap<string, readonly OtherUse[]> {
  const found = new Map<string, OtherUse[]>();
  for (const { at, uses } of toldIn(dirname(folder), basename(folder)))
    for (const [connection, [from, used, granted]] of Object.entries(uses)) {
      const others = found.get(connection) ?? [];
      found.set(connection, [...others, { from, used, granted, silent: Math.abs(now - at) }]);
    }
  return found;
}

function toldIn(parent: string, own: string): readonly Told[] {
  try {
    const names = readdirSync(parent).filter((name) => name !== own);
    return names.flatMap((name) => toldBy(join(parent, name, uplinksFile)));
  } catch {
    return [];
  }
}

function toldBy(path: string): readonly Told[] {
  try {
    const told: unknown = JSON.parse(readBounded(path, limits.config_bytes_max).toString("utf8"));
    return isTold(told) ? [told] : [];
  } catch {
    return [];
  }
}

function isTold(value: unknown): value is Told {
  const { at, uses } = (value ?? {}) as Partial<Told>;
  if (typeof at !== "number" || typeof uses !== "object" || uses === null) return false;
  return Object.values(uses).every(
    (use: unknown) =>
      Array.isArray(use) && use.length === 3 && use.every((each) => typeof each === "number" && each >= 0),
  );
}
