// The filter by hand: what passes is written out again.

import { eachRecord, type Program } from "../../../engines/by-hand.ts";

export const run: Program = (bytes, emit) => {
  eachRecord(bytes, (record) => {
    if ((record as { temperature: number }).temperature > 50) emit(Buffer.from(JSON.stringify(record)));
  });
};
