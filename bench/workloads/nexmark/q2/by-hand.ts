// q2 by hand.

import { eachRecord, type Program } from "../../../engines/by-hand.ts";
import type { AuctionEvent } from "../events.ts";

export const run: Program = (bytes, emit) => {
  eachRecord(bytes, (record) => {
    const event = record as AuctionEvent;
    if (event.event !== "bid") return;
    const { auction, price } = event;
    if (auction % 123 === 0) emit(Buffer.from(JSON.stringify({ auction, price })));
  });
};
