// Protobuf payloads to columns: the door of this folder. Enums are read as numbers, and their names put in their
// places a batch at a time.

import type { Column } from "../../../operators/sdk/index.ts";
import { TextDictionary } from "../../batch/columns.ts";
import type { Payloads } from "../../batch/payloads.ts";
import { limits } from "../../limits.ts";
import type { Decoded, Decoder, FieldRead } from "../codec.ts";
import { createKernelDecoder } from "../kernel/decoder.ts";
import { ReaderDecoder } from "../reader-decoder.ts";
import { columnsOf, type ProtoMessage } from "./message.ts";
import { ProtobufReader } from "./reader.ts";

/** A decoder of `message` that reads `fields`, each of which is a scalar of it. `kernel: false`: same results, slower. */
export function createProtobufDecoder(
  fields: readonly FieldRead[],
  message: ProtoMessage,
  options: { readonly kernel?: boolean } = {},
): Decoder {
  const columns = new Map(columnsOf(message).map(({ name, field }) => [name, field]));
  const enums = fields.map(({ name }) => {
    const { scalar, names } = columns.get(name)!;
    return scalar === "enum" ? new EnumTexts(names) : null;
  });
  const numbers = fields.map((field, place) =>
    enums[place] === null ? field : { name: field.name, type: "float64" as const },
  );
  const reader = new ProtobufReader(numbers, message);
  const kernel = options.kernel === false || !reader.forKernel ? null : createKernelDecoder(numbers, reader);
  const decoder = kernel ?? new ReaderDecoder(numbers, reader);
  return enums.every((each) => each === null) ? decoder : new EnumDecoder(decoder, enums);
}

class EnumDecoder implements Decoder {
  readonly #numbers: Decoder;
  readonly #enums: readonly (EnumTexts | null)[];

  constructor(numbers: Decoder, enums: readonly (EnumTexts | null)[]) {
    this.#numbers = numbers;
    this.#enums = enums;
  }

  decode(payloads: Payloads): Decoded {
    const decoded = this.#numbers.decode(payloads);
    const columns = decoded.columns.map((column, place) => {
      const texts = this.#enums[place];
      return texts == null ? column : texts.column(column, decoded.rows);
    });
    return { ...decoded, columns };
  }
}

/** Numbers of an enum to texts. One that has no name is its digits, as in protobuf's JSON. */
class EnumTexts {
  readonly #names: ReadonlyMap<number, string>;
  readonly #codes = new Map<number, number>();
  #dictionary = new TextDictionary();
  #values = new Int32Array(0);

  constructor(names: readonly (readonly [number, string])[]) {
    this.#names = new Map(names);
  }

  column(numbers: Column, rows: number): Column {
    if (this.#values.length < rows) this.#values = new Int32Array(rows);
    if (this.#codes.size > limits.dictionary_entries_max) {
      this.#dictionary = new TextDictionary();
      this.#codes.clear();
    }
    const values = this.#values;
    const codes = this.#codes;
    const { valid } = numbers;
    for (let row = 0; row < rows; row++) {
      if (valid !== null && valid[row] === 0) continue;
      const number = numbers.values[row] as number;
      values[row] = codes.get(number) ?? this.#code(number);
    }
    return { type: "string", values: values.subarray(0, rows), valid, dictionary: this.#dictionary };
  }

  #code(number: number): number {
    const code = this.#dictionary.code(this.#names.get(number) ?? `${number}`);
    this.#codes.set(number, code);
    return code;
  }
}
