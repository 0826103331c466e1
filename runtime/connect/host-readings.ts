// What the kernel's text files say about a machine, as readings. Pure: text in, numbers out; the files are
// read elsewhere. A line that does not look as expected is left out, never guessed.

/** One value of one sensor. */
export interface Reading {
  readonly sensor: string;
  readonly name: string;
  /** ms since the epoch. */
  readonly ts: number;
  readonly value: number;
  readonly unit: string;
}

/** A reading without its time. */
export type Measure = Omit<Reading, "ts">;

/** Counters by name; what matters is how much they grew. */
export type Counters = ReadonlyMap<string, readonly number[]>;

/** `/proc/stat`: for `cpu` (all) and each `cpu<n>` the busy and the total ticks. */
export function parseCpu(text: string): Counters {
  const counters = new Map<string, readonly number[]>();
  for (const line of text.split("\n")) {
    const [name, ...fields] = line.trim().split(/\s+/);
    if (name === undefined || !/^cpu\d*$/.test(name)) continue;
    // user nice system idle iowait irq softirq steal; guest time is part of user time already
    const ticks = fields.slice(0, 8).map(Number);
    if (ticks.length < 4 || ticks.some(Number.isNaN)) continue;
    const total = ticks.reduce((sum, tick) => sum + tick, 0);
    counters.set(name, [total - ticks[3]! - (ticks[4] ?? 0), total]);
  }
  return counters;
}

/** The busy share of each core between two looks. */
export function cpuMeasures(before: Counters, after: Counters): Measure[] {
  const measures: Measure[] = [];
  for (const [name, [busy, total]] of after) {
    const [busyBefore, totalBefore] = before.get(name) ?? [];
    const ticks = total! - (totalBefore ?? Number.NaN);
    if (!(ticks > 0)) continue;
    const share = Math.min(100, Math.max(0, (100 * (busy! - busyBefore!)) / ticks));
    measures.push({ sensor: "cpu", name, value: rounded(share), unit: "percent" });
  }
  return measures;
}

/** `/proc/loadavg`: runnable tasks on average. */
export function loadMeasures(text: string): Measure[] {
  const values = text.trim().split(/\s+/).slice(0, 3).map(Number);
  if (values.length < 3 || values.some(Number.isNaN)) return [];
  return ["1m", "5m", "15m"].map((name, place) => ({
    sensor: "load",
    name,
    value: values[place]!,
    unit: "tasks",
  }));
}

/** `/proc/meminfo`: used share, available and free swap bytes. */
export function memoryMeasures(text: string): Measure[] {
  const kib = new Map<string, number>();
  for (const match of text.matchAll(/^(\w+):\s+(\d+) kB$/gm)) kib.set(match[1]!, Number(match[2]));
  const total = kib.get("MemTotal");
  const available = kib.get("MemAvailable");
  if (total === undefined || available === undefined || total === 0) return [];
  const measures: Measure[] = [
    { sensor: "memory", name: "used", value: rounded((100 * (total - available)) / total), unit: "percent" },
    { sensor: "memory", name: "available", value: available * 1024, unit: "bytes" },
  ];
  const swap = kib.get("SwapTotal");
  const swapFree = kib.get("SwapFree");
  if (swap !== undefined && swapFree !== undefined && swap > 0) {
    measures.push({
      sensor: "memory",
      name: "swap",
      value: rounded((100 * (swap - swapFree)) / swap),
      unit: "percent",
    });
  }
  return measures;
}

/** `/proc/net/dev`: received and sent bytes of each interface but loopback. */
export function parseNetwork(text: string): Counters {
  const counters = new Map<string, readonly number[]>();
  for (const match of text.matchAll(/^\s*([^\s:]+):\s*(\d+)(?:\s+\d+){7}\s+(\d+)/gm)) {
    if (match[1] !== "lo") counters.set(match[1]!, [Number(match[2]), Number(match[3])]);
  }
  return counters;
}

/** `/proc/diskstats`: read and written bytes of each whole disk. Partitions, loop and memory devices are left out. */
export function parseDisks(text: string): Counters {
  const counters = new Map<string, readonly number[]>();
  for (const line of text.split("\n")) {
    const fields = line.trim().split(/\s+/);
    const name = fields[2];
    if (name === undefined || !/^(?:sd[a-z]+|vd[a-z]+|xvd[a-z]+|nvme\d+n\d+|mmcblk\d+)$/.test(name)) continue;
    const sectors = [Number(fields[5]), Number(fields[9])];
    // The kernel counts sectors of 512 bytes whatever the disk has.
    if (!sectors.some(Number.isNaN))
      counters.set(
        name,
        sectors.map((count) => count * 512),
      );
  }
  return counters;
}

/** How fast two counters of each name grew. A counter that went back (a restart, an overflow) gives nothing. */
export function rateMeasures(
  sensor: string,
  kinds: readonly [string, string],
  before: Counters,
  after: Counters,
  seconds: number,
): Measure[] {
  const measures: Measure[] = [];
  if (!(seconds > 0)) return measures;
  for (const [name, values] of after) {
    const earlier = before.get(name);
    if (earlier === undefined) continue;
    for (const [place, kind] of kinds.entries()) {
      const grown = values[place]! - earlier[place]!;
      if (grown < 0) continue;
      measures.push({ sensor, name: `${name}.${kind}`, value: rounded(grown / seconds), unit: "bytes/s" });
    }
  }
  return measures;
}

/** A temperature file of `/sys`: thousandths of a degree. Null when the chip gives none or nonsense. */
export function temperatureMeasure(name: string, text: string): Measure | null {
  const value = Number(text.trim()) / 1000;
  if (text.trim() === "" || !Number.isFinite(value) || value < -100 || value > 250) return null;
  return { sensor: "temperature", name, value: rounded(value), unit: "celsius" };
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
