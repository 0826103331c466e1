// Connecting: addresses, secrets that never show, waiting for a server, and coming back. And the small
// tables of the room: subjects, answers, pace.

import { type AddressInfo, connect, createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { limits } from "../limits.ts";
import { backOff } from "./back-off.ts";
import type { ConnectorLog } from "./connector-log.ts";
import { outcomeOf } from "./jetstream-publisher.ts";
import { DeliveredReader } from "./jetstream-delivered.ts";
import { verdictOf } from "./jetstream-pull.ts";
import { connectNats, type NatsLink, type NatsStatus } from "./nats-connection.ts";
import { startNatsServer, type RunningNatsServer } from "./nats-server.ts";
import { parseNatsUrl, redact } from "./nats-url.ts";
import { Schedule } from "./pace.ts";
import { Settlement } from "./settlement.ts";
import { includes, publishSubjectFault, shownSubject, subscribeSubjectFault } from "./subject.ts";

let server: RunningNatsServer | null = null;
let link: NatsLink | null = null;
const said: string[] = [];
const log: ConnectorLog = { info: (message) => said.push(message), warn: (message) => said.push(message) };

afterEach(async () => {
  await link?.close();
  await server?.stop();
  link = null;
  server = null;
  said.length = 0;
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(wallClock, 10);
}

describe("a connection", () => {
  const login = 'authorization { user: "edge", password: "s3cret/%" }';

  it("takes the credentials out of the address and never shows them", async () => {
    server = await startNatsServer({ name: "weir-login", extra: login }, process.env);
    const right = `nats://edge:${encodeURIComponent("s3cret/%")}@127.0.0.1:${server.port}`;
    link = await connectNats({ name: "edge", servers: right }, log);
    expect(link.nats.info?.server_name).toBe("weir-login");
    const stop = new AbortController();
    const wrong = connectNats(
      { name: "edge", servers: `nats://edge:wr0ng@127.0.0.1:${server.port}`, signal: stop.signal },
      log,
    );
    await until(() => said.length > 0);
    stop.abort();
    await expect(wrong).rejects.toMatchObject({
      code: "WEIR_NATS_UNAVAILABLE",
      message: expect.stringMatching(/stopped before .* answered: .*authorization/i),
      remedy: expect.stringMatching(/^check the user and the password/),
    });
    expect(said.join()).toMatch(/waiting for 127\.0\.0\.1:\d+: .*authorization.*; check the user and/i);
    expect(said.join()).not.toMatch(/s3cret|wr0ng/);
  });

  it("waits for a server that comes later, saying so once", async () => {
    const first = await startNatsServer({ name: "weir-late" }, process.env);
    await first.stop();
    const connecting = connectNats({ name: "edge", servers: first.url }, log);
    await until(() => said.length > 0);
    server = await startNatsServer({ name: "weir-late", port: first.port }, process.env);
    link = await connecting;
    const address = `127.0.0.1:${first.port}`;
    expect(said).toEqual([
      expect.stringMatching(`^nats "edge": waiting for ${address}: .*; trying again for ever$`),
      `nats "edge": connected to ${address}`,
    ]);
    expect(link.connected).toBe(true);
  });

  it("waits for a server whose first word comes over a slow link", async () => {
    server = await startNatsServer({ name: "weir-slow" }, process.env);
    const late = createServer((client) => {
      const there = connect(server!.port, "127.0.0.1");
      client.pipe(there);
      setTimeout(() => there.pipe(client), 6_000);
      for (const one of [client, there]) one.on("error", () => {});
    });
    await new Promise<void>((resolve) => late.listen(0, "127.0.0.1", resolve));
    const { port } = late.address() as AddressInfo;
    link = await connectNats({ name: "edge", servers: `nats://127.0.0.1:${port}` }, log);
    expect(said).toEqual([]);
    late.close();
  });

  it("is given up by who has only so much patience, with what was wrong and what to do", async () => {
    const gone = await startNatsServer({ name: "weir-gone" }, process.env);
    await gone.stop();
    const asked = connectNats({ name: "cloud", servers: gone.url, patience_ms: 0 }, log);
    await expect(asked).rejects.toMatchObject({
      code: "WEIR_NATS_UNAVAILABLE",
      message: expect.stringMatching(/^nats "cloud": no connection to 127\.0\.0\.1:\d+: .*refused/i),
      remedy: expect.stringContaining("--nats cloud=nats://HOST:PORT"),
    });
    expect(said.join()).not.toContain("for ever");
  });

  it("says of a server that refuses what to look at", async () => {
    server = await startNatsServer({ name: "weir-refuses", extra: login }, process.env);
    const asked = connectNats(
      { name: "cloud", servers: `nats://edge:wr0ng@127.0.0.1:${server.port}`, patience_ms: 0 },
      log,
    );
    await expect(asked).rejects.toMatchObject({
      message: expect.stringMatching(/authorization/i),
      remedy: expect.stringMatching(/^check the user and the password.*nats: cloud: in weir\.yaml$/),
    });
  });

  it("says once of each subject that the user may not publish there, however they take turns", async () => {
    const extra =
      'authorization { users: [{ user: a, password: s3cret, permissions: { publish: "fine" } }] }';
    server = await startNatsServer({ name: "weir-denies", extra }, process.env);
    link = await connectNats({ name: "edge", servers: `nats://a:s3cret@127.0.0.1:${server.port}` }, log);
    for (let turn = 0; turn < 3; turn++) for (const subject of ["one", "two"]) link.nats.publish(subject);
    await link.nats.flush();
    await until(() => said.length >= 2);
    await sleep(wallClock, 100);
    expect(said).toEqual([
      expect.stringContaining('Publish to "one"'),
      expect.stringContaining('Publish to "two"'),
    ]);
  });

  it("tells a cut and the way back, and counts it", async () => {
    const first = await startNatsServer({ name: "weir-cut" }, process.env);
    link = await connectNats({ name: "edge", servers: first.url }, log);
    const kinds: NatsStatus["kind"][] = [];
    link.status.subscribe(({ kind }) => kinds.push(kind));
    await first.kill();
    await until(() => !link!.connected);
    await first.stop();
    server = await startNatsServer({ name: "weir-cut", port: first.port }, process.env);
    await until(() => link!.connected);
    expect(kinds).toEqual(["connected", "disconnected", "connected"]);
    expect(link.cuts).toBe(1);
    expect(said).toEqual([
      `nats "edge": lost 127.0.0.1:${first.port}; reconnecting for ever`,
      expect.stringMatching(/^nats "edge": back on 127\.0\.0\.1:\d+ after \d+ ms$/),
    ]);
  });

  it("can be closed while the server is away", async () => {
    const first = await startNatsServer({ name: "weir-gone" }, process.env);
    const gone = await connectNats({ name: "edge", servers: first.url }, log);
    await first.stop();
    await until(() => !gone.connected);
    await gone.close();
    expect(gone.nats.isClosed()).toBe(true);
  });
});

it.each([
  ["nats://127.0.0.1:4222", { server: "127.0.0.1:4222", user: null, token: null, tls: false }],
  ["edge.local", { server: "edge.local:4222" }],
  ["tls://u:p%40ss@[::1]:4443", { server: "[::1]:4443", user: "u", password: "p@ss", tls: true }],
  ["nats://t0ken@host", { server: "host:4222", token: "t0ken", user: null }],
])("reads the address %s", (text, expected) => {
  expect(parseNatsUrl(text)).toMatchObject(expected);
});

it.each([
  "http://h",
  "nats://",
  "nats://u:secret@",
  "://",
  "nats://u:secret@h:99999",
  "nats://u:se/secret@h",
  "nats://u:a secret@h h",
  "nats://u:secret%zz@h",
  "u:se/secret@h",
])("refuses the address %s", (text) => {
  expect(() => parseNatsUrl(text)).toThrow(/expected the address of a NATS server/);
  expect(() => parseNatsUrl(text)).not.toThrow(/secret/);
});

it.each([
  ["lost nats://u:p@h:1 and tls://t@h", "lost nats://***@h:1 and tls://***@h"],
  ["nats://u:p@ss@h", "nats://***@h"],
  ["u:p@h:4222", "***@h:4222"],
  ["plain text, a/b@c", "plain text, a/b@c"],
])("redacts %s", (text, clean) => {
  expect(redact(text)).toBe(clean);
});

it.each([
  ["sensors.a.temp", null, null],
  ["sensors.*.temp", "wildcard", null],
  ["sensors.>", "wildcard", null],
  ["sensors.>.temp", "wildcard", "last token"],
  ["sensors.a*", "wildcard", "stand alone"],
  ["", "empty", "empty"],
  ["a..b", "empty token", "empty token"],
  [".a", "empty token", "empty token"],
  ["a b", "white space", "white space"],
  ["a\r\nPUB x", "white space", "white space"],
  ["$SYS.>", "belong to the server", "belong to the server"],
  ["_INBOX.x.y", "for answers", null],
  ["a.".repeat(limits.subject_tokens_max) + "a", "tokens", "tokens"],
  ["a".repeat(limits.subject_length_max + 1), "longer", "longer"],
])("judges the subject %j", (subject, publish, subscribe) => {
  if (publish === null) expect(publishSubjectFault(subject)).toBeNull();
  else expect(publishSubjectFault(subject)).toContain(publish);
  if (subscribe === null) expect(subscribeSubjectFault(subject)).toBeNull();
  else expect(subscribeSubjectFault(subject)).toContain(subscribe);
});

it("shows of a subject that is refused no more than a subject may have", () => {
  expect(shownSubject("a b")).toBe('"a b"');
  expect(shownSubject("a".repeat(250_000))).toHaveLength(limits.subject_length_max + 3);
});

it.each([
  ["a.>", "a.b.c", true],
  ["a.>", "a", false],
  ["a.*", "a.b", true],
  ["a.*", "a.*", true],
  ["a.*", "a.b.c", false],
  ["a.b", "a.*", false],
  ["a.*", "a.>", false],
  [">", "a", true],
])("knows whether %s includes %s", (pattern, subject, expected) => {
  expect(includes(pattern, subject)).toBe(expected);
});

it("waits longer from try to try, within its bounds, whatever the dice say", () => {
  for (const random of [0, 0.5, 0.999]) {
    const waits = Array.from({ length: 40 }, (_, attempt) => backOff(attempt, random));
    expect(waits).toEqual(waits.toSorted((a, b) => a - b));
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(limits.nats_reconnect_ms_min / 2);
    expect(Math.max(...waits)).toBeLessThanOrEqual(limits.nats_reconnect_ms_max);
  }
});

it.each([
  [
    "$JS.ACK.S.c.1.7.5.1700000000123456789.3",
    { streamSequence: 7, deliverySequence: 5, stored: 1_700_000_000_123, pending: 3 },
  ],
  [
    "$JS.ACK.hub.ACC.S.c.1.7.5.1700000000123456789.3.rnd",
    { streamSequence: 7, deliverySequence: 5, pending: 3 },
  ],
])("reads what was delivered from %s, and answers it", (reply, expected) => {
  const reader = new DeliveredReader();
  const bytes = Buffer.from(`-${reply}-`);
  // Known from the second on.
  for (let i = 0; i < 2; i++) {
    expect(reader.read(bytes, 1, bytes.length - 1)).toBe(true);
    expect(reader.delivered).toMatchObject(expected);
    expect(reader.reply(reader.delivered)).toBe(reply);
  }
});

it.each(["", "a.b", "$JS.ACK.S.c", "$JS.ACK.S.c.1.7.x.1700000000123456789.3"])(
  "reads nothing from %j",
  (reply) => {
    expect(new DeliveredReader().read(Buffer.from(reply), 0, reply.length)).toBe(false);
  },
);

it.each([
  [404, "No Messages", "again"],
  [408, "Request Timeout", "again"],
  [409, "Message Size Exceeds MaxBytes", "again"],
  [409, "Consumer Deleted", "gone"],
  [409, "Exceeded MaxWaiting", "later"],
  [409, "Leadership Change", "later"],
  [503, "", "gone"],
])("judges the status %s %s", (code, text, verdict) => {
  expect(verdictOf(code, `${code} ${text}`)).toBe(verdict);
});

it.each([
  [0, '{"stream":"S","seq":1}', { kind: "stored", duplicate: false }],
  [0, '{"stream":"S","seq":1,"duplicate":true}', { kind: "stored", duplicate: true }],
  [503, "", { kind: "absent" }],
  [
    0,
    '{"error":{"code":400,"err_code":10054,"description":"too large"},"stream":"S","seq":0}',
    { kind: "refused", code: 10_054, reason: "too large" },
  ],
  [0, "hello", { kind: "refused", code: 0 }],
  [0, "{}", { kind: "refused", code: 0 }],
])("takes the answer %s %s", (code, text, outcome) => {
  expect(outcomeOf(code, text)).toMatchObject(outcome);
});

it("settles each position once, and acknowledges nothing that was not handed out", () => {
  const settlement = new Settlement(10);
  expect(settlement.settle(5)).toEqual([]);
  settlement.handOut(12, "a");
  settlement.handOut(12, "again");
  settlement.handOut(15, "b");
  settlement.handOut(20, "c");
  expect(settlement.settle(16)).toEqual(["a", "b"]);
  expect(settlement.settle(16)).toEqual([]);
  settlement.forgetReplies();
  expect([settlement.settle(30), settlement.committed, settlement.size]).toEqual([[], 30, 0]);
  for (let i = 0; i < 5_000; i++) settlement.handOut(100 + i, `r${i}`);
  expect(settlement.settle(100 + 3_000)).toHaveLength(3_001);
  expect(settlement.size).toBe(1_999);
});

it("keeps a rate, and gives everything at once without one", () => {
  const line = Buffer.from("x");
  const rated = new Schedule({ rate: 100 }, 1_000);
  expect([rated.due(line), rated.due(line), rated.due(line)]).toEqual([1_000, 1_010, 1_020]);
  const flat = new Schedule({}, 1_000);
  expect([flat.due(line), flat.due(line)]).toEqual([1_000, 1_000]);
  const back = [0, 100, 50, 200];
  const timed = new Schedule({ speed: 2, timeOf: () => back.shift()! }, 0);
  expect([timed.due(line), timed.due(line), timed.due(line), timed.due(line)]).toEqual([0, 50, 50, 100]);
});
