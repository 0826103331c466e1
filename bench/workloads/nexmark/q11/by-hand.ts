// q11 by hand. Records are in order.

import { eachRecord, type Program } from "../../../engines/by-hand.ts";
import type { AuctionEvent } from "../events.ts";

export const run: Program = (bytes, emit) => {
  const gap_ms = 10_000;
  const open = new Map<number, { window_start: number; last: number; n: number }>();
  const send = (
    bidder: number,
    { window_start, last, n }: { window_start: number; last: number; n: number },
  ): void => emit(Buffer.from(JSON.stringify({ bidder, window_start, window_end: last + gap_ms, n })));
  eachRecord(bytes, (record) => {
    const event = record as AuctionEvent;
    if (event.event !== "bid") return;
    const { bidder, dateTime } = event;
    const session = open.get(bidder);
    if (session === undefined || dateTime - session.last > gap_ms) {
      if (session !== undefined) send(bidder, session);
      open.set(bidder, { window_start: dateTime, last: dateTime, n: 1 });
    } else {
      session.last = dateTime;
      session.n++;
    }
  });
  for (const [bidder, session] of open) send(bidder, session);
};
