// When windows of each kind are sent, and what stands for those without records: what may be asked for of
// which kind, and what is wrong with the rest in words. Decides only.

import { overlapMax, stepsMax } from "./bounds.ts";
import type { WindowSettings } from "./settings.ts";

type Kinds = Pick<
  WindowSettings,
  "tumbling" | "hopping" | "cumulate" | "session" | "count" | "sliding" | "state" | "calendar"
>;
type KindName = keyof Kinds;

const hour = 3_600_000;
const day = 24 * hour;
/** The shortest and the longest period of each unit, ms; a day is an hour longer where the clocks are put back. */
const unitLengths = {
  hour: [hour, hour],
  day: [day, day + hour],
  week: [7 * day, 7 * day + hour],
  month: [28 * day, 31 * day + hour],
} as const;

/** From the start of a window to that of the next at the least, and how long one is at the most, ms; null where it begins with records. */
function lengthsOf({ tumbling, hopping, calendar }: Kinds): { every: number; size: number } | null {
  if (tumbling !== undefined) return { every: tumbling, size: tumbling };
  if (hopping !== undefined) return hopping;
  if (calendar === undefined) return null;
  const { unit, shifts = {} } = calendar;
  const [every, size] =
    unit === undefined ? [day / Object.keys(shifts).length, day + hour] : unitLengths[unit];
  return { every, size };
}

const notEarly: Partial<Record<KindName, string>> = {
  count: "windows of count end with a record, not with time: leave early out",
  sliding: "sliding windows have a row for every record already: leave early out",
  cumulate: "cumulating windows are sent at each step already: leave early out",
};

/** What is wrong with sending windows every `early` before they end. */
export function earlyFaults(name: KindName, kinds: Kinds, early: number): string[] {
  if (notEarly[name] !== undefined) return [notEarly[name]];
  const lengths = lengthsOf(kinds);
  if (lengths === null) return [];
  const times = Math.ceil(lengths.size / early);
  const most = name === "hopping" ? overlapMax : stepsMax;
  if (name === "tumbling" && lengths.size % early !== 0)
    return ["the window is no multiple of this: make tumbling a multiple of early"];
  if (times > most)
    return [`the window would be sent ${times} times; the most is ${most}: make early longer`];
  return [];
}

const notAgain: Partial<Record<KindName, string>> = {
  count: "no record is late for windows of count: leave updates out",
  sliding: "a sliding row belongs to one record and is not sent again: make the source's lateness longer",
  state: "state windows take records in event time and are not sent again: make the source's lateness longer",
  cumulate: "cumulating windows are not sent again: use tumbling, or make the source's lateness longer",
};

/** What is wrong with sending windows again for records that come up to `updates` late. */
export function updatesFaults(name: KindName, kinds: Kinds, updates: number): string[] {
  if (notAgain[name] !== undefined) return [notAgain[name]];
  const lengths = lengthsOf(kinds);
  const kept = lengths === null ? 0 : Math.ceil(updates / lengths.every);
  if (kept <= stepsMax) return [];
  return [`${kept} windows of each key would be kept; the most is ${stepsMax}: make updates shorter`];
}

const gapless: Partial<Record<KindName, string>> = {
  cumulate: "cumulating windows repeat what they hold at each step: leave gaps out",
  session: "a session begins with a record, so that none is empty: leave gaps out",
  count: "windows of count are never empty: leave gaps out",
  sliding: "sliding windows are never empty: leave gaps out",
  state: "a state window begins with a record, so that none is empty: leave gaps out",
};

/** What is wrong with rows for windows without records. */
export function gapFaults(name: KindName, emit: WindowSettings["emit"]): string[] {
  if (gapless[name] !== undefined) return [gapless[name]];
  if (typeof emit === "object")
    return ["gaps are filled where windows are sent once: leave out either gaps or emit"];
  return [];
}
