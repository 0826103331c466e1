// A stream of a chain's own, with more rows that may be there than a start usually finds.

import { expect, it } from "vitest";
import { wallClock } from "../../clock.ts";
import { silentLog } from "../connector-log.ts";
import { exclusiveTarget } from "./exclusive-target.ts";
import { testRow } from "./memory-outbox.fixture.ts";
import { MemoryStream, MemoryStreamPort, noFaults } from "./memory-stream.fixture.ts";
import { publicationOf } from "./publication.ts";

it("goes on from where a stream is, however many rows nobody had confirmed", async () => {
  const identity = { id: "log.chain", epoch: 2 };
  const entries = Array.from({ length: 200_000 }, (_, n) => ({ number: n + 1, row: testRow("a", n + 1) }));
  const stream = new MemoryStream();
  stream.last = entries.length - 2;
  stream.store(publicationOf({ ...identity, epoch: 1 }, entries.at(-2)!, ["x", 0]));
  const port = new MemoryStreamPort(stream, noFaults, () => 1, []);
  const events = { confirmed: () => {}, refused: () => {}, unsure: () => {} };
  const target = exclusiveTarget({ port, identity, events, clock: wallClock, log: silentLog, place: null });
  expect(await target.attach(entries, 0)).toMatchObject({ number: entries.length - 1, epoch: 1 });
  await target.close();
});
