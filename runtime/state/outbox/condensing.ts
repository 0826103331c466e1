// Condenses runs of pieces, one at a time: reads their rows, has them condensed, and writes what comes of it to the disk,
// where it is durable before an edit that a commit then holds puts it in the place of the run.

import { messageOf } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { BlockWriter } from "./block.ts";
import type { Condense } from "./edit.ts";
import type { KeptRow } from "./entry.ts";
import type { OutboxChain } from "./outbox-chain.ts";
import type { OutboxStore } from "./outbox-store.ts";
import type { Piece } from "./piece.ts";
import { PieceReader } from "./piece-reader.ts";
import { type Due, rangeOf } from "./tiers.ts";

/** Rows on their way to become fewer. */
export interface Condensate {
  /** False where the row stays as it is. */
  add(row: KeptRow): boolean;
  /** What came of those that were taken; no more of them than were taken. */
  rows(): readonly KeptRow[];
}

/** Knows what rows are. `every`: how much time a row stands for then, ms. */
export interface Condenser {
  begin(every: number): Condensate;
}

export class Condensing {
  readonly #condenser: Condenser;
  readonly #store: OutboxStore;
  #isBusy = false;
  #done: Condense[] = [];
  #fault: string | null = null;

  constructor(condenser: Condenser, store: OutboxStore) {
    this.#condenser = condenser;
    this.#store = store;
  }

  /** Begins nothing while it works, or while what it did is not part of a commit. */
  get isBusy(): boolean {
    return this.#isBusy || this.#done.length > 0;
  }

  /** Why the last run stayed as it was; null when all is well. */
  get fault(): string | null {
    return this.#fault;
  }

  /** What a commit is to hold. */
  get edits(): readonly Condense[] {
    return this.#done;
  }

  /** A commit that holds the edits is durable. */
  committed(): void {
    this.#done = [];
    this.#store.coming = [];
  }

  begin(chain: OutboxChain, due: Due): void {
    const { first, last } = rangeOf(due.pieces);
    chain.freeze(first, last);
    this.#isBusy = true;
    this.#store
      .alone(() => this.#condense(due))
      .then(
        (edit) => {
          this.#done = [edit];
          this.#fault = null;
        },
        (error: unknown) => {
          chain.thaw(first);
          this.#fault = messageOf(error);
        },
      )
      .finally(() => {
        this.#isBusy = false;
      });
  }

  async #condense(due: Due): Promise<Condense> {
    const condensate = this.#condenser.begin(due.every);
    const reader = new PieceReader(this.#store.files);
    const left: KeptRow[] = [];
    for (const piece of due.pieces)
      for (const row of await reader.read(piece)) if (!condensate.add(row)) left.push(row);
    const rows = [...left, ...condensate.rows()];
    const { first, last } = rangeOf(due.pieces);
    const pieces = await this.#write(due, rows, last - rows.length + 1);
    await this.#store.files.sync();
    this.#store.coming = pieces;
    return { kind: "condense", chain: due.chain, first, last, pieces };
  }

  async #write(
    { chain, pieces, tier }: Due,
    rows: readonly KeptRow[],
    first: number,
  ): Promise<readonly Piece[]> {
    const written: Piece[] = [];
    const writer = new BlockWriter();
    let next = first;
    const finish = async (): Promise<void> => {
      const { count, rows: payloadRows } = writer;
      const block = writer.take();
      const place = await this.#store.files.append(chain, block, count);
      const times = { at: pieces[0]!.at, until: pieces.at(-1)!.until };
      const numbers = { first: next, count, rows: payloadRows, bytes: block.length };
      written.push({ ...numbers, ...times, tier, gap: 0, block: null, place });
      next += count;
    };
    for (const row of rows) {
      writer.add(row);
      if (writer.length >= limits.outbox_frame_bytes_max) await finish();
    }
    if (writer.count > 0) await finish();
    return written;
  }
}
