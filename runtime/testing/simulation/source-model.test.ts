// The model of a source does what the real one does where the connection is lost while it asks: `resume-faults.test.ts` has the
// same on real servers.

import { expect, test } from "vitest";
import { payloadAt } from "../../batch/payloads.ts";
import type { ReadLimits } from "../../connect/connect.ts";
import { Life } from "./life.ts";
import { LinkModel, Wire } from "./link-model.ts";
import { Random } from "./random.ts";
import { Scheduler } from "./scheduler.ts";
import { ServerModel } from "./server-model.ts";
import { SourceModel } from "./source-model.ts";
import { plainStream } from "./stream-model.ts";

const within: ReadLimits = { rows: 500, bytes: 1_000_000, wait_ms: 10, age_ms: 2 };
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n);

test("a stream that lost its end while it was asked, and is longer by now, is read from what is new", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new Random(seed);
    const scheduler = new Scheduler(random.fork(), 0);
    const server = new ServerModel("edge", scheduler);
    const stream = server.create({ ...plainStream, name: "IN", subjects: ["in.>"] });
    const wire = new Wire(server, scheduler, random.fork());
    const life = new Life(scheduler, 1, () => false);
    const source = new SourceModel({
      stream: "IN",
      link: new LinkModel(life, wire),
      random: random.fork(),
      patience_ms: 100,
      unpacks: false,
    });
    const publish = (from: number, to: number): void => {
      for (const n of range(from, to))
        server.publish({ subject: "in.a", payload: Buffer.from(String(n)), headers: {} });
    };
    const numbers: number[] = [];
    const reading = (async (): Promise<void> => {
      await source.open(null);
      for (;;) {
        const delivery = await source.read(within);
        if (delivery === null || delivery === "end") continue;
        for (let row = 0; row < delivery.payloads.count; row++)
          numbers.push(Number(Buffer.from(payloadAt(delivery.payloads, row)).toString()));
      }
    })();
    publish(0, 20);
    await scheduler.run(() => numbers.length === 20);
    // Something is asked at any time from now on.
    const at_ms = scheduler.now + random.next() * 20;
    scheduler.after(at_ms - scheduler.now, "kill", () => server.kill());
    await scheduler.run(() => !server.up);
    stream.loseTail(10);
    // Others are there before it asks again.
    scheduler.after(5, "start", () => {
      server.start();
      publish(100, 130);
    });
    await scheduler.run(() => numbers.at(-1) === 129 || scheduler.now > at_ms + 10_000);
    expect(numbers).toEqual([...range(0, 20), ...range(100, 130)]);
    expect(source.stats().dropped).toEqual({ regressed: 10 });
    life.end();
    void reading;
  }
});
