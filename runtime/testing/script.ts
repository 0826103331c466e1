// What the scripts of this room have in common: whole numbers among their arguments, orders that threads share out among
// themselves, and how a script ends. Knows nothing of what is run.

import { Worker } from "node:worker_threads";
import { messageOf, WeirError } from "../errors.ts";

export const threadsMax = 64;

/** The whole number that `--name` asks for, `standard` where it is not given. */
export function wholeNumber(
  name: string,
  text: string | undefined,
  [standard, least, most]: readonly [standard: number, least: number, most: number],
  usage: string,
): number {
  const number = text === undefined ? standard : Number(text);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw new WeirError(
    "WEIR_USAGE",
    `--${name}: expected a whole number from ${least} to ${most}, got ${text}`,
    {
      remedy: usage,
    },
  );
}

export interface SharedWork {
  /** Of the threads' file; each takes an order as a message, and answers it with what it came to. */
  readonly url: URL;
  readonly orders: readonly unknown[];
  readonly threads: number;
  told(part: unknown): void;
}

/** Hands the orders out, each to the thread that is done first, and tells what each came to. */
export async function shareOut({ url, orders, threads, told }: SharedWork): Promise<void> {
  const left = [...orders];
  const run = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const thread = new Worker(url);
      const next = (): void => {
        const order = left.shift();
        if (order !== undefined) return thread.postMessage(order);
        void thread.terminate().then(() => resolve());
      };
      thread.on("error", reject);
      thread.on("message", (part: unknown) => {
        told(part);
        next();
      });
      next();
    });
  await Promise.all(Array.from({ length: Math.min(threads, left.length) }, run));
}

/** Runs a script to its end: 0 when all is good, 1 when not, and the code of what it threw. */
export function runScript(name: string, main: () => Promise<boolean>): void {
  main().then(
    (good) => (process.exitCode = good ? 0 : 1),
    (error: unknown) => {
      const remedy = error instanceof WeirError && error.remedy !== undefined ? `\n${error.remedy}` : "";
      process.stderr.write(`${name}: ${messageOf(error)}${remedy}\n`);
      process.exitCode = error instanceof WeirError ? error.exitCode : 70;
    },
  );
}
