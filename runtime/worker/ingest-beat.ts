// What a worker and its ingest say to each other, in small files: the one that it is there, and which ingest it wants, the other that it
// listens. And what the ingest makes of it: whether to go on. The decision is pure; a clock that is set does not matter to it.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { limits } from "../limits.ts";
import { writeWhole } from "../whole-file.ts";

export interface Beat {
  /** Digest of the plan that the worker wants. */
  readonly wanted: string;
  /** Grows. */
  readonly count: number;
  /** Of which worker; a new one counts from its own start. */
  readonly worker: string;
}

const beatFile = "reader.json";

export function writeBeat(folder: string, beat: Beat): void {
  writeWhole(join(folder, beatFile), JSON.stringify(beat));
}

/** Null where there is none, or none that can be read. */
export function readBeat(folder: string): Beat | null {
  try {
    const beat: unknown = JSON.parse(readFileSync(join(folder, beatFile), "utf8"));
    if (typeof beat !== "object" || beat === null) return null;
    const { wanted, count, worker } = beat as Partial<Beat>;
    if (typeof wanted !== "string" || typeof count !== "number" || typeof worker !== "string") return null;
    return { wanted, count, worker };
  } catch {
    return null;
  }
}

const listeningFile = "listening.json";

/** Of an ingest that has subscribed to all that its plan names. */
export function writeListening(folder: string, process_id: number): void {
  writeWhole(join(folder, listeningFile), JSON.stringify({ process: process_id }));
}

export function isListening(folder: string, process_id: number | undefined): boolean {
  try {
    const said = JSON.parse(readFileSync(join(folder, listeningFile), "utf8")) as {
      process?: unknown;
    } | null;
    return said?.process === process_id && process_id !== undefined;
  } catch {
    return false;
  }
}

/** What an ingest remembers between two looks. */
export interface Attendance {
  readonly beat: Beat | null;
  /** For how long the beat has not changed, ms. */
  readonly silent: number;
}

/** After another look, `ms` later. */
export function attendanceAfter(
  { beat: before, silent }: Attendance,
  beat: Beat | null,
  ms: number,
): Attendance {
  const isSame = before?.count === beat?.count && before?.worker === beat?.worker;
  return { beat, silent: isSame ? silent + ms : 0 };
}

/** Why an ingest with this plan is of no use any more; null while it is. */
export function dismissal(
  { beat, silent }: Attendance,
  digest: string,
): "another is wanted" | "nobody reads" | null {
  if (beat !== null && beat.wanted !== digest) return "another is wanted";
  return silent >= limits.journal_orphan_ms ? "nobody reads" : null;
}
