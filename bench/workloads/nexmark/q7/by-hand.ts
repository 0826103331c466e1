// q7 by hand. Records are in order.

import { eachRecord, type Program } from "../../../engines/by-hand.ts";
import type { AuctionEvent } from "../events.ts";

export const run: Program = (bytes, emit) => {
  let end = Number.NEGATIVE_INFINITY;
  let highest = { price: -1, auction: 0, bidder: 0 };
  const close = (): void => {
    if (highest.price >= 0) emit(Buffer.from(JSON.stringify({ window_end: end, ...highest })));
  };
  eachRecord(bytes, (record) => {
    const event = record as AuctionEvent;
    if (event.event !== "bid") return;
    const { price, auction, bidder, dateTime } = event;
    if (dateTime >= end) {
      close();
      end = (Math.floor(dateTime / 10_000) + 1) * 10_000;
      highest = { price: -1, auction: 0, bidder: 0 };
    }
    if (price > highest.price) highest = { price, auction, bidder };
  });
  close();
};
