// The filter by hand: what passes is written out again.

import { eachRecord, type Program } from "../../../engines/by-hand.ts";

export const run: Program = (bytes) => {
  const rows: Uint8Array[] = [];
  eachRecord(bytes, (record) => {
    if ((record as { temperature: number }).temperature > 50) rows.push(Buffer.from(JSON.stringify(record)));
  });
  return rows;
};
