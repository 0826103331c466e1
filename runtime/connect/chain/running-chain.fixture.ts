// A sender with a target on a stream in memory, for tests: begun, filled, and run on a clock that is moved until something
// has happened. Numbers by seed, so that a run can be had again.

import { setImmediate } from "node:timers/promises";
import type { Clock, VirtualClock } from "../../clock.ts";
import type { WeirError } from "../../errors.ts";
import { type ConnectorLog, silentLog } from "../connector-log.ts";
import type { Target } from "./chain.ts";
import { ChainSender } from "./chain-sender.ts";
import { exclusiveTarget } from "./exclusive-target.ts";
import { MemoryOutbox, testRow } from "./memory-outbox.fixture.ts";
import { type Faults, type MemoryStream, MemoryStreamPort, noFaults } from "./memory-stream.fixture.ts";
import type { StreamTargetOptions } from "./stream-target.ts";
import type { Publication } from "./stream-port.ts";

export type Make = (options: StreamTargetOptions) => Target;

export interface Running {
  readonly sender: ChainSender;
  readonly outbox: MemoryOutbox;
  error: WeirError | null;
}

interface Setting {
  readonly stream: MemoryStream;
  readonly clock: Clock;
  readonly make?: Make;
  readonly outbox?: MemoryOutbox;
  readonly epoch?: number;
  readonly term?: number;
  /** Of the log; another one is another host's. */
  readonly id?: string;
  readonly faults?: Faults;
  readonly random?: () => number;
  readonly delayed?: Publication[];
  readonly log?: ConnectorLog;
  readonly place?: StreamTargetOptions["place"];
  readonly hasWriter?: boolean;
}

export function begin(setting: Setting): Running {
  const { stream, clock, outbox = new MemoryOutbox(), epoch = 1, log = silentLog } = setting;
  const port = new MemoryStreamPort(
    stream,
    setting.faults ?? noFaults,
    setting.random ?? (() => 1),
    setting.delayed ?? [],
  );
  const { id = "log.chain", term } = setting;
  const identity = { id, epoch, ...(term === undefined ? {} : { term }) };
  const make = setting.make ?? exclusiveTarget;
  const running: Running = {
    outbox,
    error: null,
    sender: new ChainSender({
      chain: "chain",
      outbox,
      identity,
      clock,
      log,
      random: () => 0.5,
      hasWriter: setting.hasWriter ?? false,
      fenced: (error) => (running.error = error),
      target: (events) => make({ port, identity, events, clock, log, place: setting.place ?? null }),
    }),
  };
  running.sender.start();
  return running;
}

/** Lets the clock run until the promise settles. */
export async function settled(promise: Promise<void>, clock: VirtualClock): Promise<void> {
  const running = new Set([promise]);
  void promise.then(() => running.clear());
  while (running.size > 0) {
    await setImmediate();
    clock.advanceTo(clock.now() + 10);
  }
}

export const texts = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, n) => String(from + n));

export function fill(outbox: MemoryOutbox, count: number, subjects = 1): void {
  for (let n = 0; n < count; n++) {
    const number = outbox.entries.length + 1;
    outbox.add(testRow(subjects === 1 ? "a" : `a.${number % subjects}`, number));
  }
}

/** Numbers that look random and are not. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
