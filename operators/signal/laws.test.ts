// What every operator of signals and conditions has to keep to: nothing is lost or counted twice when a
// table is full, and nothing that comes behind it depends on how records are cut into batches.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { catalog } from "../catalog.ts";
import { Counting, withSmallTables } from "./small-tables.fixture.ts";
import { type Reading, readings, run } from "./stream.fixture.ts";

const settings: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ["deadband", { value: "x", band: 1, every: "30ms" }],
  ["throttle", { every: "20ms" }],
  ["throttle", { every: "20ms", keep: "last" }],
  ["sample", { every: 3 }],
  ["sample", { share: 0.9 }],
  ["dedup", { within: "20ms" }],
  ["rate", { value: "x" }],
  ["previous", { values: { before: "x" } }],
  ["ewma", { value: "x", half_life: "20ms" }],
  ["outlier", { value: "x", last: 5 }],
  ["outlier", { value: "x", last: 5, action: "drop" }],
  ["hold", { when: "x > 0.0", for: "15ms" }],
  ["absence", { for: "15ms", returns: true }],
  ["pattern", { sequence: ["x > 0.0", "x < 0.0"], within: "40ms" }],
  ["pattern", { sequence: ["x > 0.0"], absent: "x < -4.0", within: "25ms" }],
  ["swinging_door", { value: "x", band: 2, max: "50ms" }],
  ["lttb", { value: "x", readings: 6, points: 3, within: "60ms" }],
  ["top", { value: "x", count: 2, every: "30ms" }],
];

function definitionOf(name: string): (typeof catalog)[number] {
  return catalog.find((each) => each.name === name)!;
}

describe.each(settings.map(([name, setting]) => ({ name, setting, title: JSON.stringify(setting) })))(
  "$name $title",
  ({ name, setting }) => {
    const definition = definitionOf(name);
    const config = { ...setting, by: "key" };

    test("a window behind it gives the same rows however records are cut, and each once", () => {
      let rowsInAll = 0;
      fc.assert(
        fc.property(fc.constantFrom(0, 15), readings(), (lateness, all) => {
          const steps = [
            [definitionOf("filter"), "x != 1.0"],
            [definition, config],
            [definitionOf("window"), { tumbling: "20ms", by: "key", select: { n: "count()" } }],
          ] as const;
          const { rows, held } = run({ steps, lateness }, all);
          const windows = rows.map((row) => `${row["window_start"] as number} ${row.key}`);
          expect(new Set(windows).size).toBe(windows.length);
          expect(held).toBe(0);
          rowsInAll += rows.length;
        }),
        { seed: 17, numRuns: 15 },
      );
      expect(rowsInAll).toBeGreaterThan(0);
    });

    test("rows that stand for many records are counted with their weight", () => {
      fc.assert(
        fc.property(readings(), (all) => {
          const select = { x: "last(x)", n: "count()" };
          const steps = [
            [definitionOf("window"), { tumbling: "4ms", by: "key", select }],
            [definition, config],
          ] as const;
          const { ledger, held } = run({ steps, lateness: 15 }, all);
          expect(held).toBe(0);
          expect(Object.values(ledger).every((records) => Number.isInteger(records))).toBe(true);
        }),
        { seed: 18, numRuns: 15 },
      );
    });

    test("records of keys that have no room are counted, and the others are not touched", () => {
      const { operator, batch, held } = withSmallTables(definition, config, 3);
      const out = new Counting();
      const all: Reading[] = Array.from({ length: 90 }, (_, n) => ({
        n,
        key: "abcde"[n % 5]!,
        ts: n,
        x: (n * 7) % 11,
      }));
      for (let from = 0; from < all.length; from += 45) {
        operator.onBatch(
          batch(all.slice(from, from + 45), ({ ts }) => ts - 1),
          out.begin(),
        );
        operator.onWatermark?.(from + 44, out);
        const left = Object.values(out.ledger).reduce((total, records) => total + records, 0);
        expect(out.out + held() + left).toBe(from + 45);
      }
      operator.onWatermark?.(Number.POSITIVE_INFINITY, out);
      expect(held()).toBe(0);
      expect(out.ledger.overflow).toBe(36);
    });
  },
);

test("dedup forgets keys: a table far smaller than the stream is never full, and no duplicate passes", () => {
  const config = { by: "key", sequence: "n", within: "2s" };
  const { operator, batch } = withSmallTables(definitionOf("dedup"), config, 60_000);
  const out = new Counting();
  const size = 1000;
  // Of each thousand the first is ten seconds ahead, and comes again eight seconds later.
  const sent = Array.from({ length: 200_000 }, (_, n) => ({
    n,
    key: "a",
    ts: n % size === 0 ? n + 10_000 : n,
    x: 0,
  }));
  for (let from = 0; from < sent.length; from += size) {
    const some = sent.slice(from, from + size);
    const ahead = from < 8 * size ? [] : [sent[from - 8 * size]!];
    operator.onBatch(
      batch(some, () => from - 1),
      out.begin(),
    );
    operator.onBatch(
      batch([...some, ...ahead], () => from - 1),
      out.begin(),
    );
    operator.onWatermark?.(from + size - 1, out);
  }
  expect(out.out).toBe(200_000);
  expect(out.ledger).toEqual({ duplicate: 200_192 });
});
