// JSON payloads to columns by the exact reader alone: what the kernel's results are compared with, and the decoder
// where there is no kernel.

import type { Payloads } from "../../batch/payloads.ts";
import type { DecodeFault, Decoded, Decoder, FieldRead } from "../codec.ts";
import { HeapLanding } from "./landing.ts";
import { compilePaths } from "./paths.ts";
import { RecordReader } from "./reader.ts";

/** Decodes with the exact reader alone. */
export class ReaderDecoder implements Decoder {
  readonly #reader: RecordReader;
  readonly #landing: HeapLanding;

  constructor(fields: readonly FieldRead[]) {
    this.#reader = new RecordReader(fields, compilePaths(fields));
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
