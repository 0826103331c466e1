// q12 by hand, all in one window of the clock.

import { eachRecord, type Program } from "../../../engines/by-hand.ts";
import type { AuctionEvent } from "../events.ts";

export const run: Program = (bytes, emit) => {
  const counts = new Map<number, number>();
  eachRecord(bytes, (record) => {
    const event = record as AuctionEvent;
    if (event.event === "bid") counts.set(event.bidder, (counts.get(event.bidder) ?? 0) + 1);
  });
  for (const [bidder, n] of counts) emit(Buffer.from(JSON.stringify({ bidder, n })));
};
