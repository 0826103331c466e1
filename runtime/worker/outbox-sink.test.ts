import { expect, it } from "vitest";
import { limits } from "../limits.ts";
import type { KeptRow } from "../state/outbox/entry.ts";
import { outboxSink } from "./outbox-sink.ts";

const payload = Uint8Array.of(1, 2, 3);

function chainOf(): { add: (chain: string, row: KeptRow) => number; given: number; confirmed: number } {
  const chain = { given: 0, confirmed: 0, add: () => ++chain.given };
  return chain;
}

it("counts the rows of its own branch alone where two share a chain", () => {
  const chain = chainOf();
  const options = {
    outbox: { add: chain.add, ready: () => Promise.resolve() },
    chain: "cloud/FLEET",
    progress: () => ({ confirmed: chain.confirmed, dropped: {} }),
  };
  const [first, second] = [outboxSink(options), outboxSink(options)];
  const row = { subject: "a", payload, id: null, caused: 5 };
  first!.write(row);
  second!.write({ ...row, rows: 7 });
  first!.write(row);
  expect(first!.stats()).toEqual({ rows: 0, bytes: 0, pending: 2, dropped: {} });
  chain.confirmed = 2;
  expect(first!.stats()).toEqual({ rows: 1, bytes: 3, pending: 1, dropped: {} });
  expect(second!.stats()).toEqual({ rows: 7, bytes: 3, pending: 0, dropped: {} });
});

it("keeps count through an outage in which far more waits than it remembers one by one", () => {
  const chain = chainOf();
  const sink = outboxSink({
    outbox: { add: chain.add, ready: () => Promise.resolve() },
    chain: "c",
    progress: () => ({ confirmed: chain.confirmed, dropped: {} }),
  });
  const written = limits.outbox_places_max * 5 + 3;
  for (let row = 0; row < written; row++) sink.write({ subject: "a", payload, id: null, caused: 5 });
  expect(sink.stats()).toMatchObject({ rows: 0, pending: written });
  chain.confirmed = chain.given;
  expect(sink.stats()).toMatchObject({ rows: written, bytes: written * 3, pending: 0 });
});
