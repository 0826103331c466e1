// Why event time has come no further: which source holds it back, since when, and by how much. Pure: what
// the trackers know, in the words of a reader.

import { holdsBack, type InputProgress, isIdle, ownWatermark } from "./watermark.ts";

export interface InputState {
  readonly name: string;
  /** `ahead` of the one that holds time back, or `holding` it, or one that holds nothing: `idle`, `ended`. */
  readonly state: "ahead" | "holding" | "idle" | "ended";
  /** Its own, ms; null before its first record. */
  readonly watermark: number | null;
  /** The largest event time that entered by it, ms; null before its first record. */
  readonly latest: number | null;
  /** When its last record arrived, by the clock; null before its first record. */
  readonly arrived: number | null;
  readonly lateness_ms: number;
  /** After how long of silence it holds nothing back; null: never. */
  readonly idle_ms: number | null;
}

export interface HeldBack {
  /** In the order of the file. */
  readonly inputs: readonly InputState[];
  /** The source that decides the pipeline's watermark; null when none does. */
  readonly holder: {
    readonly name: string;
    /** When its event time last moved on, by the clock; the pipeline's start when it sent nothing yet. */
    readonly since: number;
    /** The same, as ms before now. */
    readonly for_ms: number;
    /** How much further the watermark would be without it, ms; null where that is not known: no other source holds it, or none of its records came. */
    readonly by_ms: number | null;
  } | null;
}

/** `now`: wall clock, ms. No source holds time back where it is the clock's. */
export function heldBack(inputs: readonly InputProgress[], now: number): HeldBack {
  const holding = inputs.filter(holdsBack).sort((a, b) => ownWatermark(a) - ownWatermark(b));
  const [holder, next] = holding;
  return {
    inputs: inputs.map((input): InputState => {
      const { name, latest, arrived, lateness, idle, ended } = input;
      const known = latest !== Number.NEGATIVE_INFINITY;
      const active = input === holder ? "holding" : "ahead";
      return {
        name,
        state: ended ? "ended" : isIdle(input) ? "idle" : active,
        watermark: known ? ownWatermark(input) : null,
        latest: known ? latest : null,
        arrived: known ? arrived : null,
        lateness_ms: lateness,
        idle_ms: idle,
      };
    }),
    holder:
      holder === undefined
        ? null
        : {
            name: holder.name,
            since: holder.moved,
            for_ms: Math.max(0, now - holder.moved),
            by_ms: next === undefined ? null : finite(ownWatermark(next) - ownWatermark(holder)),
          },
  };
}

/** Null for what a source without records is behind. */
function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
