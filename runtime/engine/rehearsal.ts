// Loads a file of operators of the user's own in a thread, before a thread does that others need: one that never comes back, that
// ends the process or fills the heap is told of, and takes nothing along. Judges nothing else of the file.

import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { type Clock, wallClock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import { partUrl } from "../layout.ts";
import { limits } from "../limits.ts";
import { unloadable } from "./operator-fault.ts";
import { endThread } from "./thread-end.ts";

/** How a thread ends in which nothing is left to do, as Node's own code for a process. */
export const exitUnsettled = 13;

/** By file, a hash of the text that came back. */
const tried = new Map<string, string>();

function hashOf(file: string): string | null {
  try {
    // A pipe would be waited for.
    return statSync(file).isFile() ? createHash("sha256").update(readFileSync(file)).digest("hex") : null;
  } catch {
    // Whoever loads it says why.
    return null;
  }
}

function faultOf(error: Error & { readonly code?: string }): string {
  return error.code === "ERR_WORKER_OUT_OF_MEMORY"
    ? "it fills the memory when it is loaded"
    : `it fails once it is loaded: ${messageOf(error)}`;
}

function endOf(code: number): string {
  return code === exitUnsettled
    ? "it waits when it is loaded, by an await at its top level, for what never comes"
    : `it ends the process when it is loaded, with exit code ${code}`;
}

/** Resolves where loading the file comes to an end, also one that throws; each text is tried once. */
export async function rehearse(
  file: string,
  clock: Clock = wallClock,
  most_ms: number = limits.operator_load_ms_max,
): Promise<void> {
  const hash = hashOf(file);
  if (hash === null || tried.get(file) === hash) return;
  const thread = new Worker(partUrl("rehearsal-thread.js"), { workerData: file });
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const cancel = clock.after(most_ms, () => resolve(`it is not loaded after ${most_ms / 1000} s`));
  thread.on("message", () => resolve(null));
  thread.on("error", (error) => resolve(faultOf(error as Error)));
  thread.on("exit", (code) => resolve(endOf(code)));
  const fault = await promise;
  cancel();
  await endThread(thread);
  if (fault !== null) throw unloadable(file, fault);
  tried.set(file, hash);
}
