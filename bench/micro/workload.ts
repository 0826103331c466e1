// What a micro-benchmark is: several ways to do the same to some records. Types only.

/** One way to do something. */
export interface Way {
  readonly engine: string;
  /** What it makes of the records, as text: equal for all ways of a workload. */
  answer(): string;
  /** Does it once; only this is timed. */
  run(): unknown;
}

export interface Workload {
  readonly name: string;
  /** Handled by one run. */
  readonly records: number;
  readonly ways: readonly Way[];
  /** How many times as fast as the first way others are to be. */
  readonly wanted?: readonly { readonly engine: string; readonly times: number }[];
}
