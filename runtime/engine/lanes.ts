// A pipeline whose keys have clocks of their own: each key's records go through a home of their own, with
// a watermark of their own, as if every key were a pipeline. Decides which lane a record takes; knows
// nothing of steps.

import { type Batch, noKey, valueAt } from "../../operators/sdk/index.ts";
import { makeWritable, TextDictionary } from "../batch/columns.ts";
import { WeirError } from "../errors.ts";
import { lanesOf } from "../pipeline/per-key.ts";
import type { InputSpec, PerKey, PipelinePlan } from "../pipeline/pipeline.ts";
import { type LastingKeys, makeKeyTable } from "../state/keys.ts";
import { listOf, member, numbersOf, packed, packedNumbers, type Plain } from "../state/plain.ts";
import { type Arrivals, type Clocked, type Course, moving } from "./course.ts";
import type { Home } from "./home.ts";
import type { Ledger } from "./ledger.ts";
import type { Receiver } from "./receiver.ts";
import { joinMetrics, type StepMetric } from "./step-metrics.ts";
import type { StepWaiting } from "./status.ts";
import { type InputProgress, WatermarkTracker } from "./watermark.ts";

/** The step under which the ledger counts records of a key for which there is no lane left. */
const lanesStep = "time per key";

interface Lane extends Clocked {
  /** What was written down of its home last, while that is still so. */
  kept: Plain;
}

export class Lanes implements Course, Receiver {
  readonly entry: Receiver = this;
  readonly #input: InputSpec;
  readonly #lanesMax: number;
  readonly #per: PerKey;
  readonly #ledger: Ledger;
  readonly #makeHome: () => Home;
  #keys: LastingKeys;
  #lanes: Lane[] = [];
  #arrived!: Arrivals;
  #hasEnded = false;
  /** The lanes that this run has records of. */
  readonly #touched = new Set<Lane>();
  #ids = new Uint32Array(0);
  #rows = new Uint32Array(0);
  /** By lane, how many rows of the present batch are its; zero between batches. */
  #counts = new Uint32Array(64);
  /** By lane, where its next row goes. */
  #next = new Uint32Array(64);

  /** `input`: the plan's only source. */
  constructor({ spec }: PipelinePlan, per: PerKey, ledger: Ledger, makeHome: () => Home) {
    this.#input = spec.inputs[0]!;
    this.#lanesMax = lanesOf(spec);
    this.#per = per;
    this.#ledger = ledger;
    this.#makeHome = makeHome;
    this.#keys = makeKeyTable([per.entry], this.#lanesMax);
  }

  snapshot(): Plain {
    return {
      keys: this.#keys.snapshot(),
      times: packedNumbers(this.#lanes.flatMap(({ tracker }) => tracker.numbers)),
      homes: this.#lanes.map((lane) => (lane.kept ??= Object.freeze(lane.home.snapshot()))),
    };
  }

  restoring(data: Plain, passed: number): () => void {
    const keys = makeKeyTable([this.#per.entry], this.#lanesMax);
    keys.restore(member(data, "keys"));
    const homes = listOf(member(data, "homes"));
    const times = numbersOf(member(data, "times"));
    const width = times.length / homes.length;
    const lanes = homes.map((kept, place) => {
      const lane = this.#newLane();
      lane.tracker.restoring(packed(times.subarray(place * width, place * width + width)), passed)();
      lane.home.restoring(kept)();
      return lane;
    });
    return () => {
      this.#keys = keys;
      this.#lanes = lanes;
    };
  }

  /** The least watermark of a key: no window that ends before it is open. */
  get watermark(): number {
    return this.#lanes[this.#furthestBehind]?.tracker.current ?? Number.NEGATIVE_INFINITY;
  }

  readonly standing = null;
  readonly waitsForTime = true;

  /** Of the key that is furthest behind, by its name, in place of the source's. */
  get progress(): readonly InputProgress[] {
    const lane = this.#lanes[this.#furthestBehind];
    if (lane === undefined) return new WatermarkTracker([this.#input]).inputs;
    const name = this.#nameOf(this.#furthestBehind);
    return lane.tracker.inputs.map((input) => ({ ...input, name }));
  }

  get metrics(): readonly StepMetric[] {
    return joinMetrics(this.#lanes.flatMap(({ home }) => home.metrics()));
  }

  get waiting(): readonly StepWaiting[] {
    return joined(this.#lanes.flatMap(({ home }) => home.waiting()));
  }

  /** -1 where there is none. */
  get #furthestBehind(): number {
    let least = this.#lanes.length - 1;
    for (const [id, { tracker }] of this.#lanes.entries())
      if (tracker.current < this.#lanes[least]!.tracker.current) least = id;
    return least;
  }

  /** `device boiler-7`. */
  #nameOf(id: number): string {
    const { name, type } = this.#per.entry;
    const column = makeWritable(type, 1, new TextDictionary());
    this.#keys.write(0, Uint32Array.of(id), 1, column);
    return `${name} ${String(valueAt(column, 0))}`;
  }

  held(branch: number): number {
    return this.#lanes.reduce((total, { home }) => total + home.held(branch), 0);
  }

  begin(arrived: Arrivals): void {
    this.#arrived = arrived;
  }

  entered(batches: readonly Batch[]): void {
    for (const batch of batches) this.#each(batch, (lane, rows) => this.#advance(lane, rows));
  }

  onBatch(batch: Batch): void {
    const { entry, home } = this.#per;
    // The key table looks for the column where it is on entry.
    const columns = [...batch.columns];
    columns[entry.index] = batch.columns[home.index]!;
    const refused = this.#each({ ...batch, columns }, (lane, { selection, count }) => {
      lane.kept = null;
      lane.home.first.onBatch({ ...batch, selection, count });
    });
    this.#ledger.add(lanesStep, "overflow", refused);
  }

  merge(): void {
    throw new WeirError("WEIR_INTERNAL", "records of keys with clocks of their own come home one by one");
  }

  follow(): void {
    // No other stands alike.
  }

  settle(): void {
    for (const lane of this.#touched) this.#advanceHome(lane);
    this.#touched.clear();
  }

  onWatermark(): void {
    // Each key has its own.
  }

  tick(now: number, _input: number | null, elapsed: number): void {
    for (const lane of this.#lanes)
      moving(lane, () => {
        const before = lane.tracker.current;
        lane.tracker.tick(now, null, elapsed);
        if (lane.tracker.current > before) lane.kept = null;
      });
  }

  end(): void {
    // There is one source, and its end is the stream's.
  }

  finish(): void {
    this.#hasEnded = true;
    for (const lane of this.#lanes) this.#advanceHome(lane);
  }

  get isBehind(): boolean {
    return this.#lanes.some(({ home }) => home.isBehind);
  }

  goOn(): void {
    for (const lane of this.#lanes) if (lane.home.isBehind) this.#advanceHome(lane);
  }

  #advanceHome(lane: Lane): void {
    lane.kept = null;
    lane.home.goOn(lane.tracker.current, this.#hasEnded);
  }

  /** Gives each lane its rows, in their order, lanes in the order in which they occur; returns for how many records there is none. */
  #each(batch: Batch, give: (lane: Lane, rows: Batch) => void): number {
    const { count } = batch;
    if (this.#ids.length < count) {
      this.#ids = new Uint32Array(count);
      this.#rows = new Uint32Array(count);
    }
    this.#keys.identify(batch, this.#ids);
    const { lanes, refused } = this.#sort(batch);
    let from = 0;
    for (const id of lanes) {
      const size = this.#counts[id]!;
      this.#counts[id] = 0;
      give(this.#lane(id), { ...batch, selection: this.#rows.subarray(from, from + size), count: size });
      from += size;
    }
    return refused;
  }

  /** Puts the rows of each lane side by side. */
  #sort({ selection, count, weight }: Batch): {
    readonly lanes: readonly number[];
    readonly refused: number;
  } {
    if (this.#counts.length < this.#keys.size) {
      this.#counts = new Uint32Array(this.#keys.size * 2);
      this.#next = new Uint32Array(this.#keys.size * 2);
    }
    const lanes: number[] = [];
    let refused = 0;
    for (let i = 0; i < count; i++) {
      const id = this.#ids[i]!;
      if (id === noKey) refused += weight?.[selection[i]!] ?? 1;
      else if (this.#counts[id]!++ === 0) lanes.push(id);
    }
    let from = 0;
    for (const id of lanes) {
      this.#next[id] = from;
      from += this.#counts[id]!;
    }
    for (let i = 0; i < count; i++) {
      const id = this.#ids[i]!;
      if (id !== noKey) this.#rows[this.#next[id]!++] = selection[i]!;
    }
    return { lanes, refused };
  }

  #lane(id: number): Lane {
    this.#lanes[id] ??= this.#newLane();
    return this.#lanes[id];
  }

  #newLane(): Lane {
    return { tracker: new WatermarkTracker([this.#input]), home: this.#makeHome(), kept: null };
  }

  /** The rows of one key have entered. */
  #advance(lane: Lane, batch: Batch): void {
    const { selection, count, time, watermark } = batch;
    let latest = Number.NEGATIVE_INFINITY;
    let newest = 0;
    // The column is this pipeline's own, and these rows of it are the lane's.
    for (let i = 0; i < count; i++) {
      const row = selection[i]!;
      watermark[row] = latest;
      if (time[row]! > latest) latest = time[(newest = row)]!;
    }
    lane.tracker.begin(this.#arrived(selection[0]!));
    const arrived = this.#arrived(selection[count - 1]!);
    lane.tracker.advance([batch], { latest, moved: this.#arrived(newest), arrived });
    this.#touched.add(lane);
  }
}

/** What the same step holds in all lanes, and when the first of them sends rows. */
function joined(all: readonly StepWaiting[]): readonly StepWaiting[] {
  const steps = new Map<string, StepWaiting>();
  for (const { step, held, due } of all) {
    const known = steps.get(step);
    const first = known?.due == null ? due : Math.min(known.due, due ?? known.due);
    steps.set(step, { step, held: held + (known?.held ?? 0), due: first });
  }
  return [...steps.values()];
}
