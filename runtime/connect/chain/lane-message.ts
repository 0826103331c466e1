// Many rows in one message, each with its number, its subject and its own payload, so that whoever unpacks the message has
// the rows as they would have come one by one.
//
// The payload is a sequence of MessagePack values, one for each row: an array of six,
//   [ number, subject, caused, rows, headers, payload ]
// number   of the row in its chain; numbers go up and may jump
// subject  text: where the row was to go
// caused   when the record that completed the row arrived at the edge, ms since the epoch
// rows     how many rows the payload holds
// headers  a map of texts, or nil
// payload  bytes, in the sink's own format
// Anything behind the sixth element is to be left alone by a reader.

import { Packr } from "msgpackr";
import type { Entry } from "../../state/outbox/entry.ts";

const packer = new Packr({ useRecords: false, mapsAsObjects: true });

/** One row as it stands in a message. */
export function laneRow({ number, row }: Entry): Uint8Array {
  const payload = Buffer.from(row.payload.buffer, row.payload.byteOffset, row.payload.length);
  return packer.pack([number, row.subject, row.caused, row.rows, row.headers, payload]);
}
