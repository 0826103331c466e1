// The numbered records that a fault run feeds, and what must become of them. Pure: a record is a function of its number, so
// that nobody has to remember what was sent.

/** One record, as a line of JSON says it. */
export interface NumberedRecord {
  readonly device: string;
  /** The number; records are published in its order. */
  readonly seq: number;
  readonly ts: number;
  readonly value: number;
}

export const devices = 8;
/** Windows are this long, ms. */
export const window_ms = 1_000;
/** How far a record's time may be from its place in the order, either way; less than half of the pipeline's lateness. */
const jitter_ms = 400;
const start = Date.UTC(2024, 0, 1);
/** Rows with a smaller value go to the third chain: one in a hundred. */
export const sampledBelow = 10;

export function recordAt(seq: number): NumberedRecord {
  const scrambled = (Math.imul(seq + 1, 0x9e3779b1) ^ (seq >>> 3)) >>> 0;
  return {
    device: `d${seq % devices}`,
    seq,
    ts: start + seq + ((scrambled >>> 10) % (2 * jitter_ms)) - jitter_ms,
    value: scrambled % 1_000,
  };
}

/** The last record of a run: so late in event time that all windows before it are closed, and proof that rows still come. */
export function probeAt(seq: number): NumberedRecord {
  return { device: "probe", seq, ts: start + seq + 60_000, value: 0 };
}

/** Records from `first` up to `end`, as the lines of one message. */
export function linesOf(first: number, end: number): string {
  const lines: string[] = [];
  for (let seq = first; seq < end; seq++) lines.push(JSON.stringify(recordAt(seq)));
  return `${lines.join("\n")}\n`;
}

export interface WindowSum {
  n: number;
  total: number;
}

/** By device and beginning, the windows that hold `records`. */
export class Windows {
  readonly sums: Map<string, WindowSum> = new Map<string, WindowSum>();

  add({ device, ts, value }: NumberedRecord): void {
    const key = windowKey(device, Math.floor(ts / window_ms) * window_ms);
    const sum = this.sums.get(key);
    if (sum === undefined) this.sums.set(key, { n: 1, total: value });
    else {
      sum.n++;
      sum.total += value;
    }
  }
}

export function windowKey(device: string, begin: number): string {
  return `${device} ${begin}`;
}
