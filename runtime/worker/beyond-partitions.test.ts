// A pipeline that counts fewer partitions than its stream has, on a real server.

import { jetstream } from "@nats-io/jetstream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { VirtualClock, wallClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { managerOf } from "../connect/jetstream-requests.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { type RunningNatsServer, startNatsServer } from "../connect/nats-server.ts";
import { warnOfUnread } from "./beyond-partitions.ts";

let server: RunningNatsServer;
let link: NatsLink;

beforeAll(async () => {
  server = await startNatsServer({ name: "weir-beyond-test" }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, silentLog);
  await (await managerOf(link, null)).streams.add({ name: "S", subjects: ["p.>"] });
  for (const partition of [0, 5, 6]) await jetstream(link.nats).publish(`p.${partition}.s.m1`, "{}");
});

afterAll(async () => {
  await link?.close();
  await server?.stop();
});

test.each([
  [
    "S",
    6,
    ["stream S has messages under p.6.s.*, and nobody reads them: placement says 6 partitions (0 to 5)"],
  ],
  ["S", 7, []],
  ["NOT_THERE", 6, []],
])("%s with %i partitions", async (stream, count, expected) => {
  const told: string[] = [];
  const log = { warn: (message: string) => void told.push(message) };
  await warnOfUnread(link, { stream, subject: "p.{partition}.s.{mote}", count }, log, wallClock);
  expect(told.map((each) => each.split(";")[0])).toEqual(expected);
});

test("an empty stream is looked at again until it holds something", async () => {
  await (await managerOf(link, null)).streams.add({ name: "LATER", subjects: ["q.>"] });
  const told: string[] = [];
  const log = { warn: (message: string) => void told.push(message) };
  const clock = new VirtualClock();
  const over: boolean[] = [];
  const asked = { stream: "LATER", subject: "q.{partition}.s.{mote}", count: 6 };
  const warned = warnOfUnread(link, asked, log, clock).then(() => over.push(true));
  await link.nats.flush();
  clock.advanceTo(60_000);
  await link.nats.flush();
  expect([over, told]).toEqual([[], []]);
  for (const partition of [0, 6]) await jetstream(link.nats).publish(`q.${partition}.s.m1`, "{}");
  while (over.length === 0) {
    clock.advanceTo(clock.now() + 600_000);
    await link.nats.flush();
  }
  await warned;
  expect(told[0]).toContain("stream LATER has messages under q.6.s.*");
});
