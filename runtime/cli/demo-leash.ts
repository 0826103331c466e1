// Loaded into a process before its own program: ends it when whoever started it is gone. However that
// ended, even by a kill, the kernel then closes the pipe on standard input. Does nothing else.

import { isMainThread } from "node:worker_threads";

// A thread is given what its process was loaded with; its standard input is another one, and has ended already.
if (isMainThread) {
  const input = process.stdin;
  input.on("end", () => process.kill(process.pid, "SIGKILL"));
  input.on("error", () => process.kill(process.pid, "SIGKILL"));
  input.resume();
  // Waiting for that end alone does not keep the process.
  if ("unref" in input) input.unref();
}
