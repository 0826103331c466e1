// Chains through crashes of their sender, lost, repeated and delayed publishes, lost ends of the store and forgotten ids, for
// both orders in which servers check what they are given: every row once and in order, by seeds.

import fc from "fast-check";
import { unpackMultiple } from "msgpackr";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../clock.ts";
import { exclusiveTarget } from "./exclusive-target.ts";
import { identifiedTarget } from "./identified-target.ts";
import { laneBody } from "../../codec/lane-message.ts";
import { laneTarget } from "./lane-target.ts";
import { MemoryStream } from "./memory-stream.fixture.ts";
import { begin, fill, type Make, seeded, settled } from "./running-chain.fixture.ts";
import type { Publication } from "./stream-port.ts";
import { subjectTarget } from "./subject-target.ts";

interface Mode {
  readonly name: string;
  readonly make: Make;
  readonly subjects: number;
  /** Whether ids may be forgotten, as they are once an outage is longer than the duplicate window. */
  readonly outlivesIds: boolean;
  /**
   * Whether a delayed publish may arrive even behind a loss of the store. Sequences are given anew then: in a stream of its own
   * each entry gets the one that it had, elsewhere not. A server that comes back has no connection of before; only another
   * server in between could have kept it.
   */
  readonly outlivesLoss: boolean;
  /** What must be in the stream, once all of `count` are confirmed. */
  check(stream: MemoryStream, count: number): void;
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, n) => from + n);
const stored = (stream: MemoryStream): number[] => stream.payloads().map(Number);

/** The numbers of the rows in the messages of a lane. */
function unpacked(stream: MemoryStream): number[] {
  return [...stream.messages.values()].flatMap(({ payload }) =>
    (unpackMultiple(laneBody(payload)) as [number, string, number, number, null, Uint8Array][]).map((row) => {
      expect(Number(Buffer.from(row[5]).toString())).toBe(row[0]);
      return row[0];
    }),
  );
}

const modes: readonly Mode[] = [
  {
    name: "exclusive",
    make: exclusiveTarget,
    subjects: 1,
    outlivesIds: true,
    outlivesLoss: true,
    check: (stream, count) => expect(stored(stream)).toEqual(range(1, count)),
  },
  {
    name: "subject",
    make: subjectTarget,
    subjects: 7,
    outlivesIds: true,
    outlivesLoss: false,
    check(stream, count) {
      const numbers = stored(stream);
      for (const rest of range(0, 6))
        expect(numbers.filter((n) => n % 7 === rest)).toEqual(range(1, count).filter((n) => n % 7 === rest));
    },
  },
  {
    name: "lane",
    make: (options) => laneTarget({ ...options, subject: "up.host.chain.live" }),
    subjects: 7,
    outlivesIds: true,
    outlivesLoss: false,
    check: (stream, count) => expect(unpacked(stream)).toEqual(range(1, count)),
  },
  {
    name: "lane, packed",
    make: (options) => laneTarget({ ...options, subject: "up.host.chain.backlog", packed: true }),
    subjects: 7,
    outlivesIds: true,
    outlivesLoss: false,
    check: (stream, count) => expect(unpacked(stream)).toEqual(range(1, count)),
  },
  {
    name: "message_id",
    make: identifiedTarget,
    subjects: 1,
    outlivesIds: false,
    outlivesLoss: false,
    check: (stream, count) => expect(stored(stream).sort((a, b) => a - b)).toEqual(range(1, count)),
  },
];

const orders = [
  { order: "duplicates first, as up to 2.11", comparesFirst: false },
  { order: "sequences first, as from 2.12", comparesFirst: true },
];

describe.each(modes)("a chain of $name through faults", (mode) => {
  it.each(orders)(
    "has each entry once and in order, with a server that checks $order",
    async ({ comparesFirst }) => {
      await fc.assert(
        fc.asyncProperty(fc.integer(), (seed) => throughFaults(mode, seed, comparesFirst)),
        { numRuns: 8 },
      );
    },
  );
});

async function throughFaults(mode: Mode, seed: number, comparesFirst: boolean): Promise<void> {
  const random = seeded(seed);
  const stream = new MemoryStream();
  stream.comparesFirst = comparesFirst;
  const clock = new VirtualClock();
  const delayed: Publication[] = [];
  const rate = (): number => (random() < 0.4 ? 0 : random() * 0.1);
  const faults = { lostRequest: rate(), lostAnswer: rate(), delayed: rate() };
  const surroundings = { stream, clock, make: mode.make, faults, random, delayed };
  let running = begin(surroundings);
  for (let round = 0, epoch = 1; round < 6; round++) {
    fill(running.outbox, Math.floor(random() * 300), mode.subjects);
    const steps = Math.floor(random() * 400);
    for (let step = 0; step < steps; step++) {
      await setImmediate();
      clock.advanceTo(clock.now() + 5);
    }
    if (mode.outlivesIds && random() < 0.5) stream.forgetIds();
    if (random() < 0.3) {
      stream.loseEnd(Math.floor(random() * 40));
      if (!mode.outlivesLoss) delayed.length = 0;
    }
    if (random() < 0.6) {
      const { place } = running.sender;
      await running.sender.close();
      const { confirmed } = running.outbox;
      const outbox = running.outbox.reopened(Math.max(0, confirmed - Math.floor(random() * 50)));
      running = begin({ ...surroundings, outbox, place, epoch: ++epoch });
    }
  }
  fill(running.outbox, mode.subjects, mode.subjects);
  await settled(running.sender.flush(), clock);
  expect(running.error).toBeNull();
  mode.check(stream, running.outbox.entries.length);
  await running.sender.close();
}
