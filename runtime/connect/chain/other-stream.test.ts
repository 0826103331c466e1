// What a chain learns of its stream too late, where it looks at the wrong thing: that it lost rows which others have replaced
// since, and that it was made anew while nothing was sent.

import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../clock.ts";
import { limits } from "../../limits.ts";
import { silentLog } from "../connector-log.ts";
import { exclusiveTarget } from "./exclusive-target.ts";
import { identifiedTarget } from "./identified-target.ts";
import { laneTarget } from "./lane-target.ts";
import { MemoryOutbox, testRow } from "./memory-outbox.fixture.ts";
import { MemoryStream } from "./memory-stream.fixture.ts";
import { begin, type Make, settled } from "./running-chain.fixture.ts";
import { subjectTarget } from "./subject-target.ts";

function outboxOf(subject: string, numbers: readonly number[]): MemoryOutbox {
  const outbox = new MemoryOutbox();
  for (const number of numbers) outbox.add(testRow(subject, number));
  return outbox;
}

/** What the stream has on a subject. */
function on(stream: MemoryStream, subject: string): string[] {
  const messages = [...stream.messages.values()].filter((message) => message.subject === subject);
  return messages.map(({ payload }) => Buffer.from(payload).toString());
}

/** Whatever is to happen in a second has happened. */
async function advanced(clock: VirtualClock): Promise<void> {
  for (let step = 0; step < 100; step++) {
    clock.advanceTo(clock.now() + 10);
    await setImmediate();
  }
}

describe.each<[string, Make]>([
  ["subject", subjectTarget],
  ["message_id", identifiedTarget],
])("a shared stream, %s", (_name, make) => {
  it("that lost rows and is as long again, by those of others, gets them again", async () => {
    const stream = new MemoryStream();
    const clock = new VirtualClock();
    const first = begin({ stream, clock, make, outbox: outboxOf("a", [1, 2, 3]) });
    await settled(first.sender.flush(), clock);
    const { place } = first.sender;
    await first.sender.close();
    stream.loseEnd(2);
    const other = begin({ stream, clock, make, id: "other.chain", outbox: outboxOf("b", [1, 2, 3, 4]) });
    await settled(other.sender.flush(), clock);
    const again = begin({ stream, clock, make, epoch: 2, outbox: first.outbox.reopened(3), place });
    await settled(again.sender.flush(), clock);
    expect(on(stream, "a")).toEqual(["1", "2", "3"]);
    expect(on(stream, "b")).toHaveLength(4);
    for (const { sender } of [other, again]) await sender.close();
  });

  it("that lost rows gets none again before that is written down, since those would hide it", async () => {
    const stream = new MemoryStream();
    const clock = new VirtualClock();
    const setting = { stream, clock, make, hasWriter: true };
    const first = begin({ ...setting, outbox: outboxOf("a", [1, 2, 3]) });
    await settled(first.sender.flush(), clock);
    const { place } = first.sender;
    await first.sender.close();
    stream.loseEnd(2);
    const again = begin({ ...setting, epoch: 2, outbox: first.outbox.reopened(3), place });
    while (!again.sender.isHeld) await setImmediate();
    await advanced(clock);
    expect(on(stream, "a")).toEqual(["1"]);
    // What was said before it was attached is no word of the loss.
    again.sender.written(place);
    await advanced(clock);
    expect(on(stream, "a")).toEqual(["1"]);
    expect(again.sender.place).toMatchObject({ healing: true });
    again.sender.written(again.sender.place);
    await settled(again.sender.flush(), clock);
    expect(on(stream, "a")).toEqual(["1", "2", "3"]);
    await again.sender.close();
  });

  it("from which rows were removed on purpose does not get them again", async () => {
    const stream = new MemoryStream();
    const clock = new VirtualClock();
    const first = begin({ stream, clock, make, outbox: outboxOf("a", [1, 2, 3]) });
    await settled(first.sender.flush(), clock);
    const { place } = first.sender;
    await first.sender.close();
    stream.purge();
    const again = begin({ stream, clock, make, epoch: 2, outbox: first.outbox.reopened(3), place });
    await settled(again.sender.flush(), clock);
    expect(on(stream, "a")).toEqual([]);
    await again.sender.close();
  });
});

const lane: Make = (options) => laneTarget({ ...options, subject: "up.lane" });

it.each<[string, Make]>([
  ["subject", subjectTarget],
  ["lane", lane],
])(
  "%s: a stream from which readers take rows away is refused, since it would get them twice",
  async (_name, make) => {
    const stream = new MemoryStream();
    stream.retention = "workqueue";
    const clock = new VirtualClock();
    const running = begin({ stream, clock, make, outbox: outboxOf("a", [1]) });
    await advanced(clock);
    expect(running.error).toMatchObject({
      code: "WEIR_CONFIG",
      message: "stream MODEL removes rows once they are read, so the last row of a subject tells nothing",
    });
    expect(stream.messages.size).toBe(0);
    await running.sender.close();
  },
);

it.each<[string, Make]>([
  ["exclusive", exclusiveTarget],
  ["subject", subjectTarget],
  ["lane", lane],
])("%s: rows that were removed before they were confirmed hold up none behind them", async (_name, make) => {
  const stream = new MemoryStream();
  const clock = new VirtualClock();
  const first = begin({ stream, clock, make, outbox: outboxOf("a", [1, 2, 3]) });
  await settled(first.sender.flush(), clock);
  await first.sender.close();
  stream.purge();
  // The server knows their ids still, and no commit says where they were.
  const again = begin({ stream, clock, make, epoch: 2, outbox: first.outbox.reopened(0) });
  await advanced(clock);
  expect(stream.messages.size).toBe(0);
  again.outbox.add(testRow("a", 4));
  await advanced(clock);
  expect(stream.messages.size).toBe(1);
  expect(again.outbox.confirmed).toBe(4);
  await again.sender.close();
});

it.each<[string, Make]>([
  ["exclusive", exclusiveTarget],
  ["subject", subjectTarget],
  ["message_id", identifiedTarget],
  ["lane", lane],
])(
  "%s: a stream that is made anew while there is nothing to send has the rows again",
  async (_name, make) => {
    const stream = new MemoryStream();
    const clock = new VirtualClock();
    const { sender } = begin({ stream, clock, make, outbox: outboxOf("a", [1, 2, 3]) });
    await settled(sender.flush(), clock);
    const before = stream.payloads();
    stream.purge();
    stream.last = 0;
    stream.created = "2";
    stream.forgetIds();
    clock.advanceTo(clock.now() + limits.chain_check_ms / 2);
    await setImmediate();
    expect(stream.payloads()).toEqual([]);
    clock.advanceTo(clock.now() + limits.chain_check_ms);
    while (stream.payloads().join("") !== before.join("")) {
      await setImmediate();
      clock.advanceTo(clock.now() + 10);
    }
    await sender.close();
  },
);

it("a chain that begins on a stream with rows of its name from another state folder says so once", async () => {
  const said: string[] = [];
  const log = { ...silentLog, warn: (line: string) => void said.push(line) };
  const stream = new MemoryStream();
  const clock = new VirtualClock();
  for (const id of ["first.chain", "other.rows", "second.chain", "second.chain"]) {
    const { sender } = begin({ stream, clock, id, log, outbox: outboxOf("a", [1, 2]) });
    await settled(sender.flush(), clock);
    await sender.close();
    if (id === "other.rows") stream.loseEnd(2);
  }
  expect(said).toEqual([
    "sink stream MODEL: it has rows of this pipeline from another state folder; what is read again from the source comes twice",
  ]);
});
