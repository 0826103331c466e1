// Chains on real nats-servers that are killed, stopped, cut off, emptied and set back: every row once and in order.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Delivery, fillRows, findings, ServerUnderTest, startSender } from "./server-faults.fixture.ts";

const deliveries: readonly Delivery[] = ["exclusive", "subject", "lane"];
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
async function foundIn(count: number, delivery: Delivery): Promise<object> {
  return findings(await under.numbers("ROWS"), count, delivery);
}

describe.each(deliveries)("a chain of %s", (delivery) => {
  it("stores each row once through crashes of the server", async () => {
    const running = await startSender(under, { delivery });
    for (let crash = 0; crash < 3; crash++) {
      fillRows(running.outbox, 1_000);
      await vi.waitFor(() => expect(running.outbox.confirmed).toBeGreaterThan(1_000 * crash + 100), {
        interval: 1,
        timeout: 20_000,
      });
      await under.restart();
    }
    await running.sender.flush();
    expect(running.sender.stats()).toMatchObject({ rows: 3_000, pending: 0, dropped: {} });
    await running.close();
    expect(await foundIn(3_000, delivery)).toMatchObject(none);
  });

  it("stores once what arrives long after it was given up, and what was stored without an answer", async () => {
    const running = await startSender(under, { delivery });
    fillRows(running.outbox, 7);
    await running.sender.flush();
    under.cable.hold("to_server");
    fillRows(running.outbox, 100);
    await vi.waitFor(() => expect(under.cable.held).toBeGreaterThan(500), { interval: 1 });
    under.cable.drop();
    await running.sender.flush();
    // The stream has them by now; the first copies arrive.
    under.cable.release();
    under.cable.hold("to_client");
    fillRows(running.outbox, 100);
    await vi.waitFor(() => expect(under.cable.held).toBeGreaterThan(0), { interval: 1 });
    under.cable.drop();
    await running.sender.flush();
    await running.close();
    expect(await foundIn(207, delivery)).toMatchObject(none);
    expect(running.error).toBeNull();
  });

  it("sends again what the server lost with its store, even when nothing is to be sent", async () => {
    const running = await startSender(under, { delivery });
    fillRows(running.outbox, 70);
    await running.sender.flush();
    await under.restart(() => under.copyStore());
    fillRows(running.outbox, 70);
    await running.sender.flush();
    await under.restart(() => under.putBack());
    await vi.waitFor(async () => expect(await foundIn(140, delivery)).toMatchObject(none), {
      timeout: 10_000,
    });
    fillRows(running.outbox, 7);
    await running.sender.flush();
    expect(running.sender.stats()).toMatchObject({ rows: 147, pending: 0, dropped: {} });
    await running.close();
    expect(await foundIn(147, delivery)).toMatchObject(none);
    expect(said.join("\n")).toContain("the other side lost what it had confirmed");
  });
});
