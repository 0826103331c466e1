// What else befalls a chain on a real nats-server: a stream that is deleted or full, a server that stands still, a later start
// of the chain itself, and all faults in any order.

import { DiscardPolicy } from "@nats-io/jetstream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { sleep, wallClock } from "../../clock.ts";
import {
  fillRows,
  findings,
  ServerUnderTest,
  startSender,
  throughServerFaults,
} from "./server-faults.fixture.ts";

const none = { lost: 0, duplicated: 0, out_of_order: 0 };

let under: ServerUnderTest;
let said: string[];

beforeEach(async () => {
  said = [];
  const say = (message: string): void => void said.push(message);
  under = await ServerUnderTest.start({ info: say, warn: say });
});

afterEach(() => under.close());

/** What the stream holds, once all is confirmed. */
async function foundIn(count: number): Promise<object> {
  return findings(await under.numbers("ROWS"), count, "exclusive");
}

describe("a chain", () => {
  it("stores each row once through faults in any order", async () => {
    const { error, ...found } = await throughServerFaults(7, 5);
    expect(error).toBeNull();
    expect(found).toMatchObject(none);
    expect(found.records).toBeGreaterThan(500);
  });

  it("makes its stream again, with all that is kept, when somebody deleted it", async () => {
    const running = await startSender(under);
    fillRows(running.outbox, 100);
    await running.sender.flush();
    await under.witness((manager) => manager.streams.delete("ROWS"));
    fillRows(running.outbox, 100);
    await running.sender.flush();
    await running.close();
    expect(await foundIn(200)).toMatchObject(none);
  });

  it("is ended by a later start of itself", async () => {
    const first = await startSender(under);
    fillRows(first.outbox, 10);
    await first.sender.flush();
    const second = await startSender(under, { epoch: 2, outbox: first.outbox.reopened(5) });
    fillRows(second.outbox, 10);
    await second.sender.flush();
    fillRows(first.outbox, 1);
    await first.sender.flush();
    expect(first.error).toMatchObject({ code: "WEIR_FENCED" });
    expect(second.error).toBeNull();
    await first.close();
    await second.close();
    expect(await foundIn(20)).toMatchObject(none);
  });

  it("keeps what a full stream refuses, and goes on when there is room", async () => {
    await under.witness((manager) =>
      manager.streams.add({ name: "ROWS", subjects: ["rows.>"], max_msgs: 50, discard: DiscardPolicy.New }),
    );
    const running = await startSender(under);
    fillRows(running.outbox, 80);
    await vi.waitFor(() => expect(said.join("\n")).toContain("maximum messages exceeded"), {
      timeout: 10_000,
    });
    expect(running.outbox.confirmed).toBe(50);
    await under.witness((manager) => manager.streams.update("ROWS", { max_msgs: 100 }));
    await running.sender.flush();
    expect(running.sender.stats()).toMatchObject({ rows: 80, pending: 0, dropped: {} });
    await running.close();
    expect(await foundIn(80)).toMatchObject(none);
  });

  it("takes up where it was when the server stood still for longer than an answer may take", async () => {
    const running = await startSender(under);
    fillRows(running.outbox, 10);
    await running.sender.flush();
    await under.server.pause();
    fillRows(running.outbox, 300);
    await sleep(wallClock, 6_500);
    await under.server.proceed();
    await running.sender.flush();
    await running.close();
    expect(await foundIn(310)).toMatchObject(none);
  });
});
