// A batch that crossed a thread is the same batch: every selected row with its values, nulls, texts, time,
// weight and origin, in memory of its own.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Batch,
  type Column,
  type ColumnType,
  columnTypes,
  type Origin,
  type Scalar,
  valueAt,
} from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import { makeBatch } from "./batch.ts";
import { makeColumn, TextDictionary } from "./columns.ts";
import { Arrival, bufferOf, type CompactBatch, Departure } from "./compact.ts";

const values: Readonly<Record<ColumnType, fc.Arbitrary<Scalar>>> = {
  float64: fc.double({ noNaN: true }),
  time: fc.integer({ min: -1e6, max: 1e6 }),
  int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  bool: fc.boolean(),
  string: fc.constantFrom("", "a", "ä", "\u0000", "a long text that stands for many", "__proto__"),
  json: fc.json({ maxDepth: 1 }),
};

interface Rows {
  readonly columns: readonly { readonly type: ColumnType; readonly cells: readonly Scalar[] }[];
  readonly selected: readonly boolean[];
  readonly weights: boolean;
  readonly origin: boolean;
}

const batches: fc.Arbitrary<Rows> = fc.nat(12).chain((rows) =>
  fc.record({
    columns: fc.array(
      fc.constantFrom(...columnTypes).chain((type) =>
        fc.record({
          type: fc.constant(type),
          cells: fc.array(fc.option(values[type], { freq: 4 }), { minLength: rows, maxLength: rows }),
        }),
      ),
      { maxLength: 7 },
    ),
    selected: fc.array(fc.boolean(), { minLength: rows, maxLength: rows }),
    weights: fc.boolean(),
    origin: fc.boolean(),
  }),
);

function columnOf(type: ColumnType, cells: readonly Scalar[]): Column {
  const dictionary = new TextDictionary();
  // A text that no row uses: it need not cross.
  dictionary.code("unused");
  const column = makeColumn(type, cells.length, type === "string" || type === "json" ? dictionary : null);
  cells.forEach((cell, row) => {
    // What lies under a null is unspecified: a code that no dictionary has.
    column.values[row] = (type === "int64" ? 77n : 77) as never;
    if (cell === null) return;
    column.valid[row] = 1;
    column.values[row] = (
      typeof cell === "string" ? dictionary.code(cell) : Number.isNaN(cell) ? 0 : cell
    ) as never;
  });
  return cells.includes(null) ? column : ({ ...column, valid: null } as Column);
}

const origin: Origin = {
  payload: (row) => Uint8Array.of(row, 1),
  subject: (row) => `subject ${row}`,
};

function batchOf({ columns, selected, weights, origin: known }: Rows): Batch {
  const rows = selected.length;
  const selection = Uint32Array.from(selected.keys()).filter((row) => selected[row]);
  const ramp = (factor: number): Float64Array => Float64Array.from(selected, (_, row) => row * factor);
  return makeBatch({
    schema: { fields: columns.map(({ type }, i) => ({ name: `c${i}`, type })), rest: null },
    columns: columns.map(({ type, cells }) => columnOf(type, cells)),
    rows,
    selection,
    count: selection.length,
    time: ramp(10),
    watermark: ramp(-3),
    weight: weights ? ramp(2) : null,
    origin: known ? origin : null,
  });
}

/** All that a batch says, row by row. */
function told(batch: Batch): unknown[] {
  return [...batch.selection.subarray(0, batch.count)].map((row) => ({
    cells: batch.columns.map((column) => valueAt(column, row)),
    types: batch.columns.map(({ type }) => type),
    time: batch.time[row],
    watermark: batch.watermark[row],
    weight: batch.weight?.[row] ?? null,
    payload: batch.origin === null ? null : [...batch.origin.payload(row)],
    subject: batch.origin?.subject(row) ?? null,
  }));
}

/** Across, as a thread's port does it. */
function sent(compact: CompactBatch): CompactBatch {
  return structuredClone(compact, { transfer: [bufferOf(compact)] });
}

function crossed(departure: Departure, arrival: Arrival, batch: Batch, thread: number): Batch {
  return arrival.batch(arrival.take(sent(departure.leave(batch)), thread), batch.schema, origin);
}

test("what comes out is what went in, from whichever thread and after whichever batch", () => {
  const many = fc.array(fc.record({ rows: batches, thread: fc.nat(2), resets: fc.boolean() }), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(many, (sequence) => {
      const departures = [new Departure(), new Departure(), new Departure()];
      const arrival = new Arrival();
      for (const { rows, thread, resets } of sequence) {
        const batch = batchOf(rows);
        const expected = told(batch);
        if (resets) {
          // One that gets lost on the way.
          departures[thread]!.leave(batch);
          departures[thread]!.reset();
        }
        const restored = crossed(departures[thread]!, arrival, batch, thread);
        expect(told(restored)).toEqual(expected);
        expect(restored.schema).toBe(batch.schema);
        // The batch that was copied is whole: nothing of it was transferred.
        expect(told(batch)).toEqual(expected);
      }
    }),
    { seed: 8, numRuns: 200 },
  );
});

/** One column of texts. */
function textsOf(cells: readonly Scalar[], selected: readonly boolean[] = cells.map(() => true)): Batch {
  return batchOf({ columns: [{ type: "string", cells }], selected, weights: false, origin: false });
}

test("a text crosses once, and only when a selected row has it", () => {
  const departure = new Departure();
  const newTexts = (batch: Batch): unknown => departure.leave(batch).columns[0]!.texts;
  const some = textsOf(["a", "b", null, "a", "c"], [true, false, true, true, false]);
  expect(newTexts(some)).toEqual({ first: 0, texts: ["a"] });
  expect(newTexts(textsOf(["c", "a", "b", "c"]))).toEqual({ first: 1, texts: ["c", "b"] });
  expect(newTexts(textsOf(["a", null]))).toEqual({ first: 3, texts: [] });
});

test("batches that were taken in may have their turns in any order", () => {
  const [departure, arrival] = [new Departure(), new Arrival()];
  const rounds = Array.from({ length: 6 }, (_, round) => textsOf([`${round}`, "always", `${round + 1}`]));
  const arrived = rounds.map((batch, round) => {
    // Half of them belong to a dictionary that is no longer the one of the thread.
    if (round === 3) departure.reset();
    return arrival.take(sent(departure.leave(batch)), 1);
  });
  for (const round of [5, 0, 3, 1, 4, 2]) {
    const batch = rounds[round]!;
    expect(told(arrival.batch(arrived[round]!, batch.schema, origin))).toEqual(told(batch));
  }
});

test("dictionaries that are full begin anew on either side", () => {
  const departures = [new Departure(), new Departure()];
  const arrival = new Arrival();
  const size = 30_000;
  for (let round = 0; round < 7; round++) {
    const batch = textsOf(Array.from({ length: size }, (_, place) => `text ${round * 20_000 + place}`));
    const [thread, last] = [round % 2, size - 1];
    const restored = crossed(departures[thread]!, arrival, batch, thread);
    const column = restored.columns[0]!;
    expect([0, 1, last].map((row) => valueAt(column, row))).toEqual(
      [0, 1, last].map((place) => `text ${round * 20_000 + place}`),
    );
    expect(column.dictionary!.size).toBeLessThan(limits.dictionary_entries_max + size);
  }
});

test("one column in two places crosses", () => {
  const batch = batchOf({
    columns: [{ type: "float64", cells: [1, null] }],
    selected: [true, true],
    weights: true,
    origin: true,
  });
  const twice = { ...batch, columns: [batch.columns[0]!, batch.columns[0]!] };
  expect(told(crossed(new Departure(), new Arrival(), twice, 1))).toEqual(told(twice));
});
