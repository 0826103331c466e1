// Keys that are looked up together, as the words that they are of. Scratch: of all tables, and of one at a time.

/** Keys whose memory the processor waits for at once. */
export const blockRows = 256;

export interface KeyBlock {
  /** The rows that they are of. */
  readonly rows: Uint32Array;
  readonly words: Int32Array;
  /** By key, where its words begin and end; it ends at `tooLong` when it has none. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly hashes: Int32Array;
  /** By key, its id; -1 when it is not in the table. */
  readonly ids: Int32Array;
  /** Where the words begin of the key in the table that may be the same, and the first of them. */
  readonly candidates: Int32Array;
  readonly touched: Int32Array;
}

const numbers = (): Int32Array => new Int32Array(blockRows);

let block: KeyBlock = {
  rows: new Uint32Array(blockRows),
  words: new Int32Array(0),
  starts: numbers(),
  ends: numbers(),
  hashes: numbers(),
  ids: numbers(),
  candidates: numbers(),
  touched: numbers(),
};

/** The block, with room for keys of up to `wordsMax` words. */
export function keyBlock(wordsMax: number): KeyBlock {
  const room = wordsMax * blockRows;
  if (block.words.length < room) block = { ...block, words: new Int32Array(room) };
  return block;
}
