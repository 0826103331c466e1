// Which sinks are asked, and what a confirmation covers.

import { expect, test } from "vitest";
import type { OutputRow, Sink } from "../connect/connect.ts";
import { SinkSet } from "./sink-set.ts";

const row: OutputRow = { subject: "s", payload: new Uint8Array(0), id: null, caused: 0 };

/** A sink that notes what it is asked, and confirms when told. */
class Noted implements Sink {
  readonly asked: string[] = [];
  readonly #confirming: (() => void)[] = [];
  async open(): Promise<void> {}
  write(): void {
    this.asked.push("write");
  }
  async ready(): Promise<void> {
    this.asked.push("ready");
  }
  flush(): Promise<void> {
    this.asked.push("flush");
    return new Promise((resolve) => this.#confirming.push(resolve));
  }
  confirm(): void {
    for (const resolve of this.#confirming.splice(0)) resolve();
  }
  stats(): ReturnType<Sink["stats"]> {
    return { rows: 0, bytes: 0, pending: 0, dropped: {} };
  }
  async close(): Promise<void> {
    this.asked.push("close");
  }
}

test("only sinks that were written to are asked, once a write", async () => {
  const [written, silent] = [new Noted(), new Noted()];
  const sinks = new SinkSet([written, silent]);
  sinks.write(written, row);
  sinks.write(written, row);
  await sinks.ready();
  await sinks.ready();
  const flushed = sinks.flush();
  written.confirm();
  await flushed;
  await sinks.flush();
  await sinks.close();
  expect(written.asked).toEqual(["write", "write", "ready", "flush", "close"]);
  expect(silent.asked).toEqual(["close"]);
});

test("a flush waits for what an earlier one has asked for", async () => {
  const sink = new Noted();
  const sinks = new SinkSet([sink]);
  sinks.write(sink, row);
  const first = sinks.flush();
  let isOver = false;
  const second = sinks.flush().then(() => (isOver = true));
  await new Promise(setImmediate);
  expect(isOver).toBe(false);
  sink.confirm();
  await Promise.all([first, second]);
  expect(isOver).toBe(true);
});
