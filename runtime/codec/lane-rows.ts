// Many rows in one message, each with its number, its subject and its own payload, so that whoever unpacks the message has
// the rows as they would have come one by one. Packs them, and finds the payloads in place; what is not of this form is not cut.
//
// The message is a sequence of MessagePack values, one for each row: an array of six,
//   [ number, subject, caused, rows, headers, payload ]
// number   of the row in its chain; numbers go up and may jump
// subject  text: where the row was to go
// caused   when the record that completed the row arrived at the edge, ms since the epoch
// rows     how many rows the payload holds
// headers  a map of texts, or nil
// payload  bytes, in the sink's own format
// A reader leaves alone what is behind the sixth element.

import { Packr } from "msgpackr";
import type { RecordList } from "../batch/payloads.ts";
import { headerLength, kindOf, type Source } from "./msgpack/token.ts";
import { sourceOf, valueEnd } from "./msgpack/value-end.ts";

const elements = 6;

/** What is packed of a row, besides its number. */
export interface LaneRow {
  readonly subject: string;
  readonly caused: number;
  readonly rows: number;
  readonly headers: Readonly<Record<string, string>> | null;
  readonly payload: Uint8Array;
}

const packer = new Packr({ useRecords: false });

/** One row as it stands in a message. */
export function packLaneRow(
  number: number,
  { subject, caused, rows, headers, payload }: LaneRow,
): Uint8Array {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  return packer.pack([number, subject, caused, rows, headers, bytes]);
}

/** Adds each row's payload; false where the message holds something else. */
export function cutLaneRows(message: Uint8Array, records: RecordList): boolean {
  const source = sourceOf(message);
  for (let start = 0; start < message.length; ) {
    const end = valueEnd(source, start);
    if (end < 0 || !addPayload(source, start, end, records)) return false;
    start = end;
  }
  return true;
}

function addPayload(source: Source, start: number, end: number, records: RecordList): boolean {
  const { bytes } = source;
  const token = bytes[start]!;
  if (kindOf(token) !== "array") return false;
  let at = start + headerLength(token);
  let [behind, count] = [at, 0];
  // Within a value that was found to end, each element does.
  for (; behind < end && count < elements; count++) {
    at = behind;
    behind = valueEnd(source, at);
  }
  const payload = bytes[at];
  if (count < elements || payload === undefined || kindOf(payload) !== "bytes") return false;
  records.add(at + headerLength(payload), behind);
  return true;
}
