// What the engines are compared on: a stream that a seed makes, and what a right answer is. How each engine
// answers stands in the workload's own folder. Measures nothing and knows no engine.

/** A row as an engine gave it, field by field. */
export type Row = Readonly<Record<string, unknown>>;

export interface Workload {
  /** Also its folder below its suite's. */
  readonly name: string;
  /** Who defined it: a folder of `workloads/`. */
  readonly suite: string;
  readonly about: string;
  /** Records of a full run; a quick one takes a tenth. */
  readonly records: number;
  /** The stream: records as JSON texts without line ends. The same for the same number on every machine. */
  readonly stream: (records: number) => Iterable<string>;
  /** A row as text, equal for rows that mean the same: numbers that engines may round differently are rounded. */
  readonly canonical: (row: Row) => string;
}

/** The folder of a workload's programs. */
export function folderOf({ suite, name }: Workload): URL {
  return new URL(`../workloads/${suite}/${name}/`, import.meta.url);
}

/** Where a digit is cut off: not at a half, where values that are exact meet and rounding errors would decide. */
const cut = 0.381_966;

/** A number as text with as many digits as every engine gets right. */
export function rounded(value: unknown, decimals = 6): string {
  return String(Math.floor(Number(value) * 10 ** decimals + cut));
}
