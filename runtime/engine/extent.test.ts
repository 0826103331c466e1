// What the built-in operators say that they hold at most, held against what they do hold: panes and parts
// are counted as they open and close, kept records by the table. One key, so that the figure is a key's.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { catalog } from "../../operators/catalog.ts";
import type {
  Operator,
  OperatorDefinition,
  PaneTable,
  PartTable,
  TableDeclarations,
  Tables,
} from "../../operators/sdk/index.ts";
import { Harness } from "../testing/harness.ts";
import { planOf, sink, source } from "./engine.fixture.ts";

const lateness = 30;

/** By table, the most that was open or kept at the end of a call. */
type Peaks = Map<string, number>;

/** The table, with what is open in `open`. */
function watched(table: PaneTable | PartTable, open: Set<number>): PaneTable | PartTable {
  return new Proxy(table, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== "function") return value;
      return (...given: unknown[]): unknown => {
        const answer: unknown = Reflect.apply(value, target, given);
        if (property === "pane") open.add(given[0] as number);
        if (property === "open") open.add(answer as number);
        if (property === "free") open.delete(given[0] as number);
        if (property === "close")
          for (const start of open) if (start <= (given[0] as number)) open.delete(start);
        return answer;
      };
    },
  });
}

/** The same operator, which notes what its tables hold when event time has moved on. */
function watching(definition: OperatorDefinition, peaks: Peaks): OperatorDefinition {
  return {
    ...definition,
    name: "watched",
    create(config, context) {
      const sizes = new Map<string, () => number>();
      const tables = Object.entries(context.state).map(([name, table]): [string, unknown] => {
        if (!("states" in table)) {
          sizes.set(name, () => table.held);
          return [name, table];
        }
        const open = new Set<number>();
        sizes.set(name, () => open.size);
        return [name, watched(table, open)];
      });
      const state = Object.fromEntries(tables) as Tables<TableDeclarations>;
      const operator: Operator = definition.create(config, { ...context, state });
      return {
        onBatch: (batch, out) => operator.onBatch(batch, out),
        onWatermark(watermark, out) {
          operator.onWatermark?.(watermark, out);
          for (const [name, size] of sizes) peaks.set(name, Math.max(peaks.get(name) ?? 0, size()));
        },
      };
    },
  };
}

const select = { n: "count()" };
const steps: readonly (readonly [string, object])[] = [
  ["window", { tumbling: "10ms", select }],
  ["window", { tumbling: "25ms", offset: "3ms", select }],
  ["window", { tumbling: "40ms", emit: { early: "10ms" }, select }],
  ["window", { calendar: { unit: "hour" }, select }],
  ["window", { tumbling: "20ms", emit: { updates: "50ms" }, select }],
  ["window", { tumbling: "20ms", gaps: "last", select }],
  ["window", { hopping: { size: "30ms", every: "10ms" }, emit: { early: "5ms" }, select }],
  ["window", { hopping: { size: "25ms", every: "10ms" }, emit: { updates: "15ms" }, select }],
  ["window", { session: { gap: "4ms" }, emit: { updates: "20ms" }, select }],
  ["window", { hopping: { size: "30ms", every: "10ms" }, select }],
  ["window", { hopping: { size: "25ms", every: "10ms" }, select }],
  ["window", { cumulate: { step: "10ms", max: "40ms" }, select }],
  ["window", { session: { gap: "4ms" }, select }],
  ["window", { session: { gap: "9ms", max: "5ms" }, select }],
  ["window", { count: { n: 7, every: 3 }, select }],
  ["window", { count: { n: 4 }, select }],
  ["window", { sliding: "20ms", select }],
  ["window", { state: { open: "temp > 3", close: "temp < -3" }, select }],
  ["reorder", {}],
  ["hold", { when: "temp > 0", for: "7ms" }],
  ["absence", { for: "7ms" }],
  ["pattern", { sequence: ["temp > 3", "temp < 0"], absent: "temp == 0", within: "9ms" }],
  ["throttle", { every: "9ms", keep: "last" }],
  ["swinging_door", { value: "temp", band: 2 }],
  ["lttb", { value: "temp", readings: 5, points: 3 }],
  ["top", { value: "temp", count: 2, every: "10ms" }],
];

const readings = fc.array(
  fc.record({ ts: fc.integer({ min: 0, max: 200 }), temp: fc.integer({ min: -5, max: 5 }) }),
  { minLength: 1, maxLength: 60 },
);

test.each(steps)("%s %j", (name, settings) => {
  const definition = catalog.find((each) => each.name === name)!;
  const peaks: Peaks = new Map();
  const plan = planOf(
    {
      source: { ...source, time: { field: "ts", lateness: `${lateness}ms` } },
      limits: { rate: "1000/s" },
      steps: [{ watched: settings }, sink],
    },
    [watching(definition, peaks)],
  );
  const { config } = plan.steps[0]!;
  const declared = definition.state(config);
  fc.assert(
    fc.property(readings, (sent) => {
      peaks.clear();
      const harness = new Harness(plan);
      for (const reading of sent) harness.record({ device: "a", ...reading });
      harness.finish();
      for (const [table, peak] of peaks) {
        const declaration = declared[table]!;
        const { perKey, within } = declaration.kind === "values" ? {} : (declaration.extent ?? {});
        const span = within?.(lateness) ?? -1;
        // As many records as come within that time in the worst case: all of the stream's.
        const records =
          span < 0
            ? 0
            : mostWithin(
                sent.map(({ ts }) => ts),
                span,
              );
        expect(peak).toBeLessThanOrEqual((perKey?.(lateness) ?? 0) + records);
      }
    }),
    { seed: 5, numRuns: 60 },
  );
  expect(peaks.size).toBeGreaterThan(0);
});

/** The most of `times` that lie within a span of so many ms. */
function mostWithin(times: readonly number[], span: number): number {
  return Math.max(...times.map((from) => times.filter((time) => time >= from && time <= from + span).length));
}
