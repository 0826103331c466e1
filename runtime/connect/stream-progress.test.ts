// What is new, what is done and what a position says, where messages come in order and where they do not.

import { describe, expect, it } from "vitest";
import { readPlain, written } from "../state/written.ts";
import type { Acks } from "./jetstream-consumer.ts";
import type { Delivered } from "./jetstream-delivered.ts";
import { compareTimes, parseStored } from "./stream-facts.ts";
import { type JetStreamPosition, positionOf, StreamProgress } from "./stream-progress.ts";

function message(sequence: number, stored = 1_000 + sequence): Delivered {
  return {
    streamSequence: sequence,
    deliverySequence: sequence,
    deliveries: 1,
    stored,
    stored_ns: 7,
    pending: 0,
  };
}

function progress(acks: Acks, from: JetStreamPosition | null = null, floor = 0): StreamProgress {
  return new StreamProgress({
    stream: "IN",
    acks,
    remembers: true,
    created: "monday",
    floor,
    isPlaced: true,
    from,
  });
}

/** Comes and is handed out. */
function pass(to: StreamProgress, ...sequences: number[]): void {
  for (const sequence of sequences) {
    const delivered = message(sequence);
    expect(to.standing(delivered)).toBe("new");
    const ordinal = to.receive(delivered);
    to.keep(delivered, ordinal);
    to.handOut({ ...delivered, ordinal, epoch: to.incarnation }, `reply ${sequence}`);
  }
}

function reread(position: JetStreamPosition): JetStreamPosition {
  const read = positionOf(readPlain(written(position)), "IN");
  if (read === null) throw new Error("expected a position");
  return read;
}

describe("progress in order", () => {
  it("is where the last message is that was handed out", () => {
    const here = progress("none");
    expect(here.position).toMatchObject({ stream: "IN", created: "monday", sequence: 0, incarnation: 1 });
    pass(here, 1, 2, 5);
    expect(here.position).toMatchObject({ sequence: 5, stored: 1_005, stored_ns: 7 });
    expect(here.standing(message(4))).toBe("here");
    expect(here.missingBefore(message(9))).toBe(3);
    expect(reread(here.position)).toEqual({ ...here.position, ordinal: 0 });
    expect(positionOf(readPlain(written(here.position)), "OTHER")).toBeNull();
  });

  it("keeps positions of an incarnation apart from those of the next", () => {
    const here = progress("all");
    pass(here, 1, 2, 3);
    const before = here.position;
    here.begin("monday", { start: 2, incarnation: 2, events: [] });
    // What waited is still the old one's.
    expect(here.position).toEqual(before);
    expect(here.settle(before)).toEqual([]);
    pass(here, 2, 3);
    expect(here.position).toMatchObject({ sequence: 3, incarnation: 2 });
    expect(here.settle(here.position)).toEqual(["reply 2", "reply 3"]);
  });

  it("knows how many records of a message are done", () => {
    const here = progress("none");
    pass(here, 1);
    here.handOutPart({ message: message(2), read: 3 });
    const next = progress("none", reread(here.position), 1);
    expect(next.doneOf(message(2))).toBe(3);
    // The same number, stored at another time, is another message.
    expect(next.doneOf(message(2, 9_999))).toBe(0);
    expect(next.doneOf(message(3))).toBe(0);
    next.handOutPart({ message: message(2), read: 2 });
    expect(next.position.part).toMatchObject({ sequence: 2, records: 5 });
    next.handOutPart(null);
    expect(next.position.part).toBeNull();
  });
});

describe("progress of a work queue", () => {
  it("remembers what is done until the broker does", () => {
    const here = progress("explicit");
    pass(here, 5, 1, 2, 9);
    expect(here.standing(message(5))).toBe("here");
    expect(here.settle(here.position)).toEqual(["reply 5", "reply 1", "reply 2", "reply 9"]);
    expect([1, 2, 5, 9].map((sequence) => here.standing(message(sequence)))).toEqual([
      "done",
      "done",
      "done",
      "done",
    ]);
    expect([3, 4, 6].map((sequence) => here.standing(message(sequence)))).toEqual(["new", "new", "new"]);
    expect(here.remembered).toBe(3);
    here.raiseFloor(5);
    expect(here.remembered).toBe(1);
    expect(here.standing(message(5))).toBe("done");
  });

  it("says in its position what was handed out, not what has come", () => {
    const here = progress("explicit");
    pass(here, 1, 2);
    const waits = message(3);
    here.keep(waits, here.receive(waits));
    const next = progress("explicit", reread(here.position));
    expect([1, 2, 3].map((sequence) => next.standing(message(sequence)))).toEqual(["done", "done", "new"]);
  });

  it("tells a number that was given anew from one that comes again", () => {
    const here = progress("explicit");
    pass(here, 1, 2, 3);
    here.settle(here.position);
    expect(here.isReused(message(2))).toBe(false);
    const renewed = message(2, 5_000);
    expect(here.isReused(renewed)).toBe(true);
    here.begin("monday", { start: 2, incarnation: 2, events: [] });
    expect(here.standing(message(1))).toBe("done");
    expect(here.standing(renewed)).toBe("new");
    expect(here.standing(message(3))).toBe("new");
  });

  it("marks nothing of the new incarnation as done by what waited of the old", () => {
    const here = progress("explicit");
    const old = message(2);
    const ordinal = here.receive(old);
    here.keep(old, ordinal);
    here.begin("monday", { start: 2, incarnation: 2, events: [] });
    here.handOut({ ...old, ordinal, epoch: 1 }, null);
    expect(here.standing(message(2, 5_000))).toBe("new");
    expect(reread(here.position)).toMatchObject({ sequence: 1, incarnation: 2 });
  });
});

describe("a time of storage", () => {
  it("is read to its nanoseconds, with zeros left out", () => {
    expect(parseStored("2026-03-01T12:00:00.123456789Z")).toEqual({
      stored: Date.UTC(2026, 2, 1, 12, 0, 0, 123),
      stored_ns: 456_789,
    });
    expect(parseStored("2026-03-01T12:00:00.12Z")).toEqual({
      stored: Date.UTC(2026, 2, 1, 12, 0, 0, 120),
      stored_ns: 0,
    });
    expect(parseStored("2026-03-01T12:00:00Z").stored_ns).toBe(0);
    const [early, late] = [
      parseStored("2026-03-01T12:00:00.1Z"),
      parseStored("2026-03-01T12:00:00.100000001Z"),
    ];
    expect(compareTimes(early, late)).toBeLessThan(0);
  });
});
