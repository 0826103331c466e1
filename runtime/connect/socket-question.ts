// One question to whoever listens on a socket file of this machine: HTTP, GET, with a deadline and a bound. Nobody
// there, no answer in time and half an answer are the same: null.

import { limits } from "../limits.ts";

// An import reads all that the module exports, its whole client for the web too.
const { request } = process.getBuiltinModule("node:http");

export interface SocketAnswer {
  readonly status: number;
  readonly text: string;
}

export function askSocket(
  socketPath: string,
  path: string,
  timeout_ms: number = limits.control_answer_ms_max,
): Promise<SocketAnswer | null> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(timeout_ms);
    const asked = request({ socketPath, path, signal, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        chunks.push(chunk);
        if (bytes > limits.control_answer_bytes_max) asked.destroy();
      });
      response.on("error", () => resolve(null));
      response.on("close", () => resolve(null));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
      );
    });
    asked.on("error", () => resolve(null));
    asked.end();
  });
}
