// What a connection may do changes while it is there: a right, the user, what an account may have. Given back, all goes on
// without a new connection being asked for, and the log says it once.

import { AckPolicy, jetstreamManager } from "@nats-io/jetstream";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { wallClock } from "../clock.ts";
import { silentLog } from "./connector-log.ts";
import { limits } from "../limits.ts";
import { JetStreamPublisher, type Outcome } from "./jetstream-publisher.ts";
import { jetstreamSink } from "./jetstream-sink.ts";
import { jetstreamSource } from "./jetstream-source.ts";
import { connectNats, type NatsLink } from "./nats-connection.ts";
import { type RunningNatsServer, startNatsServer } from "./nats-server.ts";

const withUser = (user: string, jetstream = "enabled"): string =>
  `accounts { ROWS { users: [{ user: any, password: any }${user}], jetstream: ${jetstream} } }\nno_auth_user: any`;
const known = ", { user: edge, password: edge }";
const deaf = ', { user: edge, password: edge, permissions: { subscribe: { deny: ["_INBOX.>"] } } }';
const mute = ', { user: edge, password: edge, permissions: { publish: { deny: ["rows", "many.>"] } } }';

let server: RunningNatsServer;
let link: NatsLink;
const said: string[] = [];
const say = (message: string): void => void said.push(message);

beforeEach(async () => {
  said.length = 0;
  server = await startNatsServer({ name: "weir-account", extra: withUser(known) }, process.env);
  await witness((manager) => manager.streams.add({ name: "ROWS", subjects: ["rows"] }));
  const servers = `nats://edge:edge@127.0.0.1:${server.port}`;
  link = await connectNats({ name: "edge", servers }, { info: say, warn: say });
});

afterEach(async () => {
  await link.close();
  await server.stop();
});

async function witness<T>(
  task: (manager: Awaited<ReturnType<typeof jetstreamManager>>) => Promise<T>,
): Promise<T> {
  const other = await connectNats({ name: "witness", servers: server.url }, silentLog);
  try {
    return await task(await jetstreamManager(other.nats));
  } finally {
    await other.close();
  }
}

const hears = (text: string): Promise<void> =>
  vi.waitFor(() => expect(said.join("\n")).toContain(text), { timeout: 10_000 });

it("answers to publishes are heard again when they may be", async () => {
  const outcomes: Outcome[] = [];
  const publisher = new JetStreamPublisher<null>(
    link,
    wallClock,
    (_, outcome) => void outcomes.push(outcome),
  );
  const publish = (): void => {
    publisher.add("rows", "", Buffer.from("row"), null);
    publisher.send();
  };
  publish();
  await vi.waitFor(() => expect(outcomes).toMatchObject([{ kind: "stored", sequence: 1 }]));
  await server.reload(withUser(deaf));
  await hears("Permissions Violation for Subscription");
  publish();
  await vi.waitFor(() => expect(outcomes).toMatchObject([{}, { kind: "lost" }]));
  await server.reload(withUser(known));
  publish();
  await vi.waitFor(() => expect(outcomes).toMatchObject([{}, {}, { kind: "stored" }]));
  expect(link.cuts).toBe(0);
  publisher.close();
});

it("a publish that may not be is refused at once, with the subject, and stored when it may be", async () => {
  const outcomes: Outcome[] = [];
  const publisher = new JetStreamPublisher<null>(
    link,
    wallClock,
    (_, outcome) => void outcomes.push(outcome),
  );
  const publish = (): void => {
    publisher.add("rows", "", Buffer.from("row"), null);
    publisher.send();
  };
  await server.reload(withUser(mute));
  publish();
  publish();
  const refused = { kind: "refused", reason: "this user may not publish to rows" };
  await vi.waitFor(() => expect(outcomes).toMatchObject([refused, refused]));
  await server.reload(withUser(known));
  publish();
  await vi.waitFor(() => expect(outcomes).toMatchObject([{}, {}, { kind: "stored", sequence: 1 }]));
  publisher.close();
});

it("rows of many subjects that may not be published fill no log, and go once they may", async () => {
  const stream = { name: "MANY", subjects: ["many.>"] };
  await server.reload(withUser(mute));
  const sink = jetstreamSink({ link, stream, log: { info: say, warn: say } });
  await sink.open();
  const count = limits.nats_errors_told_max + 50;
  for (let n = 0; n < count; n++)
    sink.write({ subject: `many.${n}`, payload: Buffer.from("row"), id: null, caused: 0 });
  await hears("refused: this user may not publish to many.");
  await vi.waitFor(() => expect(sink.stats().hindrance).toContain("may not publish"));
  await server.reload(withUser(known));
  await sink.flush();
  expect(sink.stats()).toMatchObject({ rows: count, pending: 0, dropped: {} });
  const told = said.filter((line) => line.includes("sink stream MANY: refused"));
  expect(told.length).toBeLessThanOrEqual(limits.nats_errors_told_max);
  await sink.close();
});

it("a user that was gone for a while is back once", async () => {
  let refusals = 0;
  link.status.subscribe(({ kind }) => (refusals += kind === "error" ? 1 : 0));
  await server.reload(withUser(""));
  await vi.waitFor(() => expect(refusals).toBeGreaterThan(2), { timeout: 10_000 });
  await server.reload(withUser(known));
  await hears("back on");
  await link.flush();
  expect(said.filter((line) => line.includes("back on"))).toHaveLength(1);
});

it("a source waits for an account that may have no further consumer", async () => {
  await witness((manager) =>
    manager.consumers.add("ROWS", { durable_name: "other", ack_policy: AckPolicy.None }),
  );
  await server.reload(withUser(known, "{ max_consumers: 1 }"));
  const source = jetstreamSource({ link, stream: "ROWS", subject: "rows", log: { info: say, warn: say } });
  const opened = source.open();
  await hears("maximum consumers limit reached; trying again for ever");
  await server.reload(withUser(known));
  await opened;
  await source.close();
});
