// What every sink counts: rows taken, settled, dropped by reason. Each row taken is settled once, so that
// nothing is lost from the account.

import type { OutputRow, SinkStats } from "./connect.ts";

/** How many rows it is. */
export function rowsOf({ rows }: OutputRow): number {
  return rows ?? 1;
}

export class SinkCounts {
  taken = 0;
  rows = 0;
  bytes = 0;
  #droppedRows = 0;
  readonly #dropped = new Map<string, number>();

  get pending(): number {
    return this.taken - this.rows - this.#droppedRows;
  }

  confirm(rows: number, bytes: number): void {
    this.rows += rows;
    this.bytes += bytes;
  }

  drop(reason: string, rows = 1): void {
    if (rows === 0) return;
    this.#droppedRows += rows;
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + rows);
  }

  stats(): SinkStats {
    return {
      rows: this.rows,
      bytes: this.bytes,
      pending: this.pending,
      dropped: Object.fromEntries(this.#dropped),
    };
  }
}
