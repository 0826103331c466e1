// Gives back to the system what loading and planning left behind: V8 grows its young generation for it, and of a
// worker that is idle it takes neither that back nor code that ran once. 10 MB, for a pause of about 60 ms.

import module from "node:module";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

type Collect = (options: { readonly execution: "sync"; readonly flavor: "last-resort" }) => void;

/** Code that has not run since the last collection goes as well; as it is, V8 waits for six, and keeps what it compiled. */
const thorough = ["--expose-gc", "--bytecode-old-age=1", "--flush-baseline-code"];
const asItWas = ["--no-expose-gc", "--bytecode-old-age=6", "--no-flush-baseline-code"];

/** To be called once, when everything is open and nothing has come yet. */
export function giveBackMemory(): void {
  thorough.forEach(setFlagsFromString);
  const collect = runInNewContext("gc") as Collect;
  collect({ execution: "sync", flavor: "last-resort" });
  asItWas.forEach(setFlagsFromString);
}

/** From here on V8's young generation stays as large as it is: for whoever has little to do, for long. */
export function boundYoungGeneration(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}

/**
 * Writes down what was compiled, where Node keeps such a cache. By itself it does so when a process ends well, which one
 * that is killed, or that runs for years, never does.
 */
export function keepCompiledCode(): void {
  module.flushCompileCache();
}
