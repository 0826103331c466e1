// UC1 by hand.

import { eachRecord, type Program } from "../../../engines/by-hand.ts";

export const run: Program = (bytes, emit) => {
  eachRecord(bytes, (record) => emit(Buffer.from(JSON.stringify(record))));
};
