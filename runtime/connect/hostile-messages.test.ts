// What others may send by way of NATS to do harm, and what becomes of it: forged headers and replies, subjects without end,
// messages without end, servers that lead elsewhere, rights that are taken away. By real servers where they can do it.

import { createServer, type Server, type Socket, type AddressInfo } from "node:net";
import { headers as messageHeaders } from "@nats-io/transport-node";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { payloadAt } from "../batch/payloads.ts";
import { sleep, wallClock } from "../clock.ts";
import type { ReadLimits, Source } from "./connect.ts";
import { silentLog, type ConnectorLog } from "./connector-log.ts";
import { managerOf } from "./jetstream-requests.ts";
import { jetstreamSource } from "./jetstream-source.ts";
import { connectNats, type NatsLink } from "./nats-connection.ts";
import { type RunningNatsServer, startNatsServer } from "./nats-server.ts";
import { natsSource } from "./nats-source.ts";

const wide: ReadLimits = { rows: 1_000, bytes: 4_000_000, wait_ms: 100, age_ms: 2 };

interface Received {
  readonly subject: string;
  readonly payload: string;
}

async function receive(source: Source, count: number): Promise<Received[]> {
  const all: Received[] = [];
  while (all.length < count) {
    const delivery = await source.read(wide);
    if (delivery === "end") break;
    if (delivery === null) continue;
    const { payloads } = delivery;
    for (let row = 0; row < payloads.count; row++) {
      const payload = Buffer.from(payloadAt(payloads, row)).toString();
      all.push({ subject: payloads.subjects[payloads.subject[row]!]!, payload });
    }
    await source.commit(delivery.position);
  }
  return all;
}

describe("messages", () => {
  let server: RunningNatsServer;
  let link: NatsLink;
  let made = 0;

  beforeAll(async () => {
    server = await startNatsServer({ name: "weir-hostile" }, process.env);
    link = await connectNats({ name: "test", servers: server.url }, silentLog);
  });

  afterAll(async () => {
    await link?.close();
    await server?.stop();
  });

  /** Both kinds of sources that others can write to. */
  async function both(): Promise<{ subject: string; sources: Source[] }> {
    const subject = `in${made++}`;
    const manager = await managerOf(link, null);
    await manager.streams.add({ name: subject.toUpperCase(), subjects: [`${subject}.>`] });
    const core = natsSource({ link, subject: `${subject}.>`, overflow: "drop_oldest", log: silentLog });
    const stream = jetstreamSource({
      link,
      stream: subject.toUpperCase(),
      subject: `${subject}.>`,
      log: silentLog,
    });
    await core.open();
    await stream.open(null);
    return { subject, sources: [core, stream] };
  }

  it("are their payloads, whatever their headers claim and however many they are", async () => {
    const { subject, sources } = await both();
    const forged = messageHeaders();
    forged.set("Weir-Chain", "another");
    forged.set("Weir-Out-Seq", "9007199254740991");
    forged.append("Weir-Epoch", "7");
    forged.set("Nats-Stream-Source", "OTHER 5");
    const flood = messageHeaders();
    for (let n = 0; n < 1_000; n++) flood.append(`X-${n}`, "y".repeat(50));
    // As a server says that there is nothing, or that it is there: in a message of somebody's it means nothing.
    const statuses = ([100, 404, 408, 409, 503] as const).map((code) =>
      messageHeaders(code, "Consumer Deleted"),
    );
    link.nats.publish(`${subject}.a`, "1", { headers: forged });
    link.nats.publish(`${subject}.a`, "2", { headers: flood });
    for (const status of statuses) link.nats.publish(`${subject}.a`, "", { headers: status });
    link.nats.publish(`${subject}.a`, "3");
    for (const source of sources) {
      const payloads = ["1", "2", ...statuses.map(() => ""), "3"];
      expect((await receive(source, payloads.length)).map(({ payload }) => payload)).toEqual(payloads);
      expect(source.stats().dropped).toEqual({});
      await source.close();
    }
  });

  it("are never answered, and acknowledge nothing for anybody", async () => {
    const { subject, sources } = await both();
    const heard: string[] = [];
    const listening = link.nats.subscribe("victim.>", {
      callback: (_fault, { data }) => void heard.push(data.toString()),
    });
    // A reply that acknowledges for somebody, $JS.ACK.…, the server itself refuses.
    for (const reply of ["victim.a", "$JS.API.STREAM.DELETE.NOTHING", "victim.b"])
      link.nats.publish(`${subject}.a`, "1", { reply });
    // The stream answers those that are to be stored, as it does for everybody; the sources do not.
    await vi.waitFor(() => expect(heard).toHaveLength(2));
    for (const source of sources) {
      await receive(source, 3);
      await source.close();
    }
    await link.nats.flush();
    expect(heard).toHaveLength(2);
    listening.unsubscribe();
  });

  it("have subjects of any depth", async () => {
    const { subject, sources } = await both();
    const deep = `${subject}.${Array.from({ length: 1_000 }, (_, n) => n % 10).join(".")}`;
    const strange = `${subject}.ünï-€.%2e%2e.constructor.__proto__`;
    link.nats.publish(deep, "1");
    link.nats.publish(strange, "2");
    for (const source of sources) {
      expect(await receive(source, 2)).toEqual([
        { subject: deep, payload: "1" },
        { subject: strange, payload: "2" },
      ]);
      await source.close();
    }
  });
});

/** What speaks the protocol as far as a test needs it. */
class Speaker {
  readonly #server: Server;
  readonly #info: object;
  readonly #onSubscribed: (socket: Socket) => void;
  readonly sockets: Socket[] = [];
  /** What it was told, as text. */
  heard = "";
  port = 0;

  constructor(info: object, onSubscribed: (socket: Socket) => void) {
    this.#info = info;
    this.#onSubscribed = onSubscribed;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  async listen(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.listen(0, "127.0.0.1", () => resolve());
    await promise;
    this.port = (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
  }

  #serve(socket: Socket): void {
    this.sockets.push(socket);
    socket.on("error", () => {});
    const info = { server_id: "S", version: "2.9.10", max_payload: 1_048_576, headers: true, ...this.#info };
    socket.write(`INFO ${JSON.stringify(info)}\r\n`);
    socket.setEncoding("utf8").on("data", (text: string) => {
      this.heard += text;
      for (const line of text.split("\r\n")) {
        if (line.startsWith("PING")) socket.write("PONG\r\n");
        if (line.startsWith("SUB ")) this.#onSubscribed(socket);
      }
    });
  }
}

describe("a server", () => {
  const closers: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  async function reader(port: number, log: ConnectorLog = silentLog): Promise<Source> {
    const link = await connectNats({ name: "test", servers: `nats://127.0.0.1:${port}` }, log);
    closers.push(() => link.close());
    const source = natsSource({ link, subject: "in.>", overflow: "drop_oldest", log });
    await source.open();
    return source;
  }

  it.each([
    ["that announces a message without end", "MSG in.a 1 900000000\r\n"],
    ["that announces one with a length that is none", "MSG in.a 1 99999999999999999999\r\n"],
    ["that sends what is no protocol", "MSG in.a 1 x\r\n\0\0GARBAGE\r\n"],
  ])("%s is left, and nothing is gathered", async (_, bytes) => {
    const speaker: Speaker = new Speaker({}, (socket) => {
      socket.write(`MSG in.a 1 2\r\nok\r\n`);
      if (speaker.sockets.length > 1) return;
      socket.write(bytes);
      socket.write(Buffer.alloc(100_000));
    });
    await speaker.listen();
    closers.push(() => speaker.close());
    const source = await reader(speaker.port);
    // It comes back to the only address that it has, and reads on there.
    expect((await receive(source, 2)).map(({ payload }) => payload)).toEqual(["ok", "ok"]);
    expect(speaker.sockets).toHaveLength(2);
    await vi.waitFor(() => expect(speaker.sockets[0]!.readyState).not.toBe("open"), { timeout: 5_000 });
  });

  it("that names other servers leads nobody there", async () => {
    const elsewhere = new Speaker({}, () => {});
    await elsewhere.listen();
    closers.push(() => elsewhere.close());
    const speaker: Speaker = new Speaker({ connect_urls: [`127.0.0.1:${elsewhere.port}`] }, (socket) => {
      socket.write(
        `INFO {"server_id":"S","max_payload":1048576,"connect_urls":["127.0.0.1:${elsewhere.port}"]}\r\n`,
      );
      socket.write("MSG in.a 1 2\r\nok\r\n");
      if (speaker.sockets.length < 4) socket.end();
    });
    await speaker.listen();
    closers.push(() => speaker.close());
    const source = await reader(speaker.port).catch((fault: unknown) => fault);
    expect(source).not.toBeInstanceOf(Error);
    await vi.waitFor(() => expect(speaker.sockets.length).toBeGreaterThanOrEqual(4), { timeout: 15_000 });
    expect(elsewhere.sockets).toHaveLength(0);
  });
});

it("a server that does without encryption where it is asked for is told no secret", async () => {
  const speaker = new Speaker({ auth_required: true }, () => {});
  await speaker.listen();
  const servers = `tls://user:secret@127.0.0.1:${speaker.port}`;
  const giveUp = new AbortController();
  const connecting = connectNats({ name: "test", servers, signal: giveUp.signal }, silentLog).then(
    () => "connected",
    () => "given up",
  );
  await vi.waitFor(() => expect(speaker.sockets[0]?.readyState).not.toBe("open"), { timeout: 10_000 });
  giveUp.abort();
  expect(await connecting).toBe("given up");
  expect(speaker.sockets.length).toBeGreaterThan(0);
  expect(speaker.heard).not.toContain("secret");
  speaker.close();
});

describe("a right that is taken away while running", () => {
  const folder = mkdtempSync(join(tmpdir(), "weir-rights-"));
  let server: RunningNatsServer;
  afterAll(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const rights = (permissions: string): string =>
    `authorization { users: [{ user: u, password: p, permissions: { ${permissions} } }] }`;

  async function start(extra: string, port?: number): Promise<void> {
    const fixed = port === undefined ? {} : { port };
    server = await startNatsServer({ name: "weir-rights", storeDir: folder, extra, ...fixed }, process.env);
  }

  it("is said, asked for again at a distance, and used when it is back", async () => {
    await start(rights('publish: ">", subscribe: ">"'));
    const said: string[] = [];
    const log = { info: () => {}, warn: (line: string) => said.push(line) };
    const link = await connectNats({ name: "test", servers: server.url, user: "u", password: "p" }, log);
    const manager = await managerOf(link, null);
    await manager.streams.add({ name: "IN", subjects: ["stored.>"] });
    const core = natsSource({ link, subject: "in.>", overflow: "drop_oldest", log });
    const stream = jetstreamSource({ link, stream: "IN", subject: "stored.>", log });
    await core.open();
    await stream.open(null);
    link.nats.publish("in.a", "1");
    link.nats.publish("stored.a", "1");
    for (const source of [core, stream]) expect(await receive(source, 1)).toHaveLength(1);

    const { port } = server;
    await server.stop();
    const denied = 'publish: { deny: ["$JS.API.>"] }, subscribe: { deny: ["in.>"] }';
    await start(rights(denied), port);
    await vi.waitFor(
      () => expect(said.filter((line) => /permission/i.test(line)).length).toBeGreaterThan(1),
      {
        timeout: 15_000,
      },
    );
    const before = said.length;
    await sleep(wallClock, 2_000);
    // No busy loop: a handful of tries in two seconds.
    expect(said.length - before).toBeLessThan(12);
    expect(await core.read({ ...wide, wait_ms: 10 })).toBeNull();

    await server.stop();
    await start(rights('publish: ">", subscribe: ">"'), port);
    await vi.waitFor(
      async () => {
        link.nats.publish("in.a", "2");
        expect(await core.read(wide)).not.toBeNull();
      },
      { timeout: 15_000 },
    );
    link.nats.publish("stored.a", "2");
    expect(await receive(stream, 1)).toEqual([{ subject: "stored.a", payload: "2" }]);
    await core.close();
    await stream.close();
    await link.close();
  });
});
