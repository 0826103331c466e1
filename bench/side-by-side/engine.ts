// The port of everything that is compared: an engine is opened for a workload's file and then reads it from
// beginning to end as often as it is told. Measures nothing.

import type { Row } from "./workload.ts";

/** What an engine is opened for. */
export interface Assignment {
  /** The folder with the workload's programs. */
  readonly folder: URL;
  /** NDJSON, one record a line. */
  readonly file: string;
  readonly records: number;
}

/** Takes a row as an engine sends it. */
export type Emit = (row: Uint8Array) => void;

/** One whole pass over the file. */
export interface Pass {
  /** How many rows came out. */
  readonly count: number;
  /** The rows, where they were to be kept; a sink would have sent them and let go. */
  readonly rows: readonly Row[] | null;
}

export interface Session {
  pass(keep: boolean): Promise<Pass>;
  close?(): Promise<void>;
}

export interface Engine {
  /** Its name in the tables. */
  readonly name: string;
  readonly threads: number;
  /** The file in a workload's folder that holds its program; where there is none, it does not take part. */
  readonly program: string;
  /** The workloads in which it takes part; all that have its program where it is left out. */
  readonly workloads?: readonly string[];
  /** The most records that it is given: an engine that takes a minute for a million reads only the first of them. */
  readonly records_max?: number;
  /** Why it cannot run here, or null. */
  missing(): string | null;
  open(assignment: Assignment): Promise<Session>;
}

/** Counts the JSON rows that are sent, and keeps them where that is asked for. */
export class RowCount implements Pass {
  count = 0;
  readonly #kept: Uint8Array[] | null;

  constructor(keep: boolean) {
    this.#kept = keep ? [] : null;
  }

  readonly emit: Emit = (row) => {
    this.count++;
    this.#kept?.push(row);
  };

  get rows(): readonly Row[] | null {
    return this.#kept?.map((row) => JSON.parse(Buffer.from(row).toString()) as Row) ?? null;
  }
}
