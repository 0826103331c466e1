// The monitor of a virtual machine that answers, hangs, hangs up and talks nonsense, behind a real socket.

import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { VirtualClock } from "../../clock.ts";
import { limits } from "../../limits.ts";
import { askMachine, QmpError } from "./qmp-client.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-qmp-"));
const socketPath = join(folder, "monitor.sock");
let server: Server | null = null;
const sockets = new Set<Socket>();

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await new Promise<void>((resolve) => (server === null ? resolve() : server.close(() => resolve())));
  server = null;
  rmSync(socketPath, { force: true });
});

const greeting = '{"QMP": {"version": {}}}\n';

/** A monitor that greets and answers each command by its name. */
async function monitor(first: string, answers: Readonly<Record<string, string>>): Promise<void> {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.write(first);
    socket.on("data", (chunk) => {
      for (const line of chunk.toString().trim().split("\n")) {
        const { execute, id } = JSON.parse(line) as { execute: string; id: string };
        const answer = answers[execute] ?? '{"return": {}, "id": ID}\n';
        if (answer === "hang up") socket.destroy();
        else socket.write(answer.replace("ID", JSON.stringify(id)));
      }
    });
  });
  await new Promise<void>((resolve) => server?.listen(socketPath, resolve));
}

async function faultOf(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(QmpError);
  return (error as QmpError).fault;
}

it("greets, is asked, and answers, whatever happens besides", async () => {
  const event = '{"event": "RTC_CHANGE", "timestamp": {}}\n';
  await monitor(greeting + event, {
    "query-status": `${event}{"return": {"status": "running"}, "id": ID}\n`,
  });
  expect(await askMachine(socketPath, "query-status", new VirtualClock())).toEqual({ status: "running" });
});

it("is gone: nobody listens", async () => {
  expect(await faultOf(askMachine(socketPath, "query-status", new VirtualClock()))).toBe("gone");
});

it("refuses in its own words", async () => {
  await monitor(greeting, {
    quit: '{"error": {"class": "CommandNotFound", "desc": "no such thing"}, "id": ID}\n',
  });
  await expect(askMachine(socketPath, "quit", new VirtualClock())).rejects.toThrow("no such thing");
});

it("says nothing in its time: it may be there", async () => {
  const clock = new VirtualClock();
  const greeted = new Promise<void>((resolve) => {
    server = createServer((socket) => {
      sockets.add(socket);
      resolve();
    });
  });
  await new Promise<void>((resolve) => server?.listen(socketPath, resolve));
  const asked = faultOf(askMachine(socketPath, "query-status", clock));
  await greeted;
  clock.advanceTo(limits.machine_answer_ms_max);
  expect(await asked).toBe("silent");
});

it.each([
  ["hangs up", greeting, "hang up"],
  ["is no JSON", "I am no monitor\n", ""],
  ["is a text", '"hello"\n', ""],
  ["is null", "null\n", ""],
  ["is endless", "x".repeat(limits.machine_answer_bytes_max + 1), ""],
  ["answers what is no JSON", greeting, '{"return": \n'],
])("what %s may be there", async (_name, first, answer) => {
  await monitor(first, { "query-status": answer });
  expect(await faultOf(askMachine(socketPath, "query-status", new VirtualClock()))).toBe("silent");
});
