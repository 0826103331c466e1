// What overlapping windows are to send, told from their definition in the plainest way: what the benchmark
// holds the operator to before it is timed. Never fast.

/** Of one key and window: how many readings, the smallest and the largest. */
export interface Aggregated {
  readonly device: string;
  /** Where the window ends, ms. */
  readonly end: number;
  readonly n: number;
  readonly min: number;
  readonly max: number;
}

export interface Reading {
  readonly device: string;
  readonly ts: number;
  readonly temp: number;
}

function aggregated(device: string, end: number, readings: readonly Reading[]): Aggregated {
  const values = readings.map(({ temp }) => temp);
  return { device, end, n: values.length, min: Math.min(...values), max: Math.max(...values) };
}

/** Windows of `size` ms, one beginning each `every` ms since the epoch. */
export function hoppingOf(readings: readonly Reading[], size: number, every: number): Aggregated[] {
  const windows = new Map<string, Reading[]>();
  for (const reading of readings) {
    const last = Math.floor(reading.ts / every) * every;
    for (let start = last; start > reading.ts - size; start -= every) {
      const name = `${start + size} ${reading.device}`;
      const own = windows.get(name);
      if (own === undefined) windows.set(name, [reading]);
      else own.push(reading);
    }
  }
  return [...windows].map(([name, own]) => aggregated(own[0]!.device, Number.parseInt(name, 10), own));
}

/** For each reading, those of its key in the `length` ms up to it. Readings are in order of time. */
export function slidingOf(readings: readonly Reading[], length: number): Aggregated[] {
  return readings.map(({ device, ts }, place) => {
    const own = readings.slice(0, place + 1).filter((each) => each.device === device);
    return aggregated(
      device,
      ts,
      own.filter((each) => each.ts > ts - length),
    );
  });
}

/** The first row that one has and the other has not, in no order; null when they are the same. */
export function differenceOf(a: readonly Aggregated[], b: readonly Aggregated[]): string | null {
  const [left, right] = [a, b].map((rows) => rows.map((row) => JSON.stringify(row)).sort()) as [
    string[],
    string[],
  ];
  for (let place = 0; place < Math.max(left.length, right.length); place++)
    if (left[place] !== right[place]) return `${left[place] ?? "no row"} and ${right[place] ?? "no row"}`;
  return null;
}
