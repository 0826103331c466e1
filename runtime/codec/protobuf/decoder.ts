// Protobuf payloads to columns: the door of this folder. Enums are read as numbers, and their names put in their
// places a batch at a time; what is read as JSON is read beside the scalars, which stay as quick as they are without it.

import type { Column } from "../../../operators/sdk/index.ts";
import { TextDictionary } from "../../batch/columns.ts";
import type { Payloads } from "../../batch/payloads.ts";
import { limits } from "../../limits.ts";
import type { Decoded, DecodeFault, Decoder, FieldRead } from "../codec.ts";
import { RawTexts } from "../json/raw-texts.ts";
import { createKernelDecoder } from "../kernel/decoder.ts";
import { ReaderDecoder } from "../reader-decoder.ts";
import { JsonFields } from "./json-fields.ts";
import { columnsOf, jsonColumnsOf, type ProtoColumn, type ProtoMessage } from "./message.ts";
import { ProtobufReader } from "./reader.ts";

interface ProtobufDecoderOptions {
  readonly kernel?: boolean;
}

/**
 * A decoder of `message` that reads `fields`: scalars of it, and as JSON lists, maps and bytes. `kernel: false`: same
 * results, slower.
 */
export function createProtobufDecoder(
  fields: readonly FieldRead[],
  message: ProtoMessage,
  options: ProtobufDecoderOptions = {},
): Decoder {
  const scalars = fields.filter(({ type }) => type !== "json");
  const decoder = createScalarDecoder(scalars, message, options);
  return scalars.length === fields.length ? decoder : new JsonDecoder(decoder, fields, message);
}

function createScalarDecoder(
  fields: readonly FieldRead[],
  message: ProtoMessage,
  options: ProtobufDecoderOptions,
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

/** Puts the columns of JSON between those of scalars. */
class JsonDecoder implements Decoder {
  readonly #scalars: Decoder;
  readonly #fields: readonly FieldRead[];
  /** By field, what is read as JSON. */
  readonly #json: readonly (ProtoColumn | null)[];
  readonly #reader = new JsonFields();

  constructor(scalars: Decoder, fields: readonly FieldRead[], message: ProtoMessage) {
    this.#scalars = scalars;
    this.#fields = fields;
    const columns = jsonColumnsOf(message);
    this.#json = fields.map(({ name, type }) =>
      type === "json" ? columns.find((column) => column.name === name)! : null,
    );
  }

  decode(payloads: Payloads): Decoded {
    const decoded = this.#scalars.decode(payloads);
    this.#reader.load(payloads.bytes);
    const places = this.#fields.flatMap(({ type }, field) => (type === "json" ? [] : [field]));
    const faults = decoded.faults.map((fault) => ({ ...fault, field: places[fault.field] ?? -1 }));
    const isBroken = new Set(faults.filter(({ field }) => field < 0).map(({ row }) => row));
    let scalar = 0;
    const columns = this.#json.map((json, field) =>
      json === null ? decoded.columns[scalar++]! : this.#column(json, field, payloads, isBroken, faults),
    );
    return { rows: decoded.rows, columns, faults: faults.sort((a, b) => a.row - b.row || a.field - b.field) };
  }

  #column(
    json: ProtoColumn,
    field: number,
    { offsets, count }: Payloads,
    isBroken: ReadonlySet<number>,
    faults: DecodeFault[],
  ): Column {
    const texts = new RawTexts(count);
    const [values, valid] = [new Int32Array(count), new Uint8Array(count)];
    for (let row = 0; row < count; row++) {
      if (isBroken.has(row)) continue;
      const { text, fault } = this.#reader.text(json, offsets[row]!, offsets[row + 1]!);
      if (fault !== "") faults.push({ row, field, reason: "type", detail: fault });
      if (text === null) continue;
      values[row] = texts.add(text);
      valid[row] = 1;
    }
    return { type: "json", values, valid, dictionary: texts };
  }
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
