// The records of one message, where a message holds many: lines, the elements of an array, values one after the other, the
// rows of a lane; or what others write, a pack of SenML or lines of InfluxDB, as records of JSON.
// Finds where they begin and end and, but for those two, nothing else: what cannot be cut is one record, which its decoder then judges.

import { RecordList, type Records } from "../batch/payloads.ts";
import { limits } from "../limits.ts";
import type { Format } from "./codec.ts";
import { cutArray } from "./json/elements.ts";
import { InfluxLines } from "./influx-lines.ts";
import { LineSplitter } from "./kernel/line-splitter.ts";
import { laneBody } from "./lane-message.ts";
import { cutLaneRows } from "./lane-rows.ts";
import { sourceOf, valueEnd } from "./msgpack/value-end.ts";
import { SenmlPacks } from "./senml.ts";

/** `message`: each message is one record. `lane`: what a sink with `delivery: lane` sends, whatever its rows are written in. */
export const framings = ["message", "lines", "array", "values", "lane", "senml", "influx"] as const;
export type Framing = (typeof framings)[number];

/** How messages of a format may hold many records. */
export const framingsOf: Readonly<Record<Format, readonly Framing[]>> = {
  json: ["message", "lines", "array", "lane", "senml", "influx"],
  csv: ["message", "lines", "lane"],
  msgpack: ["message", "values", "lane"],
  // Its records do not tell where they end.
  protobuf: ["message", "lane"],
};

/** The records of a message that arrived at `arrived`, wall clock ms; valid until the next one is cut. */
export type Cut = (message: Uint8Array, arrived: number) => Records;

/** How messages are cut; null where each is one record. */
export function cutOf(framing: Framing): Cut | null {
  const records = new RecordList();
  switch (framing) {
    case "message":
      return null;
    case "lines":
      return linesByKernel((message) => cutLines(message, records));
    case "senml": {
      const packs = new SenmlPacks();
      return (message, arrived) =>
        madeRecords(records, packs.resolve(message, arrived) ?? [refused(message)]);
    }
    case "influx":
      return (message, arrived) =>
        madeRecords(
          records,
          new InfluxLines(message, arrived)
            .records()
            .map(({ text, isRecord }) => (isRecord ? text : refused(text))),
        );
    case "array":
      return (message) => cutWhole(message, records, cutArray);
    case "values":
      return (message) => cutWhole(message, records, cutValues);
    case "lane":
      return (message) => cutWhole(laneBody(message), records, cutLaneRows);
  }
}

/** Shorter messages are cut sooner than they are copied. */
const kernelLength = 1_024;
const linesMax = {
  lengthMax: limits.payload_bytes_max,
  rows: limits.batch_rows_max,
  bytes: limits.batch_bytes_max,
};
const lineFeed = 10;
const carriageReturn = 13;

/** By the kernel, which needs a fifth of the time for a message of many lines; by `cut` where it is not worth the call. */
function linesByKernel(cut: (message: Uint8Array) => Records): Cut {
  const splitter = LineSplitter.create();
  if (splitter === null) return cut;
  return (message) => {
    const { length } = message;
    if (length < kernelLength || length >= splitter.buffer.length) return cut(message);
    splitter.buffer.set(message);
    splitter.buffer[length] = lineFeed;
    splitter.begin();
    const { at } = splitter.split(0, length + 1, linesMax);
    if (at <= length) return cut(message);
    const { bytes, offsets, count } = splitter.lines();
    return { bytes, starts: offsets, ends: offsets.subarray(1), count };
  };
}

/** Lines end with LF or CR LF; empty ones are none. */
function cutLines(message: Uint8Array, records: RecordList): Records {
  // The search of a Buffer costs a fifth of that of a plain array.
  const text = Buffer.from(message.buffer, message.byteOffset, message.length);
  records.begin(message);
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf(lineFeed, start);
    const behind = found < 0 ? text.length : found;
    const end = behind > start && text[behind - 1] === carriageReturn ? behind - 1 : behind;
    if (end > start) records.add(start, end);
    start = behind + 1;
  }
  return records;
}

/** Half a message is none: where it cannot be cut to its end, it is one record. */
function cutWhole(
  message: Uint8Array,
  records: RecordList,
  cut: (message: Uint8Array, records: RecordList) => boolean,
): Records {
  records.begin(message);
  if (message.length === 0 || cut(message, records)) return records;
  records.begin(message);
  records.add(0, message.length);
  return records;
}

function cutValues(message: Uint8Array, records: RecordList): boolean {
  const source = sourceOf(message);
  for (let start = 0; start < message.length; ) {
    const end = valueEnd(source, start);
    if (end < 0) return false;
    records.add(start, end);
    start = end;
  }
  return true;
}

/** Records that are not in the message as they stand. */
function madeRecords(records: RecordList, payloads: readonly Uint8Array[]): Records {
  records.begin(Buffer.concat(payloads));
  let start = 0;
  for (const { length } of payloads) {
    records.add(start, start + length);
    start += length;
  }
  return records;
}

/** In place of what gives no record: a list, which no decoder takes for one, as it might take a part of a pack. */
function refused(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from("["), bytes, Buffer.from("]")]);
}
