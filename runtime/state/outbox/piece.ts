// Neighbouring entries of a chain that are kept together: in memory as a block, or in a frame of an outbox file. Pure.

/** Where a piece is on the disk. */
export interface Place {
  readonly file: number;
  readonly offset: number;
  /** Bytes of the frame, and rows in it. */
  readonly length: number;
  readonly rows: number;
  /** Rows of the frame before the piece. */
  readonly skip: number;
}

export interface Piece {
  /** The first number; the others follow without a gap. */
  readonly first: number;
  readonly count: number;
  /** Rows in all the payloads. */
  readonly rows: number;
  /** Of the block. */
  readonly bytes: number;
  /** When the first and the last of them were committed, ms by how time passes (times.ts). */
  readonly at: number;
  readonly until: number;
  /** Which resolution they were condensed to: a tier's place; 0 as they were made. */
  readonly tier: number;
  /** Numbers right before `first` that were dropped. */
  readonly gap: number;
  /** In one of the two, never in both. All else stays: a snapshot that is being written has the same piece. */
  block: Uint8Array | null;
  place: Place | null;
}

/** The last number. */
export function endOf(piece: Piece): number {
  return piece.first + piece.count - 1;
}

/** Rows in the payloads of all of them. */
export function rowsIn(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { rows }) => sum + rows, 0);
}

/** What it takes, wherever it is. A frame that it shares is counted by its part of the rows. */
export function sizeOf({ place, bytes, count }: Piece): number {
  return place === null ? bytes : Math.ceil((place.length * count) / place.rows);
}

/** The place of the first piece that ends at `number` or behind it; the number of pieces when none does. */
export function placeOf(pieces: readonly Piece[], number: number): number {
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (endOf(pieces[middle]!) < number) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether `next` goes on right where `piece` ends, in the same frame. */
function goesOn(piece: Piece, next: Piece): boolean {
  const here = piece.place;
  const there = next.place;
  return (
    here !== null &&
    there !== null &&
    next.gap === 0 &&
    piece.tier === next.tier &&
    next.first === piece.first + piece.count &&
    here.file === there.file &&
    here.offset === there.offset &&
    there.skip === here.skip + piece.count
  );
}

/** Pieces, where those that lie one behind the other in one frame are one. None spans two of `borders`: the last numbers of parts. */
export function joined(pieces: readonly Piece[], borders: readonly number[]): Piece[] {
  const found: Piece[] = [];
  for (const piece of pieces) {
    const before = found.at(-1);
    if (before === undefined || !goesOn(before, piece) || borders.includes(endOf(before))) found.push(piece);
    else
      found[found.length - 1] = {
        ...before,
        count: before.count + piece.count,
        rows: before.rows + piece.rows,
        bytes: before.bytes + piece.bytes,
        until: piece.until,
      };
  }
  return found;
}
