// One HTTP request to a container engine on its socket file, with a deadline and a bound. Every way in which it
// can go wrong is one of four faults. Knows nothing of containers, and never asks twice.

import type { ClientRequest, IncomingMessage } from "node:http";
import type { Clock } from "../../clock.ts";
import { messageOf, WeirError } from "../../errors.ts";
import { limits } from "../../limits.ts";

// An import reads all that the module exports, its whole client for the web too.
const { request } = process.getBuiltinModule("node:http");

/**
 * `unreachable`: nothing was asked. `timeout`: asked, and it may still happen. `garbage`: answered, but not with
 * what makes sense; it may have happened. `refused`: the engine said no.
 */
export type EngineFault = "unreachable" | "timeout" | "garbage" | "refused";

export class EngineError extends WeirError {
  readonly fault: EngineFault;
  /** The status of a refusal, else null. */
  readonly status: number | null;

  constructor(fault: EngineFault, message: string, remedy: string, status: number | null = null) {
    super("WEIR_CONTAINER_ENGINE", message, { remedy });
    this.fault = fault;
    this.status = status;
  }
}

export interface EngineCall {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  readonly deadline_ms?: number;
  /** Takes the answer piece by piece instead of as a whole. */
  readonly onChunk?: (chunk: Buffer) => void;
  readonly bytes_max?: number;
}

export interface EngineAnswer {
  readonly status: number;
  /** Empty where `onChunk` took it. */
  readonly body: Buffer;
}

export interface EngineDoor {
  readonly socketPath: string;
  readonly clock: Clock;
}

const restart = "see whether the engine still works (docker info, podman info), and restart it if not";

/** By the error of a connection that was never made. */
const remedies: Readonly<Record<string, string>> = {
  ENOENT:
    "start the engine (systemctl enable --now podman.socket, or docker.socket), or name its socket in DOCKER_HOST",
  ECONNREFUSED: "the socket file is there but nobody listens: start the engine",
  EACCES: "run as a user who may open the socket (of the group docker, say)",
};

function named({ method, path }: EngineCall): string {
  return `${method} ${path.split("?")[0]}`;
}

/** What an error of the connection means: before anything was said, nobody is there; after that, it is nonsense. */
function faultOf(door: EngineDoor, call: EngineCall, error: NodeJS.ErrnoException): EngineError {
  const remedy = remedies[error.code ?? ""];
  if (remedy !== undefined) {
    return new EngineError("unreachable", `no container engine at ${door.socketPath}: ${error.code}`, remedy);
  }
  const what = `the container engine's answer to ${named(call)} broke off or was no HTTP`;
  return new EngineError("garbage", `${what}: ${messageOf(error)}`, restart);
}

/** Gathers an answer up to its bound. */
function gather(answer: IncomingMessage, call: EngineCall, fail: (error: EngineError) => void): Buffer[] {
  const most = call.bytes_max ?? limits.engine_answer_bytes_max;
  const chunks: Buffer[] = [];
  let bytes = 0;
  answer.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > most) {
      const what = `the container engine's answer to ${named(call)} is over ${most} bytes`;
      fail(new EngineError("garbage", what, restart));
    } else if (call.onChunk !== undefined && answer.statusCode === 200) call.onChunk(chunk);
    else chunks.push(chunk);
  });
  return chunks;
}

/** Puts one request; rejects with an EngineError, unless the engine answered with a status of whatever kind. */
export function askEngine(door: EngineDoor, call: EngineCall): Promise<EngineAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<EngineAnswer>();
  const text = call.body === undefined ? null : Buffer.from(JSON.stringify(call.body));
  const typed = text === null ? {} : { "content-type": "application/json", "content-length": text.length };
  const { method, path } = call;
  const options = { socketPath: door.socketPath, method, path, headers: { host: "engine", ...typed } };
  const fail = (error: EngineError): void => {
    reject(error);
    asked.destroy();
  };
  const asked: ClientRequest = request({ ...options, agent: false }, (answer) => {
    const chunks = gather(answer, call, fail);
    answer.on("error", (error) => fail(faultOf(door, call, error)));
    answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks) }));
  });
  asked.on("error", (error) => fail(faultOf(door, call, error)));
  const deadline = call.deadline_ms ?? limits.engine_answer_ms_max;
  const cancel = door.clock.after(deadline, () => {
    const what = `the container engine did not answer ${named(call)} in ${deadline} ms`;
    fail(new EngineError("timeout", what, restart));
  });
  asked.end(text ?? undefined);
  return promise.finally(cancel);
}

/** The error for a status that was not wanted, in the engine's own words. */
export function refusal(call: EngineCall, { status, body }: EngineAnswer): EngineError {
  let said = body.toString("utf8", 0, 2_000).trim();
  try {
    const { message } = JSON.parse(said) as { readonly message?: unknown };
    if (typeof message === "string") said = message;
  } catch {
    // Then it is plain text.
  }
  const what = `the container engine refused ${named(call)} (${status}): ${said}`;
  return new EngineError("refused", what, "correct what the engine complains of", status);
}

/** The error for an answer that is not of the shape that the engine's interface promises. */
export function nonsense(call: EngineCall, why: string): EngineError {
  const what = `the container engine's answer to ${named(call)} makes no sense: ${why}`;
  return new EngineError("garbage", what, restart);
}
