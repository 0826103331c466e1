// q5 by hand: counts of each slice of 2 s, five of which are a window. Records are in order.

import { eachRecord, type Program } from "../../../engines/by-hand.ts";
import type { AuctionEvent } from "../events.ts";

export const run: Program = (bytes, emit) => {
  const [slice_ms, slices] = [2_000, 5];
  const counts: Map<number, number>[] = [];
  let last = Number.NaN;
  const close = (): void => {
    const totals = new Map<number, number>();
    for (const slice of counts)
      for (const [auction, n] of slice) totals.set(auction, (totals.get(auction) ?? 0) + n);
    let most = 0;
    let winner = 0;
    for (const [auction, n] of totals) if (n > most) [most, winner] = [n, auction];
    if (most > 0)
      emit(Buffer.from(JSON.stringify({ window_end: (last + 1) * slice_ms, auction: winner, n: most })));
  };
  const advance = (slice: number): void => {
    for (; last < slice; last++) {
      close();
      counts.push(new Map());
      if (counts.length > slices) counts.shift();
    }
  };
  eachRecord(bytes, (record) => {
    const event = record as AuctionEvent;
    if (event.event !== "bid") return;
    const slice = Math.floor(event.dateTime / slice_ms);
    if (Number.isNaN(last)) {
      last = slice;
      counts.push(new Map());
    }
    advance(slice);
    const open = counts.at(-1)!;
    open.set(event.auction, (open.get(event.auction) ?? 0) + 1);
  });
  advance(last + slices);
};
