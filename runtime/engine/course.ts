// How event time goes through the home of a pipeline: one watermark for all its records, which its sources
// decide together. The form that nearly every pipeline has; lanes.ts is the other one.

import type { Batch } from "../../operators/sdk/index.ts";
import type { InputSpec } from "../pipeline/pipeline.ts";
import { member, type Plain } from "../state/plain.ts";
import type { Home } from "./home.ts";
import type { Receiver } from "./receiver.ts";
import type { StepMetric } from "./step-metrics.ts";
import type { StepWaiting } from "./status.ts";
import { type Entered, type InputProgress, WatermarkTracker } from "./watermark.ts";

/** When each payload of a run arrived, as far as could be seen here, by the clock that nobody sets, ms. */
export type Arrivals = (row: number) => number;

/** What has come through up to a watermark of its own. */
export interface Clocked {
  readonly tracker: WatermarkTracker;
  readonly home: Home;
}

/** Does what may take the watermark on; home is told when it has. */
export function moving({ tracker, home }: Clocked, move: () => void): void {
  const before = tracker.current;
  move();
  if (tracker.current > before) home.first.onWatermark(tracker.current);
}

/** What an engine drives in place of a home and its clock. */
export interface Course {
  /** Where batches go that have come through the stateless part. */
  readonly entry: Receiver;
  /** Event time so far, ms; -Infinity before the first record. */
  readonly watermark: number;
  /** Equal for those that go on alike from here on, given the same; null where none other does. */
  readonly standing: string | null;
  /** True where steps have to be told of time. */
  readonly waitsForTime: boolean;
  /** What is known of each source's event time. */
  readonly progress: readonly InputProgress[];
  /** The numbers that steps at home show beside their counts. */
  readonly metrics: readonly StepMetric[];
  /** The steps that hold records. */
  readonly waiting: readonly StepWaiting[];
  /** Input records in the steps that lead to a branch's end. */
  held(branch: number): number;
  /** A run of payloads begins. */
  begin(arrived: Arrivals): void;
  /** Batches of the run have entered by a source, and are about to go through the stateless part. */
  entered(batches: readonly Batch[], entered: Entered, input: number): void;
  /** What was aggregated before home in place of records, of a plan that has such a part. */
  merge(batch: Batch): void;
  /** The run has come through. */
  settle(): void;
  /** Time passes, and a source (all of them when none is named) has nothing. */
  tick(now: number, input: number | null, elapsed: number): void;
  /** One of several sources has ended. */
  end(now: number, input: number, elapsed: number): void;
  /** The stream has ended. */
  finish(): void;
  /** True where a step has left rows for later. */
  readonly isBehind: boolean;
  /** Sends some more of them. */
  goOn(): void;
  /** Event time has come as far as in another course, which stood alike. */
  follow(first: Course): void;
  /** All that outlives the process. */
  snapshot(): Plain;
  /** Goes on from `data`, made `passed` ms ago, when the function that is returned is called. */
  restoring(data: Plain, passed: number): () => void;
}

export class OneClock implements Course, Clocked {
  readonly entry: Receiver;
  readonly tracker: WatermarkTracker;
  readonly home: Home;
  #hasEnded = false;

  constructor(inputs: readonly InputSpec[], home: Home) {
    this.tracker = new WatermarkTracker(inputs);
    this.home = home;
    this.entry = home.first;
  }

  get watermark(): number {
    return this.tracker.current;
  }

  get waitsForTime(): boolean {
    return this.home.waitsForTime;
  }

  get standing(): string {
    return this.tracker.standing;
  }

  get progress(): readonly InputProgress[] {
    return this.tracker.inputs.map((input) => ({ ...input }));
  }

  get metrics(): readonly StepMetric[] {
    return this.home.metrics();
  }

  get waiting(): readonly StepWaiting[] {
    return this.home.waiting();
  }

  held(branch: number): number {
    return this.home.held(branch);
  }

  begin(arrived: Arrivals): void {
    this.tracker.begin(arrived(0));
  }

  entered(batches: readonly Batch[], entered: Entered, input: number): void {
    this.tracker.advance(batches, entered, input);
  }

  merge(batch: Batch): void {
    this.home.merging!.merge(batch);
  }

  settle(): void {
    this.entry.onWatermark(this.tracker.current);
  }

  tick(now: number, input: number | null, elapsed: number): void {
    moving(this, () => this.tracker.tick(now, input, elapsed));
  }

  end(now: number, input: number, elapsed: number): void {
    moving(this, () => this.tracker.end(now, input, elapsed));
  }

  finish(): void {
    this.#hasEnded = true;
    this.goOn();
  }

  get isBehind(): boolean {
    return this.home.isBehind;
  }

  goOn(): void {
    this.home.goOn(this.tracker.current, this.#hasEnded);
  }

  follow(first: Course): void {
    if (first instanceof OneClock) this.tracker.follow(first.tracker);
  }

  snapshot(): Plain {
    return { time: this.tracker.snapshot(), home: this.home.snapshot() };
  }

  restoring(data: Plain, passed: number): () => void {
    const changes = [
      this.tracker.restoring(member(data, "time"), passed),
      this.home.restoring(member(data, "home")),
    ];
    return () => changes.forEach((change) => change());
  }
}
