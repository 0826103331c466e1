// `proto: { file, message }` beside `format: protobuf`: the message that a source reads or a sink writes, and whether
// its fields and the columns fit. The .proto file is read by whoever loads the pipeline; nothing here opens it.

import { z } from "zod";
import { type ColumnType, columnTypes, type Schema } from "../../operators/sdk/index.ts";
import type { Format } from "../codec/codec.ts";
import {
  columnsOf,
  jsonColumnsOf,
  type ProtoColumn,
  type ProtoMessage,
  typeOf,
  typesFor,
} from "../codec/protobuf/message.ts";
import { choiceOf, didYouMean } from "./nearest.ts";
import type { Path } from "./pipeline.ts";
import type { Reader } from "./section.ts";

export const protoSetting: z.ZodOptional<z.ZodType<{ file: string; message: string }>> = z
  .strictObject({
    file: z.string().min(1).max(4096).meta({
      description: "The .proto file, relative to the pipeline's file. It may import files beside it.",
    }),
    message: z
      .string()
      .min(1)
      .max(512)
      .meta({
        description: "The message that a record is, with its package where there is one.",
        examples: ["plant.Reading"],
      }),
  })
  .optional()
  .meta({
    description:
      "What the records of `format: protobuf` are. A field that is not there is null where the file lets that be told (`optional`, a member of a oneof, anything in a message that is not there), else 0, false, the empty text or the first name of an enum. Null is not written, nor is what a field cannot hold, such as a fraction in an integer: who reads it finds the same. An enum is a text: its name, or the digits of a number that has none. What is repeated, a map or bytes is read where `schema` declares it as json (`schema: { metrics: json }`): a list, an object, a text in base64; `unnest` makes a record of each element.",
  });

interface Formatted {
  readonly format?: Format | undefined;
  readonly proto?: { readonly file: string; readonly message: string } | undefined;
}

/** The message that the settings at `path` name; null where there is none, which is reported where there should be. */
export function readMessage(reader: Reader, path: Path, { format, proto }: Formatted): ProtoMessage | null {
  if (proto === undefined) {
    if (format === "protobuf") {
      const hint = "add proto: { file: readings.proto, message: Reading }";
      reader.fault([...path, "format"], "protobuf needs a .proto file", hint);
    }
    return null;
  }
  if (format !== "protobuf") {
    reader.keyFault([...path, "proto"], "proto belongs to format: protobuf", "add that, or remove proto");
    return null;
  }
  const file = reader.protos(proto.file);
  if ("fault" in file) {
    reader.fault([...path, "proto", "file"], file.fault, file.hint);
    return null;
  }
  const message = file.message(proto.message);
  if (message === null) {
    const what = `${proto.file} has no message ${proto.message}`;
    reader.fault([...path, "proto", "message"], what, didYouMean(proto.message, file.names));
    return null;
  }
  if (!("fault" in message)) return message;
  reader.fault([...path, "proto", "message"], message.fault, message.hint);
  return null;
}

/**
 * The columns of a source whose records are `message`: all of its scalars. `declared` may say of some that they are
 * of another type, and `timeField` is a time.
 */
export function messageSchema(
  reader: Reader,
  path: Path,
  message: ProtoMessage,
  declared: Readonly<Record<string, ColumnType>> | undefined,
  timeField: string | undefined,
): Readonly<Record<string, ColumnType>> {
  const columns = columnsOf(message);
  const schema = new Map(
    columns.map(({ name, field }): [string, ColumnType] => [name, typeOf(field.scalar!)]),
  );
  const take = (name: string, type: ColumnType, at: Path, isKey: boolean): void => {
    const fault = readFault(message, name, type);
    if (fault === null) schema.set(name, type);
    else if (isKey) reader.keyFault(at, fault.message, fault.hint);
    else reader.fault(at, fault.message, fault.hint);
  };
  for (const [name, type] of Object.entries(declared ?? {}))
    take(name, type, [...path, "schema", name], true);
  if (timeField !== undefined) take(timeField, "time", [...path, "time", "field"], false);
  return Object.fromEntries(schema);
}

/** Why a field cannot be read as that type; null where it can. */
function readFault(message: ProtoMessage, name: string, type: ColumnType): Fault | null {
  const columns = columnsOf(message);
  const column = columns.find((each) => each.name === name);
  if (column !== undefined) return misfit(message, column, type);
  const json = jsonColumnsOf(message);
  const whole = json.find((each) => each.name === name)?.field.json;
  if (whole == null) return missing(message, [...columns, ...json], name, "field");
  if (type === "json") return null;
  const what = whole.kind === "map" ? "a map" : whole.kind === "list" ? "a list" : "bytes";
  return { message: `${message.name}.${name} is ${what}, not ${type}`, hint: "expected json" };
}

/** Checks that every column of `rows` has a field of `message` which takes it. */
export function checkMessageRows(reader: Reader, path: Path, rows: Schema, message: ProtoMessage): void {
  const at = [...path, "proto", "message"];
  const columns = columnsOf(message);
  for (const { name, type } of rows.fields) {
    const column = columns.find((each) => each.name === name);
    const fault =
      column === undefined ? missing(message, columns, name, "scalar field") : misfit(message, column, type);
    if (fault === null) continue;
    reader.fault(at, `the rows have a column ${name} of type ${type}: ${fault.message}`, fault.hint);
    return;
  }
}

interface Fault {
  readonly message: string;
  readonly hint: string | null;
}

function missing(message: ProtoMessage, columns: readonly ProtoColumn[], name: string, what: string): Fault {
  const names = columns.map((each) => each.name);
  return { message: `${message.name} has no ${what} ${name}`, hint: didYouMean(name, names) };
}

function misfit(message: ProtoMessage, { name, field }: ProtoColumn, type: ColumnType): Fault | null {
  const types = typesFor(field.scalar!);
  if (types.includes(type)) return null;
  const known = columnTypes.filter((each) => types.includes(each));
  return {
    message: `${message.name}.${name} is ${field.scalar}, not ${type}`,
    hint: `expected ${choiceOf(known)}`,
  };
}
