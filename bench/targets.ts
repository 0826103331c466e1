// What is to be reached where engines are compared side by side, in one run. Measures nothing.

/** A factor between two engines on one workload. */
export interface Target {
  readonly workload: string;
  readonly engine: string;
  /** How many times faster than this one. */
  readonly than: string;
  readonly want: number;
}

export const targets: readonly Target[] = [
  { workload: "uc2", engine: "weir, from memory", than: "JSON.parse + Map", want: 8 },
  { workload: "uc2", engine: "weir", than: "DuckDB", want: 2.5 },
  { workload: "uc2", engine: "weir, 2 threads", than: "weir", want: 1.4 },
  { workload: "uc2", engine: "weir, 2 threads", than: "DuckDB, 2 threads", want: 2.5 },
  { workload: "filter", engine: "weir", than: "Node-RED", want: 100 },
  { workload: "readings", engine: "weir, from memory", than: "JSON.parse + Map", want: 6 },
];

/** What a record of one workload may cost weir, in records of another: by processor time, in one run. */
export interface CostTarget {
  readonly workload: string;
  readonly than: string;
  readonly want: number;
}

export const costTargets: readonly CostTarget[] = [{ workload: "q5", than: "q7", want: 3 }];
