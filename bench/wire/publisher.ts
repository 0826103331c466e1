// The process that publishes: the lines of a file over a socket of its own, since a client would be the limit.
// Flat out with so many messages under way at most, or each second as many as it is told, each at its time.
//
//     node bench/wire/publisher.ts PORT SUBJECT FILE RECORDS_PER_MESSAGE

import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { sleep, stopwatch, wallClock } from "../../runtime/clock.ts";
import { messageOf } from "../../runtime/errors.ts";

/** Flat out, or `rate` records a second for `seconds`. */
export type PublisherOrder =
  | { readonly kind: "all"; readonly window: number }
  | { readonly kind: "paced"; readonly rate: number; readonly seconds: number }
  | { readonly kind: "received"; readonly messages: number };

export type PublisherAnswer =
  | { readonly kind: "ready"; readonly messages: number }
  | { readonly kind: "sent" };

/** Messages that go into the socket together. */
const chunkMessages = 500;
const lineFeed = 10;

const [port = "", subject = "", file = "", perMessage = "1"] = process.argv.slice(2);

/** The protocol's text for every message, in chunks. */
function chunksOf(bytes: Buffer, records: number): Buffer[] {
  const chunks: Buffer[] = [];
  let parts: Buffer[] = [];
  let lines = 0;
  let start = 0;
  let messages = 0;
  for (let at = bytes.indexOf(lineFeed); at >= 0; at = bytes.indexOf(lineFeed, at + 1)) {
    if (++lines < records && at + 1 < bytes.length) continue;
    const payload = bytes.subarray(start, at);
    parts.push(Buffer.from(`PUB ${subject} ${payload.length}\r\n`), payload, Buffer.from("\r\n"));
    lines = 0;
    start = at + 1;
    if (++messages % chunkMessages !== 0) continue;
    chunks.push(Buffer.concat(parts));
    parts = [];
  }
  if (parts.length > 0) chunks.push(Buffer.concat(parts));
  return chunks;
}

function written(socket: Socket, bytes: Buffer | string): Promise<void> | null {
  return socket.write(bytes) ? null : new Promise((resolve) => socket.once("drain", resolve));
}

async function publishAll(socket: Socket, chunks: readonly Buffer[], window: number): Promise<void> {
  let sent = 0;
  for (const chunk of chunks) {
    while (progress.received < sent - window) await new Promise(setImmediate);
    await written(socket, chunk);
    sent += chunkMessages;
  }
}

/** Open loop: a record that is late is sent at once, and its time is when it was meant to go. */
async function publishPaced(socket: Socket, rate: number, seconds: number): Promise<void> {
  const begun = stopwatch();
  const start = performance.timeOrigin + begun;
  const records = Math.floor(rate * seconds);
  for (let sent = 0; sent < records; ) {
    const due = Math.min(records, Math.floor(((stopwatch() - begun) / 1000) * rate));
    let text = "";
    for (; sent < due; sent++) {
      const payload = `{"at":${(start + (sent * 1000) / rate).toFixed(3)},"temperature":${sent % 100},"humidity":90}`;
      text += `PUB ${subject} ${payload.length}\r\n${payload}\r\n`;
    }
    if (text !== "") await written(socket, text);
    await sleep(wallClock, 1);
  }
}

/** How far the receiver has come, in messages of this order. */
const progress = { received: 0 };

async function run(): Promise<void> {
  const socket = connect(Number(port), "127.0.0.1");
  // Else the kernel keeps what is small until what was sent before is acknowledged, which takes the server up to 40 ms.
  socket.setNoDelay(true);
  await new Promise<void>((resolve, reject) => {
    socket.once("data", () => resolve());
    socket.once("error", reject);
  });
  socket.on("data", (data: Buffer) => {
    if (data.includes("PING")) socket.write("PONG\r\n");
  });
  socket.write('CONNECT {"verbose":false,"pedantic":false,"lang":"bench","version":"1"}\r\n');
  const records = Number(perMessage);
  const bytes = file === "" ? Buffer.alloc(0) : readFileSync(file);
  const chunks = chunksOf(bytes, records);
  process.on("message", (order: PublisherOrder) => {
    if (order.kind === "received") {
      progress.received = order.messages;
      return;
    }
    progress.received = 0;
    const publishing =
      order.kind === "all"
        ? publishAll(socket, chunks, order.window)
        : publishPaced(socket, order.rate, order.seconds);
    void publishing.then(() => answer({ kind: "sent" }));
  });
  answer({ kind: "ready", messages: chunks.length });
}

function answer(message: PublisherAnswer): void {
  process.send?.(message);
}

run().catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
  process.disconnect?.();
});
