// Payloads to columns by an exact reader alone: what the kernel's results are compared with, and the decoder where
// there is no kernel.

import type { Payloads } from "../batch/payloads.ts";
import type { DecodeFault, Decoded, Decoder, FieldRead } from "./codec.ts";
import { HeapLanding, type Landing } from "./json/landing.ts";

/**
 * One record at a time from bytes to a row of columns. The truth in tests, the whole decoder where WebAssembly is
 * missing, and otherwise the fallback for records that fit no template.
 */
export interface RecordReader {
  /** Writes row `row` of every column, and appends what is wrong with it. True when nothing is. */
  read(
    bytes: Uint8Array,
    start: number,
    end: number,
    row: number,
    landing: Landing,
    faults: DecodeFault[],
  ): boolean;
}

/** Decodes with the exact reader alone. */
export class ReaderDecoder implements Decoder {
  readonly #reader: RecordReader;
  readonly #landing: HeapLanding;

  /** `reader` is one of `fields`. */
  constructor(fields: readonly FieldRead[], reader: RecordReader) {
    this.#reader = reader;
    this.#landing = new HeapLanding(fields.map((field) => field.type));
  }

  decode(payloads: Payloads): Decoded {
    const { bytes, offsets, count } = payloads;
    const landing = this.#landing;
    const faults: DecodeFault[] = [];
    landing.begin(count);
    for (let row = 0; row < count; row++)
      this.#reader.read(bytes, offsets[row]!, offsets[row + 1]!, row, landing, faults);
    return { rows: count, columns: landing.finish(), faults };
  }
}
