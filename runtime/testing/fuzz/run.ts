// npm run fuzz: bytes of strangers, made by a seed, for everything that reads them. The composition root.
//
//     npm run fuzz -- [--runs N | --for 1m] [--seed S] [--only json,log] [--threads N] [--json]
//     npm run fuzz -- --only json --seed S --number N          one input again
//
// Ends with 0 only when something ran and nothing was found.

import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { parseDuration } from "../../../operators/sdk/index.ts";
import { sleep, stopwatch, wallClock } from "../../clock.ts";
import { messageOf, WeirError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { readOptions, runScript, threadsMax, wholeNumber } from "../script.ts";
import { faultOf, shrunk } from "./attempt.ts";
import type { Finding, FuzzOrder } from "./fuzz-thread.ts";
import { inputOf } from "./mutate.ts";
import { fuzzTarget, fuzzTargets } from "./targets.ts";

const runsDefault = 10_000;
const runsMax = 1_000_000_000;
const inputsAtOnce = 250;
const lookEvery_ms = 500;

interface Request {
  readonly seed: number;
  /** Inputs of each target. */
  readonly runs: number;
  readonly for_ms: number | null;
  readonly only: readonly string[];
  readonly number: number | null;
  readonly threads: number;
  readonly json: boolean;
}

const usage = `npm run fuzz -- [--runs N | --for 1m] [--seed S] [--only NAMES] [--threads N] [--json]
npm run fuzz -- --only NAME --seed S --number N   one input again
names: ${fuzzTargets.map(({ name }) => name).join(", ")}`;

function refused(message: string): WeirError {
  return new WeirError("WEIR_USAGE", message, { remedy: usage });
}

function requestOf(list: readonly string[]): Request {
  const text = { type: "string" } as const;
  const options = {
    seed: text,
    runs: text,
    for: text,
    only: text,
    number: text,
    threads: text,
    json: { type: "boolean", default: false },
  } as const;
  const values = readOptions(list, options, usage);
  const names = fuzzTargets.map(({ name }) => name);
  const only = values.only?.split(",").map((name) => name.trim()) ?? names;
  const unknown = only.find((name) => !names.includes(name));
  if (unknown !== undefined) throw refused(`--only: there is no target ${unknown}`);
  const for_ms = values.for === undefined ? null : parseDuration(values.for);
  if (for_ms === undefined) throw refused(`--for: expected a duration such as 1m, got ${values.for}`);
  return {
    seed: wholeNumber("seed", values.seed, [1, 0, runsMax], usage),
    runs: wholeNumber("runs", values.runs, [for_ms === null ? runsDefault : runsMax, 1, runsMax], usage),
    for_ms,
    only,
    number: values.number === undefined ? null : wholeNumber("number", values.number, [0, 0, runsMax], usage),
    threads: wholeNumber("threads", values.threads, [availableParallelism(), 1, threadsMax], usage),
    json: values.json,
  };
}

/** Targets in turn, a few inputs each, so that a run that is ended early has tried them all. */
function* orders({ only, runs, seed }: Request): Generator<FuzzOrder> {
  for (let from = 0; from < runs; from += inputsAtOnce)
    for (const target of only) yield { target, seed, from, count: Math.min(inputsAtOnce, runs - from) };
}

/** A thread with its place, ended and made anew where an input holds it for ever. */
class Trier {
  readonly #place = new Int32Array(new SharedArrayBuffer(4));
  #thread: Worker = this.#start();

  #start(): Worker {
    return new Worker(new URL("fuzz-thread.ts", import.meta.url), { workerData: this.#place.buffer });
  }

  async perform(order: FuzzOrder): Promise<Finding | null> {
    const thread = this.#thread;
    const ended = new AbortController();
    const hung = this.#watch(ended.signal);
    try {
      const answer = await Promise.race([once(thread, "message", ended), hung]);
      if (typeof answer === "string") return await this.#replaced(order, answer);
      return answer[0] as Finding | null;
    } catch (error) {
      return await this.#replaced(order, `the thread ended: ${messageOf(error)}`);
    } finally {
      ended.abort();
    }
  }

  close(): Promise<unknown> {
    return this.#thread.terminate();
  }

  begin(order: FuzzOrder): void {
    Atomics.store(this.#place, 0, order.from);
    this.#thread.postMessage(order);
  }

  async #replaced({ target }: FuzzOrder, fault: string): Promise<Finding> {
    const number = Atomics.load(this.#place, 0);
    await this.#thread.terminate();
    this.#thread = this.#start();
    return { target, number, fault, input: null };
  }

  /** What is wrong once the thread has been at one input for too long; never comes where it goes on. */
  async #watch(ended: AbortSignal): Promise<string> {
    let [at, since] = [Atomics.load(this.#place, 0), stopwatch()];
    while (!ended.aborted) {
      await sleep(wallClock, lookEvery_ms);
      const now = Atomics.load(this.#place, 0);
      if (now !== at) [at, since] = [now, stopwatch()];
      else if (stopwatch() - since > limits.fuzz_hang_ms)
        return `did not end within ${limits.fuzz_hang_ms} ms`;
    }
    return new Promise(() => undefined);
  }
}

interface Outcome {
  readonly runs: Record<string, number>;
  readonly findings: Finding[];
}

async function runMany(request: Request): Promise<Outcome> {
  const outcome: Outcome = { runs: Object.fromEntries(request.only.map((name) => [name, 0])), findings: [] };
  const started = stopwatch();
  const left = orders(request);
  const isLive = process.stderr.isTTY && !request.json;
  const isOver = (): boolean => request.for_ms !== null && stopwatch() - started > request.for_ms;
  const work = async (): Promise<void> => {
    const trier = new Trier();
    for (const order of left) {
      if (isOver()) break;
      trier.begin(order);
      const finding = await trier.perform(order);
      outcome.runs[order.target]! += finding === null ? order.count : finding.number - order.from + 1;
      if (finding !== null) {
        outcome.findings.push(finding);
        process.stderr.write(`${findingText(finding, request)}\n`);
      }
      const total = Object.values(outcome.runs).reduce((sum, runs) => sum + runs, 0);
      if (isLive) process.stderr.write(`\r\u001b[K${total} inputs, ${outcome.findings.length} findings`);
    }
    await trier.close();
  };
  await Promise.all(Array.from({ length: request.threads }, work));
  if (isLive) process.stderr.write("\r\u001b[K");
  return outcome;
}

function findingText({ target, number, fault, input }: Finding, { seed }: Request): string {
  const small =
    input === null ? [] : [`  input, base64: ${input.length > 400 ? `${input.slice(0, 400)}…` : input}`];
  return [
    `${target}: ${fault}`,
    ...small,
    `  again: npm run fuzz -- --only ${target} --seed ${seed} --number ${number}`,
  ].join("\n");
}

async function runOne(request: Request, number: number): Promise<Outcome> {
  const [name = ""] = request.only;
  const target = fuzzTarget(name);
  const input = inputOf(target, request.seed, number);
  const fault = await faultOf(target, input);
  const outcome: Outcome = { runs: { [name]: 1 }, findings: [] };
  if (fault === null) return outcome;
  const small = Buffer.from(await shrunk(target, input));
  const finding = { target: name, number, fault, input: small.toString("base64") };
  process.stderr.write(`${findingText(finding, request)}\n  ${JSON.stringify(small.toString("latin1"))}\n`);
  return { ...outcome, findings: [finding] };
}

async function main(args: readonly string[]): Promise<boolean> {
  const request = requestOf(args);
  if (request.number !== null && request.only.length !== 1)
    throw refused("--number: expected --only with one name");
  const outcome = request.number === null ? await runMany(request) : await runOne(request, request.number);
  const runs = Object.values(outcome.runs).reduce((sum, each) => sum + each, 0);
  const skipped = Object.entries(outcome.runs).flatMap(([name, each]) => (each === 0 ? [name] : []));
  const findings = outcome.findings.length;
  if (request.json)
    process.stdout.write(`${JSON.stringify({ runs, findings, targets: outcome.runs, skipped })}\n`);
  else process.stdout.write(`${runs} inputs for ${request.only.length} targets: ${findings} findings\n`);
  return runs > 0 && findings === 0;
}

runScript("fuzz", usage, main);
