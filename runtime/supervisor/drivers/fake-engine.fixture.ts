// A container engine that runs nothing: it keeps containers as names and states behind a real socket, and can be
// told to hang, to lie, to break off or to talk nonsense. For what a real engine cannot be made to do.

import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface FakeContainer {
  readonly Id: string;
  readonly name: string;
  readonly labels: Record<string, string>;
  readonly memory: number;
  state: string;
  exitCode: number;
}

/** Takes the place of the engine's answer; `act` does what was asked, without answering. */
export type Misbehaviour = (response: ServerResponse, act: () => void) => void;

export interface FakeEngine {
  readonly socketPath: string;
  readonly containers: Map<string, FakeContainer>;
  /** Methods and paths, in order, without the version. */
  readonly requests: string[];
  /** From now on, requests that match are answered so; null for as they should be. */
  misbehave(pattern: RegExp, how: Misbehaviour | null): void;
  /** Resolves when the next request that matches has come. */
  asked(pattern: RegExp): Promise<void>;
  close(): Promise<void>;
}

function reply(response: ServerResponse, status: number, body?: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

function textOf(request: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => resolve(text));
  });
}

interface CreateBody {
  readonly Labels: Record<string, string>;
  readonly HostConfig: { readonly Memory?: number };
}

/** What an engine does and answers, by method and path. */
class Containers {
  readonly all: Map<string, FakeContainer> = new Map();
  #count = 0;

  find(key: string): FakeContainer | undefined {
    return this.all.get(key) ?? [...this.all.values()].find(({ name }) => name === key);
  }

  create(name: string, text: string): { status: number; body: unknown } {
    if (this.find(name) !== undefined)
      return { status: 409, body: { message: `the name ${name} is in use` } };
    const { Labels, HostConfig } = JSON.parse(text) as CreateBody;
    const Id = (++this.#count).toString(16).padStart(64, "c");
    const memory = HostConfig.Memory ?? 0;
    this.all.set(Id, { Id, name, labels: Labels, memory, state: "created", exitCode: 0 });
    return { status: 201, body: { Id, Warnings: [] } };
  }

  remove(container: FakeContainer): { status: number; body?: unknown } {
    if (container.state === "running") return { status: 409, body: { message: "it is running" } };
    this.all.delete(container.Id);
    return { status: 204 };
  }

  act(container: FakeContainer, action: string, signal: string): { status: number; body?: unknown } {
    if (action === "start") {
      container.state = "running";
      return { status: 204 };
    }
    if (action === "wait") return { status: 200, body: { StatusCode: container.exitCode } };
    if (container.state !== "running") return { status: 409, body: { message: "it is not running" } };
    container.state = "exited";
    container.exitCode = signal === "SIGKILL" ? 137 : 0;
    return { status: 204 };
  }

  inspect({ Id, state, exitCode, labels, memory }: FakeContainer): unknown {
    const State = { Status: state, ExitCode: exitCode, OOMKilled: false, StartedAt: "2026-01-01T00:00:00Z" };
    return { Id, State, Config: { Labels: labels }, HostConfig: { Memory: memory } };
  }

  answer(method: string, url: URL, text: string): { status: number; body?: unknown } {
    const path = url.pathname.replace(/^\/v1\.41/, "");
    if (path === "/version") return { status: 200, body: { Version: "0", ApiVersion: "1.41" } };
    if (path.startsWith("/images/")) return { status: 200, body: { Id: `sha256:${path}` } };
    if (path === "/containers/create") return this.create(url.searchParams.get("name") ?? "", text);
    if (path === "/containers/json") {
      const body = [...this.all.values()].map(({ Id, state, labels }) => ({
        Id,
        State: state,
        Labels: labels,
      }));
      return { status: 200, body };
    }
    const [, , key = "", action = ""] = path.split("/");
    const container = this.find(key);
    if (container === undefined) return { status: 404, body: { message: `no container ${key}` } };
    if (method === "DELETE") return this.remove(container);
    if (action === "json") return { status: 200, body: this.inspect(container) };
    return this.act(container, action, url.searchParams.get("signal") ?? "");
  }
}

export async function startFakeEngine(): Promise<FakeEngine> {
  const folder = mkdtempSync(join(tmpdir(), "weir-fake-engine-"));
  const socketPath = join(folder, "engine.sock");
  const containers = new Containers();
  const requests: string[] = [];
  const faults = new Map<string, { readonly pattern: RegExp; readonly how: Misbehaviour }>();
  const waiting: { readonly pattern: RegExp; readonly resolve: () => void }[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    void textOf(request).then((text) => {
      const url = new URL(request.url ?? "/", "http://engine");
      const line = `${request.method} ${url.pathname.replace(/^\/v1\.41/, "")}`;
      requests.push(line);
      const act = () => containers.answer(request.method ?? "", url, text);
      const fault = [...faults.values()].find(({ pattern }) => pattern.test(line));
      if (fault !== undefined) fault.how(response, () => void act());
      else {
        const { status, body } = act();
        reply(response, status, body);
      }
      for (const { pattern, resolve } of waiting) if (pattern.test(line)) resolve();
    });
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return {
    socketPath,
    containers: containers.all,
    requests,
    misbehave(pattern, how) {
      if (how === null) faults.delete(pattern.source);
      else faults.set(pattern.source, { pattern, how });
    },
    asked: (pattern) => new Promise((resolve) => waiting.push({ pattern, resolve })),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
