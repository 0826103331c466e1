// What is of subjects alone: a copy of the state that is noticed although its rows went to other subjects than the own ones.

import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../clock.ts";
import { MemoryOutbox, testRow } from "./memory-outbox.fixture.ts";
import { MemoryStream } from "./memory-stream.fixture.ts";
import { begin, settled } from "./running-chain.fixture.ts";
import { subjectTarget } from "./subject-target.ts";

function outboxOf(...subjects: readonly string[]): MemoryOutbox {
  const outbox = new MemoryOutbox();
  for (const [place, subject] of subjects.entries()) outbox.add(testRow(subject, place + 1));
  return outbox;
}

describe("rows on subjects", () => {
  it("are not sent beside those of a copy that has sent more of a subject than can have been sent from here", async () => {
    const stream = new MemoryStream();
    const clock = new VirtualClock();
    const first = begin({ stream, clock, make: subjectTarget, outbox: outboxOf("a") });
    await settled(first.sender.flush(), clock);
    const copied = first.outbox.reopened(0);
    for (const number of [2, 3]) first.outbox.add(testRow("a", number));
    await settled(first.sender.flush(), clock);
    // It makes rows of its own, with numbers that the subject seems to have passed.
    for (const number of [2, 3, 4]) copied.add(testRow("b", number));
    const second = begin({ stream, clock, make: subjectTarget, epoch: 2, outbox: copied });
    await settled(second.sender.flush(), clock);
    expect(second.error).toMatchObject({ code: "WEIR_FENCED", message: expect.stringContaining("entry 3") });
    expect(stream.payloads()).toEqual(["1", "2", "3"]);
    for (const { sender } of [first, second]) await sender.close();
  });

  it("are not sent beside those of a copy that gave a number to a row of another subject", async () => {
    const stream = new MemoryStream();
    const clock = new VirtualClock();
    const second = begin({ stream, clock, make: subjectTarget, epoch: 2 });
    await settled(second.sender.flush(), clock);
    const first = begin({ stream, clock, make: subjectTarget, outbox: outboxOf("b") });
    await settled(first.sender.flush(), clock);
    second.outbox.add(testRow("a", 1));
    second.outbox.add(testRow("b", 2));
    await settled(second.sender.flush(), clock);
    expect(second.error).toMatchObject({ code: "WEIR_FENCED", message: expect.stringContaining("entry 1") });
    for (const { sender } of [first, second]) await sender.close();
  });

  it("are not taken for those of a copy of which only the ids are the same", async () => {
    const stream = new MemoryStream();
    const clock = new VirtualClock();
    const [one, other] = [1, 2].map((epoch) => begin({ stream, clock, make: subjectTarget, epoch }));
    // Both know by then that the subjects are empty.
    for (const { sender } of [one!, other!]) await settled(sender.flush(), clock);
    one!.outbox.add(testRow("a", 1));
    await settled(one!.sender.flush(), clock);
    other!.outbox.add(testRow("b", 1));
    while (other!.error === null) {
      await setImmediate();
      clock.advanceTo(clock.now() + 10);
    }
    expect(other!.error).toMatchObject({ code: "WEIR_FENCED", message: expect.stringContaining("entry 1") });
    expect(stream.payloads()).toEqual(["1"]);
    for (const running of [one!, other!]) await running.sender.close();
  });
});
