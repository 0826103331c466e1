// q3 by hand: both sides in maps, and a row as soon as the second of a pair is there.

import { eachRecord, type Program } from "../../../engines/by-hand.ts";
import type { AuctionEvent, PersonEvent } from "../events.ts";

export const run: Program = (bytes, emit) => {
  const people = new Map<number, PersonEvent>();
  const waiting = new Map<number, number[]>();
  const send = ({ name, city, state }: PersonEvent, id: number): void =>
    emit(Buffer.from(JSON.stringify({ name, city, state, id })));
  eachRecord(bytes, (record) => {
    const event = record as AuctionEvent;
    if (event.event === "person" && ["OR", "ID", "CA"].includes(event.state)) {
      people.set(event.id, event);
      for (const id of waiting.get(event.id) ?? []) send(event, id);
      waiting.delete(event.id);
    } else if (event.event === "auction" && event.category === 10) {
      const person = people.get(event.seller);
      if (person !== undefined) send(person, event.id);
      else waiting.set(event.seller, [...(waiting.get(event.seller) ?? []), event.id]);
    }
  });
};
