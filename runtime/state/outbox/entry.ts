// A row that waits to be sent, with its place in its chain. Data only.

/** A row as the other side is to get it, whenever it is sent. */
export interface KeptRow {
  /** Where to: a subject for NATS, a key for a bucket; empty for files. */
  readonly subject: string;
  readonly payload: Uint8Array;
  /** When the record that completed the row arrived at the edge, wall clock ms. */
  readonly caused: number;
  /** How many rows the payload holds. */
  readonly rows: number;
  readonly headers: Readonly<Record<string, string>> | null;
  /** Names what the payload's rows are, for whoever condenses them; absent where they stay as they are. */
  readonly form?: string;
}

/**
 * An output. Numbers of a chain are 1, 2, 3, …, and none is given twice, whatever ends when. All of them come, in order,
 * but those that were dropped before they were ever sent: the next entry says how many are left out right before it.
 */
export interface Entry {
  readonly number: number;
  readonly row: KeptRow;
  /** How many numbers right before this one were dropped and never come; none when absent. */
  readonly skipped?: number;
}
