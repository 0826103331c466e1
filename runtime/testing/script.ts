// What the scripts of this room have in common: how their arguments are read, orders that threads share out among
// themselves, and how a script ends. Knows nothing of what is run.

import { parseArgs, type ParseArgsConfig } from "node:util";
import { Worker } from "node:worker_threads";
import { messageOf, WeirError } from "../errors.ts";
import { outputWritten } from "../written.ts";

export const threadsMax = 64;

type Options = NonNullable<ParseArgsConfig["options"]>;
type Values<Known extends Options> = ReturnType<typeof parseArgs<{ options: Known }>>["values"];

/** What the arguments say, by name. One that is not known is a mistake of whoever asks, and is told with how to ask. */
export function readOptions<const Known extends Options>(
  args: readonly string[],
  options: Known,
  usage: string,
): Values<Known> {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new WeirError("WEIR_USAGE", messageOf(error), { remedy: usage });
  }
}

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

/** What threads make lives until the schedule, or the case, is over; with the usual 16 MB it would be copied again and again. */
const youngMegabytes = 96;

/** Hands the orders out, each to the thread that is done first, and tells what each came to. */
export async function shareOut({ url, orders, threads, told }: SharedWork): Promise<void> {
  const left = [...orders];
  const run = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const thread = new Worker(url, { resourceLimits: { maxYoungGenerationSizeMb: youngMegabytes } });
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

/**
 * Ends the process once what was written is out. Left to itself it takes its handles apart first, and a request that was under
 * way on one of them, to a process that was killed, may keep it at that for ever.
 */
async function end(code: number): Promise<void> {
  await outputWritten();
  process.exit(code);
}

/** Runs a script to its end: 0 when all is good, 1 when not, the code of what it threw, and 0 with `usage` where that is asked for. */
export function runScript(
  name: string,
  usage: string,
  main: (args: readonly string[]) => Promise<boolean>,
): void {
  const args = process.argv.slice(2);
  if (args.includes("--help")) {
    process.stdout.write(`${usage}\n`);
    return;
  }
  main(args).then(
    (good) => end(good ? 0 : 1),
    (error: unknown) => {
      const remedy = error instanceof WeirError && error.remedy !== undefined ? `\n${error.remedy}` : "";
      process.stderr.write(`${name}: ${messageOf(error)}${remedy}\n`);
      return end(error instanceof WeirError ? error.exitCode : 70);
    },
  );
}
