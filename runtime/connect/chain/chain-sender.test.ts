// One chain through what happens to it: another start, another writer, a copy of its state, a store that loses its end, rows
// that nobody takes.

import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../clock.ts";
import { silentLog } from "../connector-log.ts";
import { MemoryOutbox, testRow } from "./memory-outbox.fixture.ts";
import { MemoryStream } from "./memory-stream.fixture.ts";
import { begin, fill, settled, texts } from "./running-chain.fixture.ts";

describe("a chain on a stream of its own", () => {
  it("stores each entry once and in order, and goes on where another start was", async () => {
    const stream = new MemoryStream();
    const clock = new VirtualClock();
    const first = begin({ stream, clock });
    fill(first.outbox, 1_000);
    await settled(first.sender.flush(), clock);
    expect(first.sender.stats()).toEqual({ rows: 1_000, bytes: 2_893, pending: 0, dropped: {} });
    await first.sender.close();
    // Of what was confirmed, the last part was not written down.
    const second = begin({ stream, clock, epoch: 2, outbox: first.outbox.reopened(900) });
    fill(second.outbox, 10);
    await settled(second.sender.flush(), clock);
    expect(stream.payloads()).toEqual(texts(1, 1_010));
    expect(second.outbox.confirmed).toBe(1_010);
    await second.sender.close();
  });

  it("takes no row for lost that was left out before another start", async () => {
    const [stream, clock] = [new MemoryStream(), new VirtualClock()];
    const first = begin({ stream, clock });
    fill(first.outbox, 2);
    await settled(first.sender.flush(), clock);
    await first.sender.close();
    const said: string[] = [];
    const log = { ...silentLog, warn: (line: string) => said.push(line) };
    fill(first.outbox, 3);
    const outbox = first.outbox.reopened(5);
    outbox.reached = 2;
    const second = begin({ stream, clock, epoch: 2, outbox, log });
    fill(outbox, 1);
    await settled(second.sender.flush(), clock);
    expect(stream.payloads()).toEqual(["1", "2", "6"]);
    expect(said).toEqual([]);
    await second.sender.close();
  });

  it("begins behind rows that were there before", async () => {
    const stream = new MemoryStream();
    const clock = new VirtualClock();
    stream.store({ subject: "a", payload: Buffer.from("old"), headers: {} });
    const { sender, outbox } = begin({ stream, clock });
    fill(outbox, 3);
    await settled(sender.flush(), clock);
    expect(stream.payloads()).toEqual(["old", "1", "2", "3"]);
    await sender.close();
  });

  it("bears with somebody who passes by, and refuses one who stays", async () => {
    const stream = new MemoryStream();
    const clock = new VirtualClock();
    const running = begin({ stream, clock });
    const { sender, outbox } = running;
    for (let times = 1; times <= 2; times++) {
      fill(outbox, 1);
      await settled(sender.flush(), clock);
      stream.store({ subject: "a", payload: Buffer.from("x"), headers: {} });
    }
    fill(outbox, 1);
    await settled(sender.flush(), clock);
    expect(stream.payloads()).toEqual(["1", "x", "2", "x", "3"]);
    expect(running.error).toBeNull();
    stream.store({ subject: "a", payload: Buffer.from("x"), headers: {} });
    fill(outbox, 1);
    await settled(sender.flush(), clock);
    expect(running.error).toMatchObject({ code: "WEIR_CONFIG" });
    expect(running.error?.remedy).toContain("delivery: subject");
    await sender.close();
  });

  it("sends again what the other side lost, and tells what is not kept any more", async () => {
    const stream = new MemoryStream();
    const clock = new VirtualClock();
    const said: string[] = [];
    const log = { info: () => {}, warn: (message: string) => said.push(message) };
    const { sender, outbox } = begin({ stream, clock, log });
    fill(outbox, 100);
    await settled(sender.flush(), clock);
    stream.loseEnd(30);
    fill(outbox, 1);
    await settled(sender.flush(), clock);
    expect(stream.payloads()).toEqual(texts(1, 101));
    expect(said).toEqual([expect.stringContaining("sending again from entry 71")]);
    outbox.oldest = 91;
    stream.loseEnd(20);
    fill(outbox, 1);
    await settled(sender.flush(), clock);
    expect(stream.payloads()).toEqual([...texts(1, 81), ...texts(91, 102)]);
    expect(said[1]).toContain("lost entries 82 to 90");
    // What was sent again counts once.
    expect(sender.stats()).toMatchObject({ rows: 102, pending: 0, dropped: {} });
    await sender.close();
  });

  it("says once what stands in the way of sending again, however long it does", async () => {
    const [stream, clock] = [new MemoryStream(), new VirtualClock()];
    const said: string[] = [];
    const log = { info: () => {}, warn: (message: string) => said.push(message) };
    const { sender, outbox } = begin({ stream, clock, log });
    fill(outbox, 10);
    await settled(sender.flush(), clock);
    const store = stream.store.bind(stream);
    stream.store = (publication) =>
      clock.now() < 600_000
        ? { kind: "refused", code: 10_077, reason: "maximum messages exceeded" }
        : store(publication);
    stream.loseEnd(5);
    fill(outbox, 1);
    await settled(sender.flush(), clock);
    expect(stream.payloads()).toEqual(texts(1, 11));
    expect(said).toEqual([
      expect.stringContaining("sending again from entry 6"),
      expect.stringContaining("maximum messages exceeded"),
    ]);
    await sender.close();
  });

  it("does not send again what was removed from the stream on purpose", async () => {
    const stream = new MemoryStream();
    const clock = new VirtualClock();
    const first = begin({ stream, clock });
    fill(first.outbox, 10);
    await settled(first.sender.flush(), clock);
    const { place } = first.sender;
    await first.sender.close();
    stream.purge();
    stream.forgetIds();
    // Nothing tells how far it was but the place, and the numbers of the stream.
    const second = begin({ stream, clock, epoch: 2, outbox: first.outbox.reopened(4), place });
    fill(second.outbox, 1);
    await settled(second.sender.flush(), clock);
    expect(stream.payloads()).toEqual(["11"]);
    stream.purge();
    fill(second.outbox, 1);
    await settled(second.sender.flush(), clock);
    expect(stream.payloads()).toEqual(["12"]);
    await second.sender.close();
  });

  it("is ended by a later start, by a copy of the same start, and by a state that was rolled back", async () => {
    const stream = new MemoryStream();
    const clock = new VirtualClock();
    const first = begin({ stream, clock });
    fill(first.outbox, 5);
    await settled(first.sender.flush(), clock);
    const second = begin({ stream, clock, epoch: 2, outbox: first.outbox.reopened(5) });
    fill(second.outbox, 1);
    await settled(second.sender.flush(), clock);
    fill(first.outbox, 1);
    await settled(first.sender.flush(), clock);
    expect(first.error).toMatchObject({ code: "WEIR_FENCED", message: expect.stringContaining("start 2") });
    expect(second.error).toBeNull();

    // A copy of the second with other rows: the first one to send wins.
    const copy = begin({ stream, clock, epoch: 2, outbox: first.outbox.reopened(5) });
    await settled(copy.sender.flush(), clock);
    expect(copy.error).toMatchObject({ code: "WEIR_FENCED" });
    const rolledBack = new MemoryOutbox();
    fill(rolledBack, 3);
    const third = begin({ stream, clock, epoch: 3, outbox: rolledBack });
    await settled(third.sender.flush(), clock);
    expect(third.error).toMatchObject({ code: "WEIR_FENCED", message: expect.stringContaining("entry 6") });
    expect(stream.payloads()).toEqual(texts(1, 6));
    for (const { sender } of [first, second, copy, third]) await sender.close();
  });

  it("notices a copy that runs beside it, even where ids alone would hide it", async () => {
    const stream = new MemoryStream();
    const clock = new VirtualClock();
    const one = begin({ stream, clock });
    const other = begin({ stream, clock });
    await settled(one.sender.flush(), clock);
    await settled(other.sender.flush(), clock);
    one.outbox.add(testRow("a", 1));
    await settled(one.sender.flush(), clock);
    other.outbox.add(testRow("a", 1_000));
    await settled(other.sender.flush(), clock);
    expect(other.error).toMatchObject({ code: "WEIR_FENCED" });
    expect(stream.payloads()).toEqual(["1"]);
    await one.sender.close();
    await other.sender.close();
  });

  it("is ended by a copy that has sent more than can have been sent from here, however many rows were made here since", async () => {
    const stream = new MemoryStream();
    const clock = new VirtualClock();
    const first = begin({ stream, clock });
    fill(first.outbox, 2);
    await settled(first.sender.flush(), clock);
    const copied = first.outbox.reopened(1);
    fill(first.outbox, 1);
    await settled(first.sender.flush(), clock);
    for (const number of [1_003, 1_004]) copied.add(testRow("a", number));
    const copy = begin({ stream, clock, epoch: 2, outbox: copied });
    await settled(copy.sender.flush(), clock);
    expect(copy.error).toMatchObject({ code: "WEIR_FENCED", message: expect.stringContaining("entry 3") });
    expect(stream.payloads()).toEqual(texts(1, 3));
    for (const { sender } of [first, copy]) await sender.close();
  });

  it("drops and counts what can never be stored, and keeps what can be later", async () => {
    const stream = new MemoryStream();
    const clock = new VirtualClock();
    let full = true;
    const store = stream.store.bind(stream);
    stream.store = (publication) => {
      if (Buffer.from(publication.payload).toString() === "3")
        return { kind: "refused", code: 10_054, reason: "too large" };
      if (full && stream.last === 4)
        return { kind: "refused", code: 10_077, reason: "maximum messages exceeded" };
      return store(publication);
    };
    const said: string[] = [];
    const log = {
      info: () => {},
      warn(message: string) {
        said.push(message);
        if (message.includes("maximum messages")) clock.after(1_000, () => (full = false));
      },
    };
    const { sender, outbox } = begin({ stream, clock, log });
    fill(outbox, 2);
    fill(outbox, 2);
    outbox.add(testRow("$SYS.x", 5));
    fill(outbox, 2);
    await settled(sender.flush(), clock);
    expect(stream.payloads()).toEqual(["1", "2", "4", "6", "7"]);
    expect(sender.stats()).toMatchObject({ rows: 5, pending: 0, dropped: { oversize: 1, subject: 1 } });
    expect(outbox.confirmed).toBe(7);
    expect(said.filter((message) => message.includes("can never be stored"))).toHaveLength(2);
    expect(said.filter((message) => message.includes("maximum messages"))).toHaveLength(1);
    // The last entry may be one of them.
    outbox.add(testRow("", 8));
    outbox.add(testRow("", 9));
    await settled(sender.flush(), clock);
    expect(outbox.confirmed).toBe(9);
    expect(sender.stats().dropped).toEqual({ oversize: 1, subject: 3 });
    // A line for each reason, not for each row.
    expect(said.filter((message) => message.includes("can never be stored"))).toHaveLength(2);
    await sender.close();
  });

  it("asks a place that takes nothing for now by one row alone, however long, and sends all once it takes that", async () => {
    const stream = new MemoryStream();
    const clock = new VirtualClock();
    const full_ms = 600_000;
    /** By when they came, how many rows it refused. */
    const refused = new Map<number, number>();
    const store = stream.store.bind(stream);
    stream.store = (publication) => {
      const now = clock.now();
      if (now > full_ms) return store(publication);
      refused.set(now, (refused.get(now) ?? 0) + 1);
      return { kind: "refused", code: 10_077, reason: "maximum bytes exceeded" };
    };
    const { sender, outbox } = begin({ stream, clock });
    fill(outbox, 100);
    await settled(sender.flush(), clock);
    expect(stream.payloads()).toEqual(texts(1, 100));
    const [first, ...others] = refused.values();
    expect(first).toBe(100);
    expect(others.length).toBeGreaterThan(10);
    expect(new Set(others)).toEqual(new Set([1]));
    await sender.close();
  });
});
