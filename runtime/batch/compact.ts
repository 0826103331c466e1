// Batches across threads: the selected rows of each column, in one piece of memory, which is transferred and not
// copied. A text crosses once for as long as the dictionaries on both sides last: what leaves a thread has codes of that
// thread's own, and gets those of home where it arrives. Objects never cross.

import type { Batch, Column, ColumnType, Dictionary, Origin, Schema } from "../../operators/sdk/index.ts";
import { makeBatch } from "./batch.ts";
import { TextDictionary } from "./columns.ts";
import { Translation } from "./translation.ts";

/** Texts that the other side does not have yet; the first of them has the code `first`. With 0 its earlier ones are no longer valid. */
interface NewTexts {
  readonly first: number;
  readonly texts: readonly string[];
}

interface CompactColumn {
  readonly type: ColumnType;
  readonly values: Column["values"];
  readonly valid: Uint8Array | null;
  /** For strings and json. */
  readonly texts: NewTexts | null;
}

export interface CompactBatch {
  readonly rows: number;
  readonly columns: readonly CompactColumn[];
  readonly time: Float64Array;
  readonly watermark: Float64Array;
  readonly weight: Float64Array | null;
  /** By row, the row of the payload it came from; null without an origin. */
  readonly from: Uint32Array | null;
}

/** The buffer to transfer with it. */
export function bufferOf({ time }: CompactBatch): ArrayBuffer {
  return time.buffer as ArrayBuffer;
}

/** Each array begins at a multiple of this, in bytes. */
const alignment = 8;

/** Buffers that came back to this thread, for batches that leave it. */
const spares: ArrayBuffer[] = [];
/** More are left to the collector. */
const sparesMax = 16;

/** Takes the buffer of a batch that was taken in elsewhere. */
export function takeBuffer(buffer: ArrayBuffer): void {
  if (spares.length < sparesMax) spares.push(buffer);
}

/**
 * The memory of one batch. A buffer for each array would cost 3 µs to transfer; and new ones for each batch have home's collector
 * at work, which took a third of its time.
 */
class Piece {
  readonly #buffer: ArrayBuffer;
  #used = 0;

  /** For a number and a mark in each row of all columns, and three numbers and a row number beside them. */
  constructor(columns: number, rows: number) {
    const widths = columns * (Float64Array.BYTES_PER_ELEMENT + 1) + 4 * Float64Array.BYTES_PER_ELEMENT;
    const bytes = widths * rows + alignment * (2 * columns + 4);
    const spare = spares.findIndex(({ byteLength }) => byteLength >= bytes);
    this.#buffer = spare < 0 ? new ArrayBuffer(bytes * 2) : spares.splice(spare, 1)[0]!;
  }

  /** An array of the same kind as another one. */
  take<T extends Column["values"] | Uint32Array>(like: T, length: number): T {
    const make = like.constructor as new (buffer: ArrayBuffer, at: number, length: number) => T;
    const array = new make(this.#buffer, this.#used, length);
    this.#used += Math.ceil(array.byteLength / alignment) * alignment;
    return array;
  }
}

/** The texts of a column that leaves, as codes of their own, and how many of them have crossed. */
interface Leaving {
  readonly translation: Translation;
  crossed: number;
}

/** Where the batches of a pipeline leave a thread. */
export class Departure {
  /** By column of strings. */
  readonly #strings: (Leaving | undefined)[] = [];

  /** A copy of the selected rows, which owns its memory. All that leave have to be taken in, in this order. */
  leave(batch: Batch): CompactBatch {
    const { count, selection, weight, origin } = batch;
    const piece = new Piece(batch.columns.length, count);
    return {
      rows: count,
      time: gather(batch.time, batch, piece),
      watermark: gather(batch.watermark, batch, piece),
      weight: weight === null ? null : gather(weight, batch, piece),
      columns: batch.columns.map((column, place) => this.#column(column, place, batch, piece)),
      from: origin === null ? null : copied(selection, count, piece),
    };
  }

  /** What left last did not arrive: no text is known over there. */
  reset(): void {
    this.#strings.length = 0;
  }

  #column(column: Column, place: number, batch: Batch, piece: Piece): CompactColumn {
    const valid = column.valid === null ? null : gather(column.valid, batch, piece);
    const { type, values } = column;
    const { selection, count } = batch;
    if (type !== "string" && type !== "json")
      return { type, values: gather(values, batch, piece), valid, texts: null };
    // JSON hardly comes twice: each batch has its own.
    const leaving = type === "json" ? newLeaving() : this.#leaving(place);
    const { translation, crossed: first } = leaving;
    translation.meet(column.dictionary);
    const codes = piece.take(values, count);
    for (let i = 0; i < count; i++)
      if (valid === null || valid[i] === 1) codes[i] = translation.codeOf(values[selection[i]!]!);
    const { texts } = translation;
    leaving.crossed = texts.size;
    return { type, values: codes, valid, texts: { first, texts: texts.texts(first, texts.size) } };
  }

  #leaving(place: number): Leaving {
    const known = this.#strings[place];
    return known?.translation.texts.isFull === false ? known : (this.#strings[place] = newLeaving());
  }
}

function newLeaving(): Leaving {
  return { translation: new Translation(new TextDictionary()), crossed: 0 };
}

/** The texts that came from a thread. */
class ArrivedTexts implements Dictionary {
  readonly #texts: string[] = [];
  get size(): number {
    return this.#texts.length;
  }
  text(code: number): string {
    return this.#texts[code]!;
  }
  add(texts: readonly string[]): void {
    for (const text of texts) this.#texts.push(text);
  }
}

/** Those of one thread and column, as codes of home. */
interface Abroad {
  readonly texts: ArrivedTexts;
  translation: Translation | null;
}

/** A batch that has come, by column with the texts that its codes are of. */
export interface Arrived {
  readonly compact: CompactBatch;
  readonly abroad: readonly (Abroad | null)[];
}

/** Where the batches of a pipeline arrive, from all threads. */
export class Arrival {
  /** By column of strings, the dictionary that its batches have here. */
  readonly #here: (TextDictionary | undefined)[] = [];
  /** By thread and column. */
  readonly #abroad = new Map<number, (Abroad | undefined)[]>();

  /** Takes a batch in. Those of a thread have to be taken in as they left it; what is done with them may have any order. */
  take(compact: CompactBatch, thread: number): Arrived {
    let columns = this.#abroad.get(thread);
    if (columns === undefined) this.#abroad.set(thread, (columns = []));
    const abroad = compact.columns.map(({ type, texts }, place) => {
      if (texts === null) return null;
      const known = type === "json" || texts.first === 0 ? undefined : columns[place];
      const all = known ?? { texts: new ArrivedTexts(), translation: null };
      all.texts.add(texts.texts);
      if (type === "string") columns[place] = all;
      return all;
    });
    return { compact, abroad };
  }

  /** The batch on this side, once; `origin` speaks of the rows of the payloads. */
  batch({ compact, abroad }: Arrived, schema: Schema, origin: Origin): Batch {
    const { from } = compact;
    return makeBatch({
      schema,
      columns: compact.columns.map((column, place) => this.#column(column, abroad[place]!, place)),
      rows: compact.rows,
      time: compact.time,
      watermark: compact.watermark,
      weight: compact.weight,
      origin:
        from === null
          ? null
          : { payload: (row) => origin.payload(from[row]!), subject: (row) => origin.subject(from[row]!) },
    });
  }

  #column({ type, values, valid }: CompactColumn, abroad: Abroad | null, place: number): Column {
    if (abroad === null) return { type, values, valid, dictionary: null } as Column;
    if (type === "json") return { type, values, valid, dictionary: abroad.texts } as Column;
    const translation = this.#translation(abroad, place);
    translation.meet(abroad.texts);
    const codes = values as Int32Array;
    for (let row = 0; row < codes.length; row++)
      if (valid === null || valid[row] === 1) codes[row] = translation.codeOf(codes[row]!);
    return { type, values, valid, dictionary: translation.texts } as Column;
  }

  #translation(abroad: Abroad, place: number): Translation {
    let here = this.#here[place];
    if (here === undefined || here.isFull) this.#here[place] = here = new TextDictionary();
    if (abroad.translation?.texts !== here) abroad.translation = new Translation(here);
    return abroad.translation;
  }
}

/** The selected rows. */
function gather<T extends Column["values"]>(values: T, { selection, count }: Batch, piece: Piece): T {
  // Where all are selected they are one piece.
  if (count > 0 && selection[count - 1] === count - 1) return copied(values, count, piece);
  const out = piece.take(values, count);
  for (let i = 0; i < count; i++) out[i] = values[selection[i]!]!;
  return out;
}

/** The first `count` of some. */
function copied<T extends Column["values"] | Uint32Array>(values: T, count: number, piece: Piece): T {
  const out = piece.take(values, count);
  out.set(values.subarray(0, count) as never);
  return out;
}
