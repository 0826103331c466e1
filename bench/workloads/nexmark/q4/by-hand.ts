// q4 by hand. It may rely on no bid coming before its auction and still counting: those are not in its time.

import { eachRecord, type Program } from "../../../engines/by-hand.ts";
import type { AuctionEvent } from "../events.ts";

export const run: Program = (bytes, emit) => {
  const open = new Map<number, { category: number; begins: number; expires: number; closing: number }>();
  const early = new Map<number, { at: number; price: number }[]>();
  eachRecord(bytes, (record) => {
    const event = record as AuctionEvent;
    if (event.event === "auction") {
      const { id, category, dateTime, expires } = event;
      const auction = { category, begins: dateTime, expires, closing: -1 };
      open.set(id, auction);
      // Some bids of the same millisecond come first.
      for (const { at, price } of early.get(id) ?? [])
        if (at >= dateTime && at <= expires && price > auction.closing) auction.closing = price;
      early.delete(id);
    } else if (event.event === "bid") {
      const { auction: id, price, dateTime } = event;
      const auction = open.get(id);
      if (auction === undefined) early.set(id, [...(early.get(id) ?? []), { at: dateTime, price }]);
      else if (dateTime >= auction.begins && dateTime <= auction.expires && price > auction.closing)
        auction.closing = price;
    }
  });
  const means = new Map<number, { sum: number; n: number }>();
  for (const { category, closing } of open.values()) {
    if (closing < 0) continue;
    const mean = means.get(category) ?? { sum: 0, n: 0 };
    means.set(category, { sum: mean.sum + closing, n: mean.n + 1 });
  }
  for (const [category, { sum, n }] of means) emit(Buffer.from(JSON.stringify({ category, final: sum / n })));
};
