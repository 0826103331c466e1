// q8 by hand. Records are in order, so one window is open at a time.

import { eachRecord, type Program } from "../../../engines/by-hand.ts";
import type { AuctionEvent } from "../events.ts";

export const run: Program = (bytes, emit) => {
  let window = Number.NaN;
  const people = new Map<number, string>();
  const sellers = new Set<number>();
  const close = (): void => {
    for (const [id, name] of people)
      if (sellers.has(id)) emit(Buffer.from(JSON.stringify({ id, name, time: window * 10_000 })));
    people.clear();
    sellers.clear();
  };
  eachRecord(bytes, (record) => {
    const event = record as AuctionEvent;
    if (event.event === "bid") return;
    const its = Math.floor(event.dateTime / 10_000);
    if (its !== window) {
      close();
      window = its;
    }
    if (event.event === "person") people.set(event.id, event.name);
    else sellers.add(event.seller);
  });
  close();
};
