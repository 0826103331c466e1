// What is of lanes alone: a host that is called otherwise after a while, messages that are too large as a whole, names in subjects.

import { unpackMultiple } from "msgpackr";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../clock.ts";
import { laneBody } from "../../codec/lane-message.ts";
import { laneSubject, laneTarget } from "./lane-target.ts";
import { testRow } from "./memory-outbox.fixture.ts";
import { MemoryStream } from "./memory-stream.fixture.ts";
import { begin, fill, type Make, settled } from "./running-chain.fixture.ts";

const lane =
  (subject: string): Make =>
  (options) =>
    laneTarget({ ...options, subject });

function numbersIn(stream: MemoryStream): number[] {
  return [...stream.messages.values()]
    .filter(({ payload }) => payload.length > 0)
    .flatMap(({ payload }) => (unpackMultiple(laneBody(payload)) as [number][]).map(([number]) => number));
}

/** Messages of other lanes. */
function fillOthers(stream: MemoryStream, count: number): void {
  for (let n = 0; n < count; n++)
    stream.store({ subject: `up.other${n % 2}.rows.live`, payload: Buffer.alloc(0), headers: {} });
}

/** Lets the clock run until something is so. */
function until(clock: VirtualClock, isSo: () => boolean): Promise<void> {
  const check = async (): Promise<void> => {
    while (!isSo()) await setImmediate();
  };
  return settled(check(), clock);
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, n) => from + n);

describe("a lane", () => {
  it("goes on where it was when its host is called otherwise", async () => {
    const stream = new MemoryStream();
    const clock = new VirtualClock();
    const first = begin({ stream, clock, make: lane("up.old.rows.live") });
    fill(first.outbox, 10);
    await settled(first.sender.flush(), clock);
    // What was written down is older than what was sent last.
    const { place } = first.sender;
    fill(first.outbox, 10);
    await settled(first.sender.flush(), clock);
    await first.sender.close();
    const outbox = first.outbox.reopened(10);
    const second = begin({ stream, clock, make: lane("up.new.rows.live"), outbox, place, epoch: 2 });
    await settled(second.sender.flush(), clock);
    stream.loseEnd(0);
    fill(outbox, 5);
    await settled(second.sender.flush(), clock);
    await second.sender.close();
    expect(numbersIn(stream)).toEqual(range(1, 25));
    expect([...stream.messages.values()].at(-1)?.subject).toBe("up.new.rows.live");
  });

  it("sends again what the stream lost, however long others have made it since", async () => {
    for (const others of [1, 2, 5]) {
      const stream = new MemoryStream();
      const clock = new VirtualClock();
      fillOthers(stream, 1);
      const { sender, outbox } = begin({ stream, clock, make: lane("up.host.rows.live") });
      fill(outbox, 10);
      await settled(sender.flush(), clock);
      expect(sender.place).toMatchObject({ sequence: 2, number: 10 });
      stream.loseEnd(2);
      // Other lanes were sooner.
      fillOthers(stream, others);
      await until(clock, () => numbersIn(stream).length === 10);
      fill(outbox, 5);
      await settled(sender.flush(), clock);
      expect(numbersIn(stream)).toEqual(range(1, 15));
      await sender.close();
    }
  });

  it("sends again, at the next start, what the stream lost behind rows of another chain", async () => {
    const stream = new MemoryStream();
    const clock = new VirtualClock();
    const subject = "up.host.rows.live";
    const former = begin({ stream, clock, make: lane(subject), id: "former.chain" });
    fill(former.outbox, 3);
    await settled(former.sender.flush(), clock);
    await former.sender.close();
    const first = begin({ stream, clock, make: lane(subject) });
    fill(first.outbox, 10);
    await settled(first.sender.flush(), clock);
    const { place } = first.sender;
    await first.sender.close();
    stream.loseEnd(1);
    fillOthers(stream, 4);
    const outbox = first.outbox.reopened(10);
    const second = begin({ stream, clock, make: lane(subject), outbox, place, epoch: 2 });
    await until(clock, () => numbersIn(stream).length === 13);
    expect(numbersIn(stream)).toEqual([...range(1, 3), ...range(1, 10)]);
    await second.sender.close();
  });

  it("sends nothing again that the stream removed, whatever it loses later", async () => {
    const stream = new MemoryStream();
    const clock = new VirtualClock();
    const { sender, outbox } = begin({ stream, clock, make: lane("up.host.rows.live") });
    fill(outbox, 10);
    await settled(sender.flush(), clock);
    fillOthers(stream, 3);
    stream.messages.delete(1);
    stream.loseEnd(1);
    await settled(sender.flush(), clock);
    fillOthers(stream, 1);
    stream.loseEnd(2);
    fill(outbox, 5);
    await settled(sender.flush(), clock);
    expect(numbersIn(stream)).toEqual(range(11, 15));
    await sender.close();
  });

  it("sends smaller messages to a stream that takes none so large, and drops only what is too large by itself", async () => {
    const stream = new MemoryStream();
    const clock = new VirtualClock();
    const store = stream.store.bind(stream);
    stream.store = (publication) =>
      publication.payload.length > 600
        ? { kind: "refused", code: 10_054, reason: "message size exceeds maximum allowed" }
        : store(publication);
    const { sender, outbox } = begin({ stream, clock, make: lane("up.host.rows.live") });
    fill(outbox, 100);
    outbox.add({ ...testRow("a", 101), payload: Buffer.alloc(1_000) });
    fill(outbox, 10);
    await settled(sender.flush(), clock);
    expect(numbersIn(stream)).toEqual(range(1, 111).filter((number) => number !== 101));
    expect(sender.stats()).toMatchObject({ rows: 110, pending: 0, dropped: { oversize: 1 } });
    await sender.close();
  });

  it("has names that are tokens in its subject", () =>
    expect(laneSubject("up", "gate.way 1", "cold-chain", "live")).toBe("up.gate_way_1.cold-chain.live"));
});
