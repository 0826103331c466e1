// UC4 by hand. Records are in order: one window is open at a time.

import { readFileSync } from "node:fs";
import { eachRecord, type Program } from "../../../engines/by-hand.ts";
import type { Emit } from "../../../side-by-side/engine.ts";
import type { PowerRecord } from "../power.ts";

const size_ms = 5_000;

/** By sensor, its building and its site. */
const places: ReadonlyMap<string, readonly [string, string]> = new Map(
  readFileSync(new URL("./hierarchy.csv", import.meta.url), "utf8")
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.split(",") as [string, string, string])
    .map(([sensor, building, site]) => [sensor, [building, site]]),
);

interface Group {
  count: number;
  sum: number;
}

function add(groups: Map<string, Group>, name: string, value: number): void {
  const group = groups.get(name);
  if (group === undefined) groups.set(name, { count: 1, sum: value });
  else {
    group.count++;
    group.sum += value;
  }
}

function send(groups: ReadonlyMap<string, Group>, window_start: number, emit: Emit): void {
  for (const [member_of, { count, sum }] of groups)
    emit(Buffer.from(JSON.stringify({ member_of, window_start, count, sum, mean: sum / count })));
}

function close(last: ReadonlyMap<string, number>, window_start: number, emit: Emit): void {
  const [buildings, sites, all] = [
    new Map<string, Group>(),
    new Map<string, Group>(),
    new Map<string, Group>(),
  ];
  const siteOf = new Map<string, string>();
  for (const [sensor, value] of last) {
    const [building, site] = places.get(sensor)!;
    siteOf.set(building, site);
    add(buildings, building, value);
  }
  for (const [building, { sum }] of buildings) add(sites, siteOf.get(building)!, sum);
  for (const { sum } of sites.values()) add(all, "all", sum);
  for (const groups of [buildings, sites, all]) send(groups, window_start, emit);
}

export const run: Program = (bytes, emit) => {
  const last = new Map<string, number>();
  let start = Number.NaN;
  eachRecord(bytes, (record) => {
    const { identifier, timestamp, valueInW } = record as PowerRecord;
    if (!(timestamp < start + size_ms)) {
      close(last, start, emit);
      last.clear();
      start = Math.floor(timestamp / size_ms) * size_ms;
    }
    last.set(identifier, valueInW);
  });
  close(last, start, emit);
};
