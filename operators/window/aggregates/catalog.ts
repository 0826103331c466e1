// Every built-in aggregate, one line each. The only list of them.

import type { AggregateDefinition } from "weir/sdk";
import { argMax, argMin } from "./arg-extreme.ts";
import { collect } from "./collect.ts";
import { corr } from "./comoments.ts";
import { count } from "./count.ts";
import { countDistinct } from "./count-distinct.ts";
import { delta, first, last } from "./ends.ts";
import { ewma } from "./ewma.ts";
import { median, quantileExact } from "./exact-quantile.ts";
import { max, min, range } from "./extremes.ts";
import { histogram } from "./histogram.ts";
import { integral, rate, timeMean } from "./path.ts";
import { merge, quantile, sketch } from "./quantile.ts";
import { mergeDistinct, sketchDistinct } from "./sketch-distinct.ts";
import { mergeTop, sketchTop } from "./sketch-top.ts";
import { slope } from "./slope.ts";
import { stddev, stddevPop, variance, variancePop } from "./spread.ts";
import { mean, sum } from "./sums.ts";
import { mode, topK } from "./top-k.ts";

export const aggregates: readonly AggregateDefinition[] = [
  count,
  sum,
  mean,
  min,
  max,
  range,
  first,
  last,
  delta,
  stddev,
  variance,
  stddevPop,
  variancePop,
  median,
  quantile,
  quantileExact,
  countDistinct,
  mode,
  topK,
  histogram,
  argMin,
  argMax,
  collect,
  rate,
  integral,
  timeMean,
  ewma,
  slope,
  corr,
  sketch,
  merge,
  sketchDistinct,
  mergeDistinct,
  sketchTop,
  mergeTop,
];
