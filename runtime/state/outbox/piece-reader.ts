// Reads the pieces of one chain in order, one ahead of whoever takes them, and keeps no more than those two.

import { rowsOf } from "./block.ts";
import type { KeptRow } from "./entry.ts";
import type { OutboxFiles } from "./outbox-files.ts";
import type { Piece } from "./piece.ts";

/** Frames that are kept as rows: the one that is handed out, and the next. */
const framesMax = 2;

export class PieceReader {
  readonly #files: OutboxFiles;
  /** By block or place, the oldest first. */
  readonly #frames: Map<Uint8Array | string, Promise<readonly KeptRow[]>> = new Map();

  constructor(files: OutboxFiles) {
    this.#files = files;
  }

  /** Whether it can be read without asking the disk. */
  has(piece: Piece): boolean {
    return piece.block !== null || this.#frames.has(keyOf(piece));
  }

  async read(piece: Piece): Promise<readonly KeptRow[]> {
    const skip = piece.place?.skip ?? 0;
    const rows = await this.#frame(piece);
    return rows.length === piece.count ? rows : rows.slice(skip, skip + piece.count);
  }

  /** Begins to read what will be asked for. */
  prepare(piece: Piece | undefined): void {
    // Who reads it is told of a fault.
    if (piece !== undefined && piece.place !== null) this.#frame(piece).catch(() => {});
  }

  #frame(piece: Piece): Promise<readonly KeptRow[]> {
    const { block, place } = piece;
    const key = keyOf(piece);
    const known = this.#frames.get(key);
    if (known !== undefined) return known;
    const rows = place === null ? Promise.resolve(rowsOf(block!, piece.count)) : this.#files.read(place);
    rows.catch(() => this.#frames.delete(key));
    this.#frames.set(key, rows);
    for (const oldest of this.#frames.keys()) {
      if (this.#frames.size <= framesMax) break;
      this.#frames.delete(oldest);
    }
    return rows;
  }
}

function keyOf({ block, place }: Piece): Uint8Array | string {
  return place === null ? block! : `${place.file}/${place.offset}`;
}
