// reorder: records in the order of event time. Each waits until the watermark reaches its time; what comes after its turn does not
// wait. Leaves nothing out but what there is no room for, and changes no record.

import {
  type Batch,
  type Collector,
  defineOperator,
  type KeyedTable,
  type Operator,
  type OperatorDefinition,
  type PartTable,
  table,
  type Tables,
  z,
} from "weir/sdk";
import { course } from "../window/kind.ts";
import { rowReference } from "./record-reference.ts";
import { SentRecords } from "./sent-records.ts";
import { SettledRows } from "./settled-rows.ts";

/** The numbers of one that waits: its kept record, and its turn. */
const recordCell = 0;
const turnCell = 1;

/** Those that have their turn in one go. */
const turnsAtOnce = 1_024;

const tables = {
  queue: table.parts([], [], [0, 0], 0, { within: (lateness) => lateness }),
  kept: table.keyed([], [], { within: (lateness) => lateness }),
  course,
};

class Reordering implements Operator {
  readonly #queue: PartTable;
  readonly #kept: KeyedTable;
  readonly #course: Float64Array;
  /** Rows of the batch, their turns beside them: those that wait no longer than the batch, and the others. */
  #going = new Uint32Array(0);
  #goingTurns = new Float64Array(0);
  #waiting = new Uint32Array(0);
  #waitingTurns = new Float64Array(0);
  #records = new Uint32Array(0);
  #slots = new Uint32Array(0);
  readonly #sent: SentRecords;
  readonly #due = new Uint32Array(turnsAtOnce);

  constructor({ queue, kept, course }: Tables<typeof tables>) {
    this.#queue = queue;
    this.#kept = kept;
    this.#course = course.values;
    // No row is filtered here, so that there is nothing to settle.
    this.#sent = new SentRecords(kept.records, new SettledRows());
  }

  /**
   * The turn of a record is its time, or the watermark that it found where that is later: so records go by their turns, and of
   * equal turns as they came, however they were cut into batches.
   */
  onBatch(batch: Batch, out: Collector): void {
    this.#reserve(batch.count);
    const now = this.#lastWatermark(batch);
    const { selection, count, time, watermark } = batch;
    let room = this.#queue.room;
    let [passed, going, waiting] = [this.#course[0]!, 0, 0];
    for (let i = 0; i < count; i++) {
      const row = selection[i]!;
      if (watermark[row]! > passed) passed = watermark[row]!;
      const turn = Math.max(time[row]!, passed);
      if (turn <= now) {
        this.#going[going] = row;
        this.#goingTurns[going++] = turn;
      } else if (room > 0) {
        room--;
        this.#waiting[waiting] = row;
        this.#waitingTurns[waiting++] = turn;
      } else out.drop(batch, row, "overflow");
    }
    this.#course[0] = now;
    this.#sort(going);
    this.#merge(now, going);
    this.#sent.flush(batch, out);
    this.#wait(batch, waiting);
  }

  onWatermark(watermark: number, out: Collector): void {
    const now = Math.max(this.#course[0]!, watermark);
    if (now < Number.POSITIVE_INFINITY) this.#course[0] = now;
    this.#merge(now, 0);
    this.#sent.flush(null, out);
  }

  #reserve(count: number): void {
    if (this.#going.length >= count) return;
    this.#going = new Uint32Array(count);
    this.#goingTurns = new Float64Array(count);
    this.#waiting = new Uint32Array(count);
    this.#waitingTurns = new Float64Array(count);
    this.#records = new Uint32Array(count);
    this.#slots = new Uint32Array(count);
  }

  /** How far event time is behind the batch. */
  #lastWatermark({ selection, count, watermark }: Batch): number {
    let now = this.#course[0]!;
    for (let i = 0; i < count; i++) now = Math.max(now, watermark[selection[i]!]!);
    return now;
  }

  /**
   * Brings the first `count` that go into the order of their turns. Few are out of it, for the most part: those alone are sorted,
   * and put back from the end on.
   */
  #sort(count: number): void {
    const [rows, turns] = [this.#going, this.#goingTurns];
    const late: { readonly row: number; readonly turn: number; readonly place: number }[] = [];
    let kept = 0;
    let last = Number.NEGATIVE_INFINITY;
    for (let place = 0; place < count; place++) {
      const row = rows[place]!;
      const turn = turns[place]!;
      if (turn < last) late.push({ row, turn, place });
      else {
        last = turn;
        rows[kept] = row;
        turns[kept++] = turn;
      }
    }
    late.sort((a, b) => a.turn - b.turn || a.place - b.place);
    // One that is out of order came behind all of an equal turn that are in it.
    for (let place = count - 1; late.length > 0; place--) {
      const next = late.at(-1)!;
      const isLate = kept === 0 || turns[kept - 1]! <= next.turn;
      if (isLate) late.pop();
      else kept--;
      rows[place] = isLate ? next.row : rows[kept]!;
      turns[place] = isLate ? next.turn : turns[kept]!;
    }
  }

  /** Puts what waited until `now` and the first `going` rows of the batch together: of equal turns what came before comes first. */
  #merge(now: number, going: number): void {
    const { waiting } = this.#queue;
    let place = 0;
    for (let count = waiting.due(now, this.#due); count > 0; count = waiting.due(now, this.#due)) {
      const [records, turns] = this.#queue.cells as [Float64Array, Float64Array];
      for (let i = 0; i < count; i++) {
        const slot = this.#due[i]!;
        const turn = turns[slot]!;
        while (place < going && this.#goingTurns[place]! < turn) this.#addRow(place++);
        this.#sent.add(records[slot]!, turn);
        this.#queue.free(slot);
      }
    }
    while (place < going) this.#addRow(place++);
  }

  /** Event time goes along with the records, so that none is late for the next step that was in time here. */
  #addRow(place: number): void {
    this.#sent.add(rowReference(this.#going[place]!), this.#goingTurns[place]!);
  }

  #wait(batch: Batch, count: number): void {
    if (count === 0) return;
    const [records, slots] = [this.#records, this.#slots];
    this.#kept.records.keepAll(batch, this.#waiting, count, records);
    this.#queue.openAll(count, slots);
    const { cells, waiting } = this.#queue;
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      cells[recordCell]![slot] = records[i]!;
      cells[turnCell]![slot] = this.#waitingTurns[i]!;
      waiting.add(slot, this.#waitingTurns[i]!);
    }
  }
}

export const reorder: OperatorDefinition = defineOperator({
  name: "reorder",
  summary: "Brings records into the order of event time.",
  rule: [
    "Each record waits until the watermark has reached its time, and those of equal times go in the order in which they came: so a record is held for the lateness of its source, and what follows gets records in the order in which they were measured, whatever the order in which they came.",
    "For what goes by the order of records: `deadband`, `rate`, `swinging_door`, `pattern`, and `rate`, `integral`, `time_mean` and `collect` in windows.",
    "A record whose time the watermark has passed when it comes is not held and not left out: it goes at once, and whether it is late is for the next step to say.",
    "Where keys have times of their own (`per` in `time`), the records of each are in an order of their own.",
  ].join(" "),
  kind: "keyed",
  late: () => false,
  keyless: true,
  config: z.strictObject({}),
  examples: [
    {
      title: "Two readings that overtook each other, and one that comes too late for its turn",
      config: {},
      schema: { ts: "time", temp: "float64" },
      time: "ts",
      lateness: "15s",
      input: [
        { ts: 10_000, temp: 21 },
        { ts: 0, temp: 20 },
        { ts: 20_000, temp: 22 },
        { ts: 40_000, temp: 24 },
        { ts: 5_000, temp: 19 },
      ],
      output: [
        { ts: 0, temp: 20 },
        { ts: 10_000, temp: 21 },
        { ts: 20_000, temp: 22 },
        { ts: 5_000, temp: 19 },
        { ts: 40_000, temp: 24 },
      ],
    },
  ],
  state: () => tables,
  create: (_settings, { state }) => new Reordering(state as Tables<typeof tables>),
});
