// How far event time has come in a pipeline: as far as the source that is furthest behind. The watermark
// of a source is the largest event time that entered by it, minus its lateness; one that is silent for
// its `idle`, or has ended, holds no other back. When all are silent, the clock carries time on, so that
// open windows fire. The watermark never goes back, and is in whole ms: rows of a window stand in the last ms before its end, and one
// within that ms would find them late in the next step. Pure: the clock is an argument.

import type { Batch } from "../../operators/sdk/index.ts";
import type { InputSpec } from "../pipeline/pipeline.ts";
import { numbersOf, packedNumbers, type Plain } from "../state/plain.ts";

/**
 * What is known of one source's event time. When something was is told by a clock that nobody sets, in ms, and is -Infinity before
 * it was first read.
 */
export interface InputProgress {
  readonly name: string;
  /** False where time is the clock's, which no source holds back. */
  readonly timed: boolean;
  readonly lateness: number;
  /** Silent for so long it is idle, ms; null: never. */
  readonly idle: number | null;
  /** The largest event time that entered; -Infinity when none did. */
  latest: number;
  /** When the record arrived that has it; the pipeline's start when none did. */
  moved: number;
  /** When the last record that entered arrived; the pipeline's start when none did. */
  arrived: number;
  /** Until when it is known to have sent nothing since: when it was last asked. */
  silent: number;
  /** The pipeline's watermark, or its own if that is further, when the last record had entered. */
  reached: number;
  ended: boolean;
}

/** What is known of records that entered together. */
export interface Entered {
  /** The largest event time of them; -Infinity when none entered. */
  readonly latest: number;
  /** When the record with that time, and when the last of them arrived. */
  readonly moved: number;
  readonly arrived: number;
}

/** The watermark of a source, whatever the others do. */
export function ownWatermark({ latest, lateness }: InputProgress): number {
  return Math.floor(latest - lateness);
}

/** True while the pipeline's watermark cannot pass the source's own. */
export function holdsBack(input: InputProgress): boolean {
  return input.timed && !input.ended && !isIdle(input);
}

/**
 * A source is idle once it was asked and still had nothing `idle` after its last record; what waits to
 * be read is no silence.
 */
export function isIdle({ idle, silent, arrived }: InputProgress): boolean {
  return idle !== null && silent - arrived >= idle;
}

type SixNumbers = readonly [number, number, number, number, number, number];

export class WatermarkTracker {
  readonly inputs: readonly InputProgress[];
  #current = Number.NEGATIVE_INFINITY;
  #begun = false;

  constructor(inputs: readonly Pick<InputSpec, "name" | "time">[]) {
    const never = Number.NEGATIVE_INFINITY;
    this.inputs = inputs.map(({ name, time }) => ({
      name,
      timed: time !== null,
      lateness: time?.lateness ?? 0,
      idle: time?.idle ?? null,
      latest: never,
      moved: never,
      arrived: never,
      silent: never,
      reached: never,
      ended: false,
    }));
  }

  get current(): number {
    return this.#current;
  }

  /** All that it knows, as text: trackers with the same go on alike. */
  get standing(): string {
    return [this.#current, this.#begun, ...this.inputs.flatMap((input) => Object.values(input))].join();
  }

  /** Comes to know what another one knows. */
  follow(first: WatermarkTracker): void {
    this.#current = first.#current;
    this.#begun = first.#begun;
    for (const [place, input] of this.inputs.entries()) Object.assign(input, first.inputs[place]);
  }

  /** When the pipeline started: from then on a source that sends nothing is silent. Only the first one counts. */
  begin(elapsed: number): void {
    if (this.#begun) return;
    this.#begun = true;
    for (const input of this.inputs) {
      input.moved = elapsed;
      input.arrived = elapsed;
      input.silent = elapsed;
    }
  }

  /**
   * Takes note of batches that entered together by one source. On entry their `watermark` columns hold,
   * by row, the largest event time before that row among them; on return the watermark in force when
   * the row arrived. Where nothing entered, nothing changes: such a source is as good as silent.
   */
  advance(batches: readonly Batch[], { latest, moved, arrived }: Entered, input = 0): void {
    if (latest === Number.NEGATIVE_INFINITY) return;
    const own = this.inputs[input]!;
    const others = this.#least(own);
    const { lateness, latest: carried } = own;
    const current = this.#current;
    for (const { watermark, selection, count } of batches) {
      for (let i = 0; i < count; i++) {
        const row = selection[i]!;
        const largest = watermark[row]!;
        const reached = Math.floor((largest > carried ? largest : carried) - lateness);
        const least = reached < others ? reached : others;
        watermark[row] = least > current ? least : current;
      }
    }
    if (latest > carried) {
      own.latest = latest;
      own.moved = moved;
    }
    own.arrived = arrived;
    own.silent = arrived;
    this.#settle(latest, arrived);
    own.reached = Math.max(ownWatermark(own), this.#current);
  }

  /** All that it knows, as numbers: as many for every tracker of the same sources. */
  get numbers(): readonly number[] {
    const numbers = [this.#current, Number(this.#begun)];
    for (const { latest, moved, arrived, silent, reached, ended } of this.inputs)
      numbers.push(latest, moved, arrived, silent, reached, Number(ended));
    return numbers;
  }

  snapshot(): Plain {
    return packedNumbers(this.numbers);
  }

  /**
   * Goes on from what `snapshot` gave when the function that is returned is called. What is remembered of the clock is moved on
   * by `passed` ms, for which nobody listened: nobody can say whether a source was silent then.
   */
  restoring(data: Plain, passed: number): () => void {
    const [current, begun, ...kept] = numbersOf(data, 2 + 6 * this.inputs.length);
    return () => {
      this.#current = current!;
      this.#begun = begun === 1;
      for (const [place, input] of this.inputs.entries()) {
        const six = kept.slice(6 * place, 6 * place + 6) as unknown as SixNumbers;
        const [latest, moved, arrived, silent, reached, ended] = six;
        Object.assign(input, { latest, reached, ended: ended === 1 });
        Object.assign(input, { moved: moved + passed, arrived: arrived + passed, silent: silent + passed });
      }
    };
  }

  /**
   * Time passes, and the source (all of them when none is named) has nothing. `now` is the clock on the wall, which is
   * processing time; how long a source has been silent is told by `elapsed`.
   */
  tick(now: number, input: number | null = null, elapsed: number = now): void {
    this.begin(elapsed);
    for (const each of input === null ? this.inputs : [this.inputs[input]!]) each.silent = elapsed;
    this.#settle(now, elapsed);
  }

  /** The source has come to its end. */
  end(now: number, input: number, elapsed: number = now): void {
    this.inputs[input]!.ended = true;
    this.#settle(now, elapsed);
  }

  #settle(now: number, elapsed: number): void {
    const least = this.#least(null);
    const reached = least === Number.POSITIVE_INFINITY ? this.#carried(now, elapsed) : least;
    this.#current = Math.max(this.#current, Math.floor(reached));
  }

  /** The least watermark of the sources that hold others back, `except` left out; Infinity when there is none. */
  #least(except: InputProgress | null): number {
    let least = Number.POSITIVE_INFINITY;
    for (const input of this.inputs) {
      if (input !== except && holdsBack(input)) least = Math.min(least, ownWatermark(input));
    }
    return least;
  }

  /**
   * How far the clock carries time on while no source holds it. The furthest decides, so that it does not
   * matter which of them fell silent first.
   */
  #carried(now: number, elapsed: number): number {
    let furthest = Number.NEGATIVE_INFINITY;
    for (const { timed, reached, arrived, silent, ended } of this.inputs) {
      const carried = timed ? reached + (ended ? elapsed : silent) - arrived : now;
      furthest = Math.max(furthest, carried);
    }
    return furthest;
  }
}
