// The program that one would write instead, in plain JavaScript or with RxJS: the file's bytes in memory, and
// a module in the workload's folder that goes over them.

import { readFileSync } from "node:fs";
import {
  type Assignment,
  type Emit,
  type Engine,
  type Pass,
  RowCount,
  type Session,
} from "../side-by-side/engine.ts";

/** What such a module exports as `run`: the bytes of NDJSON in, rows as JSON out. */
export type Program = (bytes: Buffer, emit: Emit) => void | Promise<void>;

async function open({ folder, file }: Assignment, program: string): Promise<Session> {
  const bytes = readFileSync(file);
  const { run } = (await import(new URL(program, folder).href)) as { readonly run: Program };
  const pass = async (keep: boolean): Promise<Pass> => {
    const sent = new RowCount(keep);
    await run(bytes, sent.emit);
    return sent;
  };
  return { pass };
}

function program(name: string, file: string): Engine {
  return {
    name,
    threads: 1,
    program: file,
    missing: () => null,
    open: (assignment) => open(assignment, file),
  };
}

export const byHand: readonly Engine[] = [
  program("JSON.parse + Map", "by-hand.ts"),
  program("RxJS", "rxjs.ts"),
];

/** The lines of NDJSON as a careful program reads them: one search for the line's end, one latin1 text. */
export function* eachLine(bytes: Buffer): Generator<string> {
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(10, start);
    const end = found < 0 ? bytes.length : found;
    yield bytes.toString("latin1", start, end);
    start = end + 1;
  }
}

/** Calls `take` with every record; a generator between them would cost the program time. */
export function eachRecord(bytes: Buffer, take: (record: unknown) => void): void {
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(10, start);
    const end = found < 0 ? bytes.length : found;
    take(JSON.parse(bytes.toString("latin1", start, end)));
    start = end + 1;
  }
}
