// An account of a real nats-server that has no more room: the server gives a row its sequence, refuses it, and removes it. What
// is gone was never stored then; and what was stored of other subjects is not sent again, where no ids help.

import { jetstream } from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { sleep, wallClock } from "../../clock.ts";
import {
  type Delivery,
  fillRows,
  findings,
  type RunningSender,
  ServerUnderTest,
  startSender,
} from "./server-faults.fixture.ts";

const account = (bytes: string): string =>
  `accounts { ROOM { users: [{ user: any, password: any }], jetstream: { max_file: ${bytes}, max_mem: 1GB } } }\nno_auth_user: any`;
const idsKept_ms = 100;
const none = { lost: 0, duplicated: 0, out_of_order: 0 };

let under: ServerUnderTest;
let said: string[];

beforeEach(async () => {
  said = [];
  const say = (message: string): void => void said.push(message);
  under = await ServerUnderTest.start({ info: say, warn: say }, account("64KB"));
  await under.witness(async (manager) => {
    await manager.streams.add({ name: "ROWS", subjects: ["rows.>"], duplicate_window: nanos(idsKept_ms) });
    await manager.streams.add({ name: "REST", subjects: ["rest"] });
  });
});

afterEach(() => under.close());

/** Until the account has room for a few rows, and no more. */
async function takeRoom(): Promise<void> {
  const link = await under.connect();
  const client = jetstream(link.nats);
  const fits = (size: number): Promise<boolean> =>
    client.publish("rest", new Uint8Array(size)).then(
      () => true,
      () => false,
    );
  for (const size of [8_192, 4_096, 2_048, 1_024, 512]) while (await fits(size));
  await link.close();
}

function giveRoom(): Promise<unknown> {
  return under.witness((manager) => manager.streams.delete("REST"));
}

/** Rows that had a sequence and were refused. */
function removed(): Promise<number> {
  return under.witness(async (manager) => (await manager.streams.info("ROWS")).state.num_deleted ?? 0);
}

async function saidSo(): Promise<void> {
  await vi.waitFor(() => expect(said.join("\n")).toContain("limits exceeded"), { timeout: 10_000 });
  said.length = 0;
}

/** A chain with rows that the account has no room for, once the server has said so. */
async function refused(delivery: Delivery): Promise<RunningSender> {
  const running = await startSender(under, { delivery });
  fillRows(running.outbox, 100);
  await running.sender.flush();
  await takeRoom();
  fillRows(running.outbox, 30);
  await saidSo();
  return running;
}

describe.each(["exclusive", "subject", "lane"] as const)(
  "%s: rows that an account has no room for",
  (delivery) => {
    const found = async (): Promise<object> => findings(await under.numbers("ROWS"), 130, delivery);

    it("come once when it has", async () => {
      const running = await refused(delivery);
      await giveRoom();
      await running.sender.flush();
      await running.close();
      expect(await found()).toMatchObject(none);
    });

    it("come once when the server is started anew with more", async () => {
      const running = await refused(delivery);
      // Until the sender waits between two tries.
      const before = await removed();
      await vi.waitFor(async () => expect(await removed()).toBeGreaterThan(before), { timeout: 10_000 });
      // In order: killed, it may have again what it removed.
      await under.server.stop();
      await under.restart(() => {}, account("1GB"));
      await running.sender.flush();
      await running.close();
      expect(await found()).toMatchObject(none);
    });

    it("come once when the sender starts anew meanwhile, and knows less than the stream", async () => {
      const first = await refused(delivery);
      const { place } = first.sender;
      const outbox = first.outbox.reopened(90);
      await first.close();
      // Until the server has forgotten the ids.
      await sleep(wallClock, 3 * idsKept_ms);
      const second = await startSender(under, { delivery, epoch: 2, place, outbox });
      await saidSo();
      await giveRoom();
      await second.sender.flush();
      await second.close();
      expect(await found()).toMatchObject(none);
    });
  },
);
