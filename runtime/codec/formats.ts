// Chooses a codec by the name of its format. The only file that knows them all; it encodes nothing.

import { WeirError } from "../errors.ts";
import type { Decoder, Encoder, EncoderOptions, FieldRead, Format } from "./codec.ts";
import { createCsvDecoder } from "./csv/decoder.ts";
import { createCsvEncoder } from "./csv/encoder.ts";
import { csvRest, csvRestToJson } from "./csv/members.ts";
import { createJsonDecoder } from "./json/decoder.ts";
import { createJsonEncoder } from "./json/encoder.ts";
import { jsonRestToJson } from "./json/encoder-members.ts";
import { createMsgpackDecoder } from "./msgpack/decoder.ts";
import { createMsgpackEncoder } from "./msgpack/encoder.ts";
import {
  appendPacked,
  jsonRestToMsgpack,
  msgpackRestToJson,
  msgpackRestToMsgpack,
} from "./msgpack/members.ts";
import { createProtobufDecoder } from "./protobuf/decoder.ts";
import { createProtobufEncoder } from "./protobuf/encoder.ts";
import type { ProtoMessage } from "./protobuf/message.ts";
import { type RestMembers, restExcept } from "./rest.ts";

/** What a format needs to be told besides the fields or the schema. */
export interface FormatOptions {
  /** The columns of the lines that are read; needed for `csv`, where no payload names them. */
  readonly header?: readonly string[];
  /** Needed for `protobuf`, whose payloads name nothing. */
  readonly message?: ProtoMessage | null;
}

/** A decoder of `format` that reads `fields`. */
export function createDecoder(
  format: Format,
  fields: readonly FieldRead[],
  options: FormatOptions = {},
): Decoder {
  switch (format) {
    case "json":
      return createJsonDecoder(fields);
    case "msgpack":
      return createMsgpackDecoder(fields);
    case "protobuf":
      return createProtobufDecoder(fields, messageOf(options));
    case "csv":
      return createCsvDecoder(fields, { header: headerOf(options) });
  }
}

/**
 * An encoder to `format`. With a rest in the schema, each row also carries the members of its original
 * record, in the format `options.origin`, that no field of the schema replaces (see `rest.ts` for the
 * rule): byte for byte where both formats are the same.
 */
export function createEncoder(format: Format, options: EncoderOptions & FormatOptions): Encoder {
  switch (format) {
    case "json":
      return createJsonEncoder(options, restMembers("json", options));
    case "msgpack":
      return createMsgpackEncoder(options, restMembers("msgpack", options));
    case "protobuf":
      return createProtobufEncoder(options.schema, messageOf(options));
    case "csv":
      return createCsvEncoder(options);
  }
}

function restMembers(sink: "json" | "msgpack", options: EncoderOptions & FormatOptions): RestMembers | null {
  if (options.schema.rest === null) return null;
  const except = restExcept(options);
  switch (options.origin) {
    case null:
      throw new WeirError(
        "WEIR_CONFIG",
        `${sink} sink: expected the format of the original records, got none`,
        {
          remedy: "name the format of the source, or select the fields to write before the sink",
        },
      );
    case "json":
      return sink === "json" ? jsonRestToJson(except) : jsonRestToMsgpack(except);
    case "msgpack":
      return sink === "json" ? msgpackRestToJson(except) : msgpackRestToMsgpack(except);
    case "protobuf":
      throw new TypeError("rows that were protobuf are closed");
    case "csv":
      return sink === "json"
        ? csvRestToJson(headerOf(options), except)
        : csvRest(headerOf(options), except, appendPacked);
  }
}

function messageOf({ message }: FormatOptions): ProtoMessage {
  if (message != null) return message;
  throw new WeirError("WEIR_CONFIG", "protobuf: expected the message of its records, got none", {
    remedy: "name a .proto file and a message in it",
  });
}

function headerOf({ header }: FormatOptions): readonly string[] {
  if (header !== undefined) return header;
  throw new WeirError("WEIR_CONFIG", "csv source: expected the header of its lines, got none", {
    remedy: "give the names of the columns in the order of the file",
  });
}
