import { expect, it } from "vitest";
import type { SinkStats } from "../connect/connect.ts";
import type { KeptRow } from "../state/outbox/entry.ts";
import { ChainAccount } from "./chain-account.ts";
import { outboxSink } from "./outbox-sink.ts";

it("hands rows to its chain, and tells of them what its account does", () => {
  const added: [string, KeptRow][] = [];
  const known: SinkStats = { rows: 0, bytes: 0, pending: 2, dropped: {} };
  const sink = outboxSink({
    outbox: { add: (...row) => added.push(row), ready: () => Promise.resolve() },
    chain: "cloud/FLEET",
    form: "boilers/main",
    account: new ChainAccount(() => known).share(),
  });
  const payload = Uint8Array.of(1, 2, 3);
  sink.write({ subject: "a", payload, id: null, caused: 5, rows: 2 });
  const row = { subject: "a", payload, caused: 5, rows: 2, headers: null, form: "boilers/main" };
  expect(added).toEqual([["cloud/FLEET", row]]);
  expect(sink.stats()).toEqual(known);
});
