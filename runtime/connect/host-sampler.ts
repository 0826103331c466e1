// One look at this machine: reads what /proc and /sys have and turns it into readings. A file that is
// not there is a sensor that is not there. Linux only for most; elsewhere there are few readings.

import { readdir, readFile, statfs } from "node:fs/promises";
import { join } from "node:path";
import {
  cpuMeasures,
  loadMeasures,
  memoryMeasures,
  parseCpu,
  parseDisks,
  parseNetwork,
  rateMeasures,
  temperatureMeasure,
  type Counters,
  type Measure,
  type Reading,
} from "./host-readings.ts";

/** The kinds of readings there are. */
export const hostSensors = ["cpu", "load", "memory", "disk", "network", "temperature"] as const;
export type HostSensor = (typeof hostSensors)[number];

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return "";
  }
}

async function namesIn(path: string): Promise<readonly string[]> {
  try {
    return (await readdir(path)).sort();
  } catch {
    return [];
  }
}

export class HostSampler {
  readonly #sensors: readonly HostSensor[];
  readonly #root: string;
  #before: ReadonlyMap<string, Counters> = new Map();
  #after: Map<string, Counters> = new Map();
  #seconds = 0;
  #last = Number.NaN;

  /** `root` stands in front of /proc and /sys, as a container that watches its host has them elsewhere. */
  constructor(sensors: readonly HostSensor[], root = "/") {
    this.#sensors = sensors.length === 0 ? hostSensors : sensors;
    this.#root = root;
  }

  /** The readings at `now`. Rates and shares need an earlier look, by how time has passed since, so the first one gives none of those. */
  async sample(now: number, elapsed: number): Promise<readonly Reading[]> {
    this.#seconds = (elapsed - this.#last) / 1000;
    this.#last = elapsed;
    this.#before = this.#after;
    this.#after = new Map();
    const measures: Measure[] = [];
    for (const sensor of this.#sensors) measures.push(...(await this.#measure(sensor)));
    return measures.map((measure) => ({
      sensor: measure.sensor,
      name: measure.name,
      ts: now,
      value: measure.value,
      unit: measure.unit,
    }));
  }

  #measure(sensor: HostSensor): Promise<readonly Measure[]> | readonly Measure[] {
    switch (sensor) {
      case "cpu":
        return this.#counted("proc/stat", parseCpu, cpuMeasures);
      case "load":
        return textOf(join(this.#root, "proc/loadavg")).then(loadMeasures);
      case "memory":
        return textOf(join(this.#root, "proc/meminfo")).then(memoryMeasures);
      case "disk":
        return this.#disk();
      case "network":
        return this.#counted("proc/net/dev", parseNetwork, (before, after) =>
          rateMeasures("network", ["received", "sent"], before, after, this.#seconds),
        );
      default:
        return this.#temperatures();
    }
  }

  /** A file of counters against what it said the last time. */
  async #counted(
    path: string,
    parse: (text: string) => Counters,
    compare: (before: Counters, after: Counters) => Measure[],
  ): Promise<readonly Measure[]> {
    const counters = parse(await textOf(join(this.#root, path)));
    this.#after.set(path, counters);
    const before = this.#before.get(path);
    return before === undefined ? [] : compare(before, counters);
  }

  async #disk(): Promise<readonly Measure[]> {
    const rates = await this.#counted("proc/diskstats", parseDisks, (before, after) =>
      rateMeasures("disk", ["read", "written"], before, after, this.#seconds),
    );
    try {
      const { blocks, bfree, bavail } = await statfs(this.#root);
      const used = blocks - bfree;
      // As df does: the part that is reserved for root is neither used nor free.
      const value = Math.round((10_000 * used) / Math.max(1, used + bavail)) / 100;
      return [{ sensor: "disk", name: "used", value, unit: "percent" }, ...rates];
    } catch {
      return rates;
    }
  }

  async #temperatures(): Promise<readonly Measure[]> {
    const measures: (Measure | null)[] = [];
    const zones = join(this.#root, "sys/class/thermal");
    for (const zone of await namesIn(zones)) {
      if (!zone.startsWith("thermal_zone")) continue;
      const kind = (await textOf(join(zones, zone, "type"))).trim();
      const text = await textOf(join(zones, zone, "temp"));
      measures.push(temperatureMeasure(kind === "" ? zone : `${zone}.${kind}`, text));
    }
    const chips = join(this.#root, "sys/class/hwmon");
    for (const chip of await namesIn(chips)) {
      const kind = (await textOf(join(chips, chip, "name"))).trim();
      for (const file of await namesIn(join(chips, chip))) {
        const input = /^(temp\d+)_input$/.exec(file);
        if (input === null) continue;
        const label = (await textOf(join(chips, chip, `${input[1]}_label`))).trim();
        const name = `${chip}.${kind === "" ? "chip" : kind}.${label === "" ? input[1]! : label}`;
        measures.push(temperatureMeasure(name, await textOf(join(chips, chip, file))));
      }
    }
    return measures.filter((measure) => measure !== null);
  }
}
