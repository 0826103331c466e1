// What every target on a stream must do, as a suite that runs on any port: a real server, or a model of one.

import { setImmediate } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { wallClock } from "../../clock.ts";
import type { Entry, KeptRow } from "../../state/outbox/entry.ts";
import { silentLog } from "../connector-log.ts";
import { bucketTarget } from "./bucket-target.ts";
import type { ChainIdentity, Place, Refusal, Target, TargetEvents } from "./chain.ts";
import { exclusiveTarget } from "./exclusive-target.ts";
import { identifiedTarget } from "./identified-target.ts";
import { laneTarget } from "./lane-target.ts";
import type { StoredMessage, StreamPort } from "./stream-port.ts";
import type { StreamTargetOptions } from "./stream-target.ts";
import { subjectTarget } from "./subject-target.ts";

/** A stream of its own for one case. */
export interface PreparedStream {
  /** The subjects `<subject>.>` belong to the stream. */
  readonly subject: string;
  /** The bucket that the stream is, where it is one. */
  readonly bucket: string;
  /** A new port on it. */
  port(): Promise<StreamPort>;
}

export type PrepareStream = (kind: "stream" | "bucket") => Promise<PreparedStream>;

/** What a target said, and a target with its port. */
export interface Attached {
  readonly target: Target;
  readonly port: StreamPort;
  readonly confirmed: number[];
  readonly refused: { readonly number: number; readonly refusal: Refusal }[];
  readonly unsure: string[];
}

type Make = (options: StreamTargetOptions, prepared: PreparedStream) => Target;

interface Kind {
  readonly name: string;
  readonly stream: "stream" | "bucket";
  readonly make: Make;
  /** True where one message holds many rows. */
  readonly packs?: true;
  /** True where the stream alone tells what is there. */
  readonly tells: boolean;
}

export const targetKinds: readonly Kind[] = [
  { name: "exclusive", stream: "stream", tells: true, make: exclusiveTarget },
  { name: "subject", stream: "stream", tells: true, make: subjectTarget },
  {
    name: "bucket",
    stream: "bucket",
    tells: true,
    make: (options, { bucket }) => bucketTarget({ ...options, bucket }),
  },
  {
    name: "lane",
    stream: "stream",
    tells: true,
    packs: true,
    make: (options, { subject }) => laneTarget({ ...options, subject: `${subject}.up` }),
  },
  { name: "message_id", stream: "stream", tells: false, make: identifiedTarget },
];

export const identity: ChainIdentity = { id: "log1.chain", epoch: 1 };

export async function attached(
  prepared: PreparedStream,
  make: Make,
  who: ChainIdentity = identity,
  place: Place | null = null,
): Promise<Attached> {
  const port = await prepared.port();
  const [confirmed, refused, unsure]: [number[], Attached["refused"], string[]] = [[], [], []];
  const events: TargetEvents = {
    confirmed: (number) => confirmed.push(number),
    refused: (number, refusal) => refused.push({ number, refusal }),
    unsure: (reason) => unsure.push(reason),
  };
  const target = make({ port, identity: who, events, clock: wallClock, log: silentLog, place }, prepared);
  return { target, port, confirmed, refused, unsure };
}

export function entry(subject: string, number: number, row: Partial<KeptRow> = {}): Entry {
  const payload = Buffer.from(`{"n":${number}}`);
  return { number, row: { subject, payload, caused: 1_000 + number, rows: 1, headers: null, ...row } };
}

export async function storedIn(port: StreamPort): Promise<StoredMessage[]> {
  const facts = await port.facts();
  const all: StoredMessage[] = [];
  for (let sequence = facts?.first ?? 1; sequence <= (facts?.last ?? 0); sequence++) {
    const message = await port.read(sequence);
    if (message !== null) all.push(message);
  }
  return all;
}

const numbers = (messages: readonly StoredMessage[]): number[] =>
  messages.map(({ headers }) => Number(headers.get("weir-out-seq")));

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, n) => from + n);

/** Sends all of them, as there is room, and waits until the last one is confirmed. */
export async function sendAll({ target, confirmed }: Attached, entries: readonly Entry[]): Promise<void> {
  for (let at = 0; at < entries.length; ) {
    await vi.waitFor(() => expect(target.room).toBeGreaterThan(0), { interval: 1, timeout: 10_000 });
    const some = entries.slice(at, at + target.room);
    target.send(some);
    at += some.length;
    await setImmediate();
  }
  const last = entries.at(-1)?.number;
  await vi.waitFor(() => expect(confirmed.at(-1)).toBe(last), { interval: 1, timeout: 10_000 });
}

/** A kind of target on a stream, and names that rows of it may have. */
interface Case extends Kind {
  readonly prepared: PreparedStream;
  subject(n: number): string;
}

interface Expectation {
  readonly title: string;
  /** Of which kinds it is expected; default: of all. */
  readonly of?: (kind: Kind) => boolean;
  check(given: Case): Promise<void>;
}

const expectations: readonly Expectation[] = [
  {
    title: "begins with nothing and stores each entry once, in order, with what identifies it",
    async check({ prepared, subject, make, packs }) {
      const running = await attached(prepared, make);
      expect(await running.target.attach([], 0)).toMatchObject({ number: 0, epoch: 0 });
      const headers = {
        "X-Unit": "celsius\r\nInjected: 1",
        "Nats-Expected-Last-Sequence": "7",
        "weir-out-seq": "9",
        "bad name": "x",
      };
      await sendAll(
        running,
        range(1, 40).map((n) => entry(subject(n), n, { headers })),
      );
      expect(running.confirmed).toEqual([...running.confirmed].sort((a, b) => a - b));
      const stored = await storedIn(running.port);
      if (packs) {
        expect(numbers(stored).at(-1)).toBe(40);
        expect(stored.length).toBeLessThan(40);
      } else {
        expect(numbers(stored).sort((a, b) => a - b)).toEqual(range(1, 40));
        const first = stored.find(({ headers: own }) => own.get("weir-out-seq") === "1")!;
        expect(Buffer.from(first.payload).toString()).toBe('{"n":1}');
        expect(Object.fromEntries(first.headers)).toMatchObject({
          "nats-msg-id": "log1.chain.1",
          "weir-chain": "log1.chain",
          "weir-out-seq": "1",
          "weir-epoch": "1",
          "weir-caused-at": "1001",
          "x-unit": "celsius  Injected: 1",
        });
      }
      await running.target.close();
    },
  },
  {
    title: "keeps the order of many entries of one subject",
    async check({ prepared, subject, make, packs, stream }) {
      const running = await attached(prepared, make);
      await running.target.attach([], 0);
      const entries = range(1, 300).map((n) => entry(subject(n % 3), n));
      await sendAll(running, entries);
      const stored = numbers(await storedIn(running.port));
      // A bucket keeps the last value of a key.
      if (stream === "bucket") expect(stored.sort((a, b) => a - b)).toEqual([298, 299, 300]);
      else if (!packs) {
        for (const rest of [0, 1, 2])
          expect(stored.filter((n) => n % 3 === rest)).toEqual(range(1, 300).filter((n) => n % 3 === rest));
      }
      expect(running.unsure).toEqual([]);
      await running.target.close();
    },
  },
  {
    title: "goes on where another start was, without sending again what arrived",
    async check({ prepared, subject, make, packs, tells }) {
      const first = await attached(prepared, make);
      await first.target.attach([], 0);
      await sendAll(
        first,
        range(1, 20).map((n) => entry(subject(n), n)),
      );
      await first.target.close();
      // The next start knows of 5; 25 entries may have been sent.
      const entries = range(6, 25).map((n) => entry(subject(n), n));
      const second = await attached(prepared, make, { ...identity, epoch: 2 });
      const tail = await second.target.attach(entries, 5);
      expect(tail.number).toBe(tells ? 20 : 5);
      if (tells) expect(tail.epoch).toBe(1);
      await sendAll(
        second,
        entries.filter(({ number }) => number > tail.number),
      );
      const stored = numbers(await storedIn(second.port));
      if (!packs) expect(stored.sort((a, b) => a - b)).toEqual(range(1, 25));
      else expect(stored).toEqual([...new Set(stored)]);
      expect(stored.at(-1)).toBe(25);
      await second.target.close();
    },
  },
  {
    title: "stores once what is sent again because nobody knew better",
    async check({ prepared, subject, make }) {
      const running = await attached(prepared, make);
      await running.target.attach([], 0);
      const entries = range(1, 10).map((n) => entry(subject(n), n));
      await sendAll(running, entries);
      const before = (await storedIn(running.port)).length;
      const tail = await running.target.attach(entries, 0);
      await sendAll(running, [...entries.slice(tail.number), entry(subject(11), 11)]);
      expect((await storedIn(running.port)).length).toBe(before + 1);
      await running.target.close();
    },
  },
  {
    title: "says where it is, in plain data",
    async check({ prepared, subject, make }) {
      const running = await attached(prepared, make);
      await running.target.attach([], 0);
      await sendAll(running, [entry(subject(1), 1), entry(subject(2), 2)]);
      const facts = (await running.port.facts())!;
      expect(running.target.place).toMatchObject({
        created: facts.created,
        sequence: facts.last,
        number: 2,
      });
      await running.target.close();
    },
  },
  {
    title: "tells what can never be sent",
    async check({ prepared, subject, make }) {
      const { target, port } = await attached(prepared, make);
      await target.attach([], 0);
      expect(target.unfit?.(entry(subject(1), 1))).toBeNull();
      for (const bad of ["", "a b", "a.*", "a..b", "a\r\nPUB x 0", "$SYS.x"])
        expect(target.unfit?.(entry(bad, 1))).not.toBeNull();
      const { messageBytesMax } = port;
      if (messageBytesMax !== undefined) {
        const payload = Buffer.alloc(messageBytesMax);
        expect(target.unfit?.(entry(subject(1), 1, { payload }))).toBe("oversize");
      }
      await target.close();
    },
  },
  {
    title: "shows a later start, and what this state never made",
    of: ({ tells }) => tells,
    async check({ prepared, subject, make }) {
      const first = await attached(prepared, make);
      await first.target.attach([], 0);
      await sendAll(first, [entry(subject(1), 1)]);
      const second = await attached(prepared, make, { ...identity, epoch: 2 });
      await second.target.attach([], 1);
      await sendAll(
        second,
        range(2, 4).map((n) => entry(subject(1), n)),
      );
      const own = entry(subject(1), 2);
      if (first.target.room > 0) first.target.send([own]);
      await vi.waitFor(() => expect(first.unsure).toHaveLength(1), { interval: 1, timeout: 10_000 });
      expect(first.confirmed).toEqual([1]);
      expect(await first.target.attach([own], 1)).toMatchObject({ number: 4, epoch: 2 });
      await first.target.close();
      await second.target.close();
    },
  },
  {
    title: "refuses another row under a number of its own",
    of: ({ tells }) => tells,
    async check({ prepared, subject, make }) {
      const first = await attached(prepared, make);
      await first.target.attach([], 0);
      await sendAll(first, [entry(subject(1), 1)]);
      const copy = await attached(prepared, make);
      const other = entry(subject(1), 1, { payload: Buffer.from("other") });
      await expect(copy.target.attach([other], 0)).rejects.toMatchObject({ code: "WEIR_FENCED" });
      await first.target.close();
      await copy.target.close();
    },
  },
];

export function targetConformance(name: string, prepare: PrepareStream): void {
  describe.each(targetKinds)(`the $name target on ${name}`, (kind) => {
    for (const { title, of, check } of expectations) {
      it.runIf(of === undefined || of(kind))(title, async () => {
        const prepared = await prepare(kind.stream);
        const subject = (n: number): string =>
          kind.stream === "bucket" ? `key${n}` : `${prepared.subject}.${n}`;
        await check({ ...kind, prepared, subject });
      });
    }
  });
}
