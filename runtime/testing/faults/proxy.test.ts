// The bad network against a server that sends back what it gets.

import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type Clock, VirtualClock, wallClock } from "../../clock.ts";
import { FaultProxy } from "./proxy.ts";

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0).reverse()) end();
});

/** A server that echoes, a proxy before it and a client of that. */
async function echo(clock: Clock = new VirtualClock()): Promise<{
  readonly proxy: FaultProxy;
  readonly client: Socket;
  readonly heard: () => string;
  readonly closed: Promise<void>;
}> {
  const server: Server = createServer((socket) => {
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy = await FaultProxy.to((server.address() as AddressInfo).port, () => 0.5, clock);
  const client = connect(Number(new URL(proxy.url).port), "127.0.0.1");
  let text = "";
  client.on("data", (bytes) => (text += bytes.toString()));
  client.on("error", () => {});
  const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
  await new Promise<void>((resolve) => client.once("connect", () => resolve()));
  ends.push(
    () => server.close(),
    () => void proxy.close(),
    () => client.destroy(),
  );
  return { proxy, client, heard: () => text, closed };
}

function until(condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => void (condition() ? resolve() : setImmediate(look));
    look();
  });
}

describe("a bad network", () => {
  it("passes what it gets, whole or in single bytes", async () => {
    const { proxy, client, heard } = await echo();
    client.write("whole ");
    await until(() => heard() === "whole ");
    proxy.set({ kind: "sliced" });
    client.write("in slices");
    await until(() => heard() === "whole in slices");
  });

  it("ends connections when it is cut, and takes no new ones", async () => {
    const { proxy, closed } = await echo();
    await until(() => proxy.connections === 1);
    proxy.set({ kind: "cut" });
    await closed;
    const again = connect(Number(new URL(proxy.url).port), "127.0.0.1");
    again.on("error", () => {});
    await new Promise<void>((resolve) => again.once("close", () => resolve()));
    expect(proxy.connections).toBe(0);
  });

  it("swallows one way only when asked", async () => {
    const { proxy, client, heard } = await echo();
    client.write("a");
    await until(() => heard() === "a");
    proxy.set({ kind: "black_hole", way: "to_server" });
    client.write("swallowed");
    await until(() => client.writableLength === 0);
    proxy.set({ kind: "black_hole", way: "to_client" });
    proxy.set({ kind: "fine" });
    client.write("b");
    await until(() => heard().endsWith("b"));
    expect(["ab", "aswallowedb"]).toContain(heard());
  });

  it("delays by the clock, in order, also what comes when it is fine again", async () => {
    const clock = new VirtualClock();
    const { proxy, client, heard } = await echo(clock);
    proxy.set({ kind: "slow", ms: 100, more_ms: 100 });
    client.write("slow ");
    // Both ways: out at 150, back at 300.
    const moves = (): boolean => {
      clock.advanceTo(clock.now() + 10);
      return heard() === "slow ";
    };
    await until(moves);
    expect(clock.now()).toBeGreaterThanOrEqual(300);
    proxy.set({ kind: "fine" });
    client.write("fine");
    await until(() => heard() === "slow fine");
  });

  it("keeps the order where timers do not", async () => {
    // A process that is held up sets timers late, for moments that are then nearly one.
    const { proxy, client, heard } = await echo(wallClock);
    const pieces = Array.from({ length: 300 }, (_each, index) => `${index} `);
    for (const [index, piece] of pieces.entries()) {
      if (index % 30 === 0)
        proxy.set(index % 60 === 0 ? { kind: "slow", ms: 8, more_ms: 0 } : { kind: "fine" });
      client.write(piece);
      for (const end = performance.now() + 0.7; performance.now() < end; );
      await new Promise((resolve) => setImmediate(resolve));
    }
    const text = pieces.join("");
    await until(() => heard().length === text.length);
    expect(heard()).toBe(text);
  });

  it("lets so many bytes pass in a second, in order", async () => {
    const clock = new VirtualClock();
    const { proxy, client, heard } = await echo(clock);
    proxy.set({ kind: "narrow", bytes_per_s: 1_000 });
    const text = "narrow ".repeat(100);
    client.write(text);
    await until(() => {
      clock.advanceTo(clock.now() + 10);
      return heard() === text;
    });
    // Both ways.
    expect(clock.now()).toBeGreaterThanOrEqual(2 * text.length);
  });

  it("ends in the middle of a message", async () => {
    const { proxy, client, closed } = await echo();
    await until(() => proxy.connections === 1);
    proxy.set({ kind: "halved" });
    client.write("0123456789");
    await closed;
    expect(proxy.connections).toBe(0);
  });

  it("lets messages of the NATS protocol be overtaken, or pass twice, and nothing else", async () => {
    const clock = new VirtualClock();
    const { proxy } = await echo(clock);
    proxy.set({ kind: "shuffled", share: 0.6, ms: 100 });
    const client = connect(proxy.port, "127.0.0.1");
    let text = "";
    client.on("data", (bytes) => (text += bytes.toString()));
    ends.push(() => client.destroy());
    const message = "PUB a.b reply 4\r\none\n\r\n";
    client.write(`CONNECT {}\r\n${message}PI`);
    client.write("NG\r\n");
    await until(() => text === "CONNECT {}\r\nPING\r\n");
    // Chance says 0.5: all of them pass late and twice, each way.
    await until(() => {
      clock.advanceTo(clock.now() + 10);
      return text === `CONNECT {}\r\nPING\r\n${message.repeat(4)}`;
    });
  });
});
