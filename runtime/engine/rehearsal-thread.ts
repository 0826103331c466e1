// The entry of a thread that loads one file of operators of the user's own, to see whether that comes back. Keeps nothing.

import { parentPort, workerData } from "node:worker_threads";
import { loadOperators } from "./operator-file.ts";
import { exitUnsettled } from "./rehearsal.ts";

// What is left to do nothing is awaited by.
process.once("beforeExit", () => (process.exitCode = exitUnsettled));

/** Behind what its first turn leaves unhandled. */
function cameBack(): void {
  setImmediate(() => parentPort!.postMessage(null));
}

// What it throws, whoever loads it next is told.
loadOperators(workerData as string).then(cameBack, cameBack);
