// What every operator has to keep to, as cases that any test runner can run: a stranger's operator is held
// to the same as those that come with weir. Makes the streams itself; knows no operator's rule.

import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import type { OperatorDefinition } from "../../operators/sdk/index.ts";
import { partialStepOf } from "../engine/partial-step.ts";
import { messageOf } from "../errors.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import {
  happen,
  type Happening,
  longestStep,
  shortened,
  streams,
  type Trial,
} from "./conformance-streams.ts";
import { planOfOne, runExample } from "./example.ts";
import { watched } from "./conformance-watch.ts";
import { Harness, lawFaults } from "./harness.ts";

export interface ConformanceOptions {
  /** Beside the examples: one for each branch that a setting opens. */
  readonly trials?: readonly Trial[];
  /** Random streams for each case. */
  readonly runs?: number;
  readonly seed?: number;
}

/** `run` throws where the operator does not keep to it, with the shortest stream that shows so. */
export interface ConformanceCase {
  readonly name: string;
  run(): void;
}

type Example = OperatorDefinition["examples"][number];

/** Records of a random stream, and of the long one that state must not grow with. */
const streamLength = 60;
const longLength = 4_000;
const snapshotEvery = 100;
/** Attempts at a simpler stream, once one has shown a fault, before it is cut down. */
const attemptsMax = 100;

/** What is seen of a run: two runs that should agree agree in this. */
interface Outcome {
  readonly rows: readonly unknown[];
  readonly ids: readonly (string | null)[];
  readonly letters: number;
  readonly ledger: readonly string[];
}

function fail(message: string, ...values: readonly unknown[]): never {
  throw new Error([message, ...values.map((value) => JSON.stringify(value))].join("\n  "));
}

function expectSame(message: string, actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) fail(message, { expected, actual });
}

/** The same but for the last bits of numbers, as sums have them that are made in parts. */
function isAlmostEqual(one: unknown, other: unknown): boolean {
  if (typeof one === "number" && typeof other === "number")
    return (
      Object.is(one, other) || Math.abs(one - other) <= 1e-9 * Math.max(1, Math.abs(one), Math.abs(other))
    );
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null)
    return one === other;
  const [names, others] = [Object.keys(one), Object.keys(other)];
  const values = one as Readonly<Record<string, unknown>>;
  const otherValues = other as Readonly<Record<string, unknown>>;
  return (
    names.length === others.length && names.every((name) => isAlmostEqual(values[name], otherValues[name]))
  );
}

function outcomeOf(harness: Harness): Outcome {
  const ledger = harness.counts()[0]!.ledger.map((entry) => `${entry.step} ${entry.reason} ${entry.records}`);
  return {
    rows: harness.rows(0),
    ids: harness.sent(0).map(({ id }) => id),
    letters: harness.letters.length,
    ledger: ledger.toSorted(),
  };
}

function expectLaw(harness: Harness): void {
  const [fault] = lawFaults(harness.counts());
  if (fault !== undefined)
    fail(
      `the ledger's law is broken: ${fault}`,
      "each record is sent, left out (select, drop, reject) or held in a table; a row of a draft is sent for weight records",
    );
}

/** The outcome of a whole stream. `before` is called before each happening. */
function outcome(
  plan: PipelinePlan,
  { lookups = {} }: Trial,
  stream: readonly Happening[],
  batchRows: number,
  before: (harness: Harness, place: number) => void = () => undefined,
  pooled: boolean = false,
): Outcome {
  const harness = new Harness(plan, { batchRows, pooled });
  harness.lookups(lookups);
  for (const [place, happening] of stream.entries()) {
    before(harness, place);
    happen(harness, happening);
  }
  harness.finish();
  expectLaw(harness);
  const thrown = harness.letters.find(({ reason }) => reason === "fault");
  if (thrown !== undefined)
    fail(
      `it throws at a record, which is left out for it: ${thrown.detail}; null says that there is no value, and reject() of an operator on columns that a record is refused`,
    );
  const { held } = harness.counts()[0]!;
  if (held !== 0) fail(`after the end of the stream ${held} records are still held`);
  return outcomeOf(harness);
}

/** The operator, which is shown an empty batch before each. */
function interrupted(definition: OperatorDefinition): OperatorDefinition {
  return {
    ...definition,
    create: (config, context) => {
      const operator = definition.create(config, context);
      return {
        onBatch: (batch, out) => {
          operator.onBatch({ ...batch, count: 0 }, out);
          operator.onBatch(batch, out);
        },
        onWatermark: (watermark, out) => operator.onWatermark?.(watermark, out),
      };
    },
  };
}

class Trials {
  readonly #definition: OperatorDefinition;
  readonly #trial: Trial;
  readonly #options: Required<Pick<ConformanceOptions, "runs" | "seed">>;
  /** Lateness, and an `ahead` that no time of a stream reaches. */
  readonly #time: Readonly<Record<string, string>>;
  readonly #plan: PipelinePlan;

  constructor(definition: OperatorDefinition, trial: Trial, { runs = 12, seed = 1 }: ConformanceOptions) {
    this.#definition = definition;
    this.#trial = trial;
    this.#options = { runs, seed };
    this.#time = { lateness: `${Math.ceil(longestStep(trial) / 2)}ms`, ahead: "36500d" };
    this.#plan = planOfOne(definition, trial, this.#time);
  }

  cuts(plan: PipelinePlan = this.#plan): void {
    this.#each((stream) => {
      const expected = outcome(plan, this.#trial, stream, 1, expectLaw);
      for (const batchRows of [3, 1_000])
        expectSame(
          `${batchRows} records a batch give something else than one`,
          outcome(plan, this.#trial, stream, batchRows),
          expected,
        );
    });
  }

  /** Where keys have no room, are silent for their time to live, or make room for others: as much is lost of one as of another cut. */
  bounds(): void {
    const [step] = [...this.#plan.steps, ...this.#plan.branches.flatMap((branch) => branch.steps)];
    const tables = Object.values(this.#definition.state(step!.config));
    if (!tables.some((declared) => "by" in declared && declared.by.length > 0)) return;
    const ttl = `${2 * longestStep(this.#trial)}ms`;
    for (const keys of [{ max: 1 }, { max: 2, ttl }, { max: 2, when_full: "forget_oldest" }])
      this.cuts(planOfOne(this.#definition, this.#trial, this.#time, { keys }));
    this.allowed({ keys: { max: 1 } });
  }

  emptyBatches(): void {
    const plan = planOfOne(interrupted(this.#definition), this.#trial, this.#time);
    this.#each((stream) =>
      expectSame(
        "an empty batch is not harmless",
        outcome(plan, this.#trial, stream, 4),
        outcome(this.#plan, this.#trial, stream, 4),
      ),
    );
  }

  /** The operator decides by what it may read alone, leaves it as it is, keeps nothing of it, and sends what its schema says. */
  allowed(bounds: Readonly<Record<string, unknown>> = {}): void {
    const plain = planOfOne(this.#definition, this.#trial, this.#time, bounds);
    for (const nonsense of ["large", "small"] as const) {
      const faults: string[] = [];
      const definition = watched(this.#definition, nonsense, (fault) => faults.push(fault));
      const plan = planOfOne(definition, this.#trial, this.#time, bounds);
      this.#each((stream) => {
        faults.length = 0;
        let actual: Outcome | null = null;
        let error: unknown = null;
        try {
          actual = outcome(plan, this.#trial, stream, 4);
        } catch (thrown) {
          error = thrown;
        }
        if (faults.length > 0) fail(faults[0]!);
        if (error !== null) throw error;
        expectSame(
          "it reads what it may not: rows that are not selected, values under null, or a batch behind its call",
          actual,
          outcome(plain, this.#trial, stream, 4),
        );
      });
    }
  }

  /** From a snapshot, or from what has changed between checkpoints. */
  restarts(): void {
    const plans = [planOfOne(this.#definition, this.#trial, this.#time), this.#plan];
    const places = fc.array(fc.nat(streamLength), { minLength: 1, maxLength: 5 });
    this.#each((stream, at) => {
      const interrupt = (harness: Harness, place: number): void => {
        // Read anew each time, so that nothing outlives in what a plan holds.
        if (at.includes(place)) {
          if (place % 3 === 0) harness.restart(plans[place % 2]);
          else harness.resume(plans[place % 2]);
        } else if (at.includes(place + 1)) harness.checkpoint();
      };
      const expected = outcome(this.#plan, this.#trial, stream, 2, (harness, place) => {
        // A restart cuts a batch short.
        if (at.includes(place) || at.includes(place + 1)) harness.counts();
      });
      expectSame("a restart shows", outcome(this.#plan, this.#trial, stream, 2, interrupt), expected);
    }, places);
  }

  /** What may be done where records are decoded gives what the operator gives that has each record, but for the last bits of numbers. */
  elsewhere(): void {
    if (partialStepOf(this.#plan) === null) return;
    this.#each((stream) => {
      const expected = outcome(this.#plan, this.#trial, stream, 1);
      for (const batchRows of [1, 4, 1_000]) {
        const actual = outcome(this.#plan, this.#trial, stream, batchRows, () => undefined, true);
        if (!isAlmostEqual(actual, expected))
          fail(`what was aggregated before differs, ${batchRows} records a batch`, { expected, actual });
      }
    });
  }

  /** Few keys and a long stream: what is remembered in its second half is no more, on average, than in its first. */
  bounded(): void {
    const all = streams(this.#trial, longLength, true);
    const [stream] = fc.sample(all, { seed: this.#options.seed, numRuns: 1 });
    const harness = new Harness(this.#plan, { batchRows: 50 });
    harness.lookups(this.#trial.lookups ?? {});
    const halves = [0, 0];
    for (const [place, happening] of stream!.entries()) {
      happen(harness, happening);
      if (place % snapshotEvery === 0) halves[place < longLength / 2 ? 0 : 1]! += harness.snapshot().length;
    }
    const [first, second] = halves.map((total) => Math.round(total / (longLength / (2 * snapshotEvery)))) as [
      number,
      number,
    ];
    // What grows with every record is three times as large in the second half.
    if (second > first * 1.6 + 64)
      fail(
        `state grows with the stream: ${first} bytes on average in its first half, ${second} in its second`,
      );
  }

  /** Throws what the first stream shows on which `check` throws, cut down to what is needed for it. */
  #each(
    check: (stream: readonly Happening[], at: readonly number[]) => void,
    at: fc.Arbitrary<number[]> = fc.constant([]),
  ): void {
    const { runs, seed } = this.#options;
    let attempts = Number.POSITIVE_INFINITY;
    const property = fc.property(streams(this.#trial, streamLength), at, (stream, places) => {
      if (attempts-- <= 0) return;
      try {
        check(stream, places);
      } catch (error) {
        attempts = Math.min(attempts, attemptsMax);
        throw error;
      }
    });
    const { failed, counterexample, errorInstance } = fc.check(property, { seed, numRuns: runs });
    if (!failed) return;
    const [found, places] = counterexample!;
    let shown: unknown = errorInstance;
    // A restart stays before the happening that it was before.
    const before = new Set(places.map((place) => found[place]));
    const placesIn = (stream: readonly Happening[]): number[] =>
      stream.flatMap((happening, place) => (before.has(happening) ? [place] : []));
    const stream = shortened(found, (shorter) => {
      try {
        check(shorter, placesIn(shorter));
        return false;
      } catch (error) {
        shown = error;
        return true;
      }
    });
    const left = stream === found ? places : placesIn(stream);
    const where = left.length === 0 ? "" : `, with restarts before ${left.join(", ")}`;
    throw new Error(`${messageOf(shown)}\n  stream${where}: ${JSON.stringify(stream)}`);
  }
}

function exampleCase(definition: OperatorDefinition, example: Example): ConformanceCase {
  return {
    name: `${example.title}: its rows, 1, 2 and 1000 records a batch`,
    run() {
      for (const batchRows of [1, 2, 1_000]) {
        const { rows, faults } = runExample(definition, example, batchRows);
        expectSame(`${batchRows} records a batch give other rows`, rows, example.output);
        if (faults.length > 0) fail("the ledger's law is broken", faults);
      }
    },
  };
}

/** The cases for an operator: each of its examples, and all laws on random streams for each example and each further trial. */
export function conformanceCases(
  definition: OperatorDefinition,
  options: ConformanceOptions = {},
): readonly ConformanceCase[] {
  const all = [...definition.examples, ...(options.trials ?? [])];
  if (all.length === 0)
    return [
      {
        name: "it has an example, or a trial",
        run: () => fail(`${definition.name} has no example to try it on`),
      },
    ];
  const laws = [
    ["batches may be cut anywhere", (trials: Trials) => trials.cuts()],
    ["keys may lack room, or be forgotten", (trials: Trials) => trials.bounds()],
    ["empty batches are harmless", (trials: Trials) => trials.emptyBatches()],
    ["it reads and sends what it may", (trials: Trials) => trials.allowed()],
    ["a restart anywhere does not show", (trials: Trials) => trials.restarts()],
    ["a part of it may run elsewhere", (trials: Trials) => trials.elsewhere()],
    ["state is bounded", (trials: Trials) => trials.bounded()],
  ] as const;
  return [
    ...definition.examples.map((example) => exampleCase(definition, example)),
    ...all.flatMap((trial) =>
      laws.map(([law, hold]) => ({
        name: `${law}: ${JSON.stringify(trial.config).slice(0, 100)}`,
        run: () => hold(new Trials(definition, trial, options)),
      })),
    ),
  ];
}

/** What an operator does not keep to, in words; empty when it keeps to all. */
export function conformanceFaults(
  definition: OperatorDefinition,
  options: ConformanceOptions = {},
): string[] {
  if (definition.examples.length === 0) return [`${definition.name} has no example`];
  return conformanceCases(definition, options).flatMap(({ name, run }) => {
    try {
      run();
      return [];
    } catch (error) {
      return [`${definition.name}: ${name}: ${messageOf(error)}`];
    }
  });
}
