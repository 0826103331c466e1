// A chain on a real nats-server behind a cable, through faults that a seed chooses: crashes of the server and of the sender,
// cuts, answers that never come, publishes that arrive long after they were given up. Counts what the stream then holds. Long
// runs are for a script; a test runs a short one.

import type { JetStreamManager } from "@nats-io/jetstream";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unpackMultiple } from "msgpackr";
import { type Clock, sleep, wallClock } from "../../clock.ts";
import type { WeirError } from "../../errors.ts";
import { Cable } from "../../testing/cable.ts";
import { type ConnectorLog, silentLog } from "../connector-log.ts";
import { managerOf } from "../jetstream-requests.ts";
import { connectNats, type NatsLink } from "../nats-connection.ts";
import { startNatsServer, type RunningNatsServer } from "../nats-server.ts";
import type { Place, Target } from "./chain.ts";
import { ChainSender } from "./chain-sender.ts";
import { exclusiveTarget } from "./exclusive-target.ts";
import { laneTarget } from "./lane-target.ts";
import { MemoryOutbox, testRow } from "./memory-outbox.fixture.ts";
import { natsStreamPort } from "./nats-stream-port.ts";
import { seeded } from "./running-chain.fixture.ts";
import type { StreamTargetOptions } from "./stream-target.ts";
import { subjectTarget } from "./subject-target.ts";

export type Delivery = "exclusive" | "subject" | "lane";

/** What a stream holds, held against what was sent. */
export interface Findings {
  readonly records: number;
  readonly lost: number;
  readonly duplicated: number;
  /** Behind a greater one of the same subject. */
  readonly out_of_order: number;
}

/** A server with a store that outlives it, a cable to it, and a chain. */
export class ServerUnderTest {
  readonly cable: Cable;
  readonly log: ConnectorLog;
  readonly #folder: string;
  #server: RunningNatsServer;
  /** Further lines of its configuration. */
  #extra: string;

  private constructor(
    folder: string,
    server: RunningNatsServer,
    extra: string,
    cable: Cable,
    log: ConnectorLog,
  ) {
    this.#folder = folder;
    this.#server = server;
    this.#extra = extra;
    this.cable = cable;
    this.log = log;
  }

  static async start(log: ConnectorLog = silentLog, extra = ""): Promise<ServerUnderTest> {
    const folder = mkdtempSync(join(tmpdir(), "weir-chain-"));
    const server = await startNatsServer(
      { name: "weir-chain", storeDir: join(folder, "store"), extra },
      process.env,
    );
    const cable = await Cable.to(server.port);
    return new ServerUnderTest(folder, server, extra, cable, log);
  }

  get server(): RunningNatsServer {
    return this.#server;
  }

  /** Looks at the server over a connection that goes around the cable. */
  async witness<T>(look: (manager: JetStreamManager) => Promise<T>): Promise<T> {
    const link = await connectNats({ name: "witness", servers: this.#server.url }, silentLog);
    const seen = await look(await managerOf(link, null));
    await link.close();
    return seen;
  }

  /** A connection over the cable. */
  connect(): Promise<NatsLink> {
    return connectNats({ name: "chain", servers: `nats://127.0.0.1:${this.cable.port}` }, silentLog);
  }

  /** The server goes on by other lines of its configuration. */
  async reload(extra: string): Promise<void> {
    this.#extra = extra;
    await this.#server.reload(extra);
  }

  /** Crashes the server and starts it on the same store and port; `between` may change what it finds. */
  async restart(between: () => void = () => {}, extra: string = this.#extra): Promise<void> {
    this.#extra = extra;
    await this.#server.kill();
    await this.#server.stop();
    between();
    this.#server = await startNatsServer(
      { name: "weir-chain", storeDir: join(this.#folder, "store"), port: this.#server.port, extra },
      process.env,
    );
  }

  /** The store as it is on the disk now, to be put back by `putBack`. */
  copyStore(): void {
    cpSync(join(this.#folder, "store"), join(this.#folder, "copy"), { recursive: true });
  }

  putBack(): void {
    rmSync(join(this.#folder, "store"), { recursive: true });
    cpSync(join(this.#folder, "copy"), join(this.#folder, "store"), { recursive: true });
  }

  /** The numbers of the rows in the stream, in its order. */
  numbers(stream: string): Promise<number[]> {
    return this.witness(async (manager) => {
      const { state } = await manager.streams.info(stream);
      const all: number[] = [];
      for (let from = state.first_seq; from <= state.last_seq; from += 100) {
        const sequences = Array.from(
          { length: Math.min(100, state.last_seq - from + 1) },
          (_, n) => from + n,
        );
        const messages = await Promise.all(
          sequences.map((seq) => manager.streams.getMessage(stream, { seq })),
        );
        for (const message of messages) {
          if (message === null) continue;
          if (message.header.get("Weir-Out-First") === "") all.push(Number(message.string()));
          else all.push(...(unpackMultiple(message.data) as [number][]).map(([number]) => number));
        }
      }
      return all;
    });
  }

  async close(): Promise<void> {
    await this.cable.close();
    await this.#server.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export interface RunningSender {
  readonly sender: ChainSender;
  readonly outbox: MemoryOutbox;
  readonly link: NatsLink;
  error: WeirError | null;
  close(): Promise<void>;
}

export interface SenderOptions {
  readonly delivery?: Delivery;
  readonly outbox?: MemoryOutbox;
  readonly epoch?: number;
  readonly place?: Place | null;
  readonly clock?: Clock;
}

const makers: Readonly<Record<Delivery, (options: StreamTargetOptions) => Target>> = {
  exclusive: exclusiveTarget,
  subject: subjectTarget,
  lane: (options) => laneTarget({ ...options, subject: "rows.lane" }),
};

/** A sender with a connection of its own. */
export async function startSender(
  under: ServerUnderTest,
  options: SenderOptions = {},
): Promise<RunningSender> {
  const {
    delivery = "exclusive",
    outbox = new MemoryOutbox(),
    epoch = 1,
    place = null,
    clock = wallClock,
  } = options;
  const link = await under.connect();
  const { log } = under;
  const port = await natsStreamPort({ link, stream: { name: "ROWS", subjects: ["rows.>"] }, log, clock });
  const identity = { id: "log1.rows", epoch };
  const running: RunningSender = {
    outbox,
    link,
    error: null,
    sender: new ChainSender({
      chain: "rows",
      outbox,
      identity,
      clock,
      log,
      fenced: (error) => (running.error = error),
      target: (events) => makers[delivery]({ port, identity, events, clock, log, place }),
    }),
    async close() {
      await running.sender.close();
      await link.close();
    },
  };
  running.sender.start();
  return running;
}

/** Entries of seven subjects in turn. */
export function fillRows(outbox: MemoryOutbox, count: number): void {
  for (let n = 0; n < count; n++) {
    const number = outbox.entries.length + 1;
    outbox.add(testRow(`rows.${number % 7}`, number));
  }
}

/** What numbers in the order of a stream say, where `count` were sent. */
export function findings(numbers: readonly number[], count: number, delivery: Delivery): Findings {
  const seen = new Set(numbers);
  const last = new Map<number, number>();
  let outOfOrder = 0;
  for (const number of numbers) {
    const line = delivery === "subject" ? number % 7 : 0;
    if (number < (last.get(line) ?? 0)) outOfOrder++;
    last.set(line, number);
  }
  return {
    records: count,
    lost: count - seen.size,
    duplicated: numbers.length - seen.size,
    out_of_order: outOfOrder,
  };
}

/** A chain through `rounds` faults. */
export async function throughServerFaults(
  seed: number,
  rounds: number,
  delivery: Delivery = "exclusive",
): Promise<Findings & { readonly crashes: number; readonly error: WeirError | null }> {
  const random = seeded(seed);
  const under = await ServerUnderTest.start();
  let running = await startSender(under, { delivery });
  let [epoch, crashes] = [1, 0];
  const faults: (() => Promise<void> | void)[] = [
    () => (crashes++, under.restart()),
    () => {
      under.cable.cut();
      under.cable.mend();
    },
    // Answers never come, and what they are about is stored.
    () => {
      under.cable.hold("to_client");
      fillRows(running.outbox, 200);
    },
    // Publishes are given up, and arrive behind those of the next connection.
    async () => {
      under.cable.hold("to_server");
      fillRows(running.outbox, 200);
      await sleep(wallClock, 5);
      under.cable.drop();
      await sleep(wallClock, random() * 300);
      under.cable.release();
    },
    async () => {
      crashes++;
      const { place } = running.sender;
      await running.close();
      const known = Math.max(0, running.outbox.confirmed - Math.floor(random() * 100));
      const outbox = running.outbox.reopened(known);
      running = await startSender(under, { delivery, outbox, place, epoch: ++epoch });
    },
  ];
  for (let round = 0; round < rounds; round++) {
    fillRows(running.outbox, Math.floor(random() * 2_000));
    await sleep(wallClock, random() * 40);
    await faults[Math.floor(random() * faults.length)]!();
    await sleep(wallClock, random() * 40);
    under.cable.drop();
    under.cable.release();
  }
  fillRows(running.outbox, 7);
  await running.sender.flush();
  const { outbox, error } = running;
  await running.close();
  const found = findings(await under.numbers("ROWS"), outbox.entries.length, delivery);
  await under.close();
  return { ...found, crashes, error };
}
