// One batch of columns into the open windows of a thousand devices: the operator with its stage and its
// tables, against a loop over the same columns with a Map of objects.

import type { Batch, Column } from "../../operators/sdk/index.ts";
import { linkChain } from "../../runtime/engine/chain.ts";
import { trunkOf } from "../../runtime/pipeline/trunk.ts";
import { Ledger } from "../../runtime/engine/ledger.ts";
import type { PipelinePlan } from "../../runtime/pipeline/pipeline.ts";
import type { Way, Workload } from "./workload.ts";
import { planOf, readingsBatch } from "./readings-batch.ts";

const size_ms = 60_000;
/** Columns of a row that come out the same however sums are made: the window, the device, `n`, `min`, `max`. */
const comparable = 6;

function windowPlan(select: string): PipelinePlan {
  return planOf(`- window: { tumbling: 1m, by: device, select: { ${select} } }`);
}

function valueOf(column: Column, row: number): string {
  return column.dictionary === null
    ? String(column.values[row])
    : column.dictionary.text(column.values[row] as number);
}

function operator(plan: PipelinePlan, batch: Batch): Way {
  const rows: string[] = [];
  const open = (): ReturnType<typeof linkChain> =>
    linkChain(trunkOf(plan).trunk, new Ledger(), () => {}, {
      onBatch: ({ columns, count }) => {
        for (let row = 0; row < count; row++)
          rows.push(
            columns
              .slice(0, comparable)
              .map((column) => valueOf(column, row))
              .join(" "),
          );
      },
      onWatermark: () => {},
    });
  const kept = open();
  return {
    engine: "window",
    answer: () => {
      const chain = open();
      chain.first.onBatch(batch);
      chain.first.onWatermark(Number.POSITIVE_INFINITY);
      return rows.splice(0).join("\n");
    },
    run: () => kept.first.onBatch(batch),
  };
}

interface Total {
  n: number;
  sum: number;
  min: number;
  max: number;
}

/** `n`, `sum`, `min`, `max` and `mean` over the columns device, ts and temp of the plan. */
function map(plan: PipelinePlan, batch: Batch): Way {
  const column = (name: string): Column =>
    batch.columns[plan.schema.fields.findIndex((field) => field.name === name)]!;
  const device = column("device");
  const [times, temps] = [column("ts").values as Float64Array, column("temp").values as Float64Array];
  const add = (windows: Map<number, Map<string, Total>>): void => {
    for (let row = 0; row < batch.count; row++) {
      const start = Math.floor(times[row]! / size_ms) * size_ms;
      let totals = windows.get(start);
      if (totals === undefined) windows.set(start, (totals = new Map()));
      const key = device.dictionary!.text(device.values[row] as number);
      const temp = temps[row]!;
      const total = totals.get(key);
      if (total === undefined) {
        totals.set(key, { n: 1, sum: temp, min: temp, max: temp });
        continue;
      }
      total.n++;
      total.sum += temp;
      total.min = Math.min(total.min, temp);
      total.max = Math.max(total.max, temp);
    }
  };
  const kept = new Map<number, Map<string, Total>>();
  const answer = (): string => {
    const windows = new Map<number, Map<string, Total>>();
    add(windows);
    return [...windows]
      .flatMap(([start, totals]) =>
        [...totals].map(([key, { n, min, max }]) => `${start} ${start + size_ms} ${key} ${n} ${min} ${max}`),
      )
      .join("\n");
  };
  return { engine: "Map of objects", answer, run: () => add(kept) };
}

export function windowAdd(): readonly Workload[] {
  const five = windowPlan("n: count(), min: min(temp), max: max(temp), sum: sum(temp), mean: mean(temp)");
  const batch = readingsBatch(five);
  const quantiles = windowPlan("p50: quantile(temp, 0.5), p99: quantile(temp, 0.99)");
  return [
    {
      name: "window add, five aggregates",
      records: batch.count,
      ways: [operator(five, batch), map(five, batch)],
    },
    {
      name: "window add, two quantiles",
      records: batch.count,
      ways: [operator(quantiles, readingsBatch(quantiles))],
    },
  ];
}
