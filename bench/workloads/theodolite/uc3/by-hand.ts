// UC3 by hand, as one would write it first: a record goes into each of its thirty windows. Records are in order.

import { eachRecord, type Program } from "../../../engines/by-hand.ts";
import type { PowerRecord } from "../power.ts";
import { add, begin, members, type Statistics } from "../statistics.ts";

const day_ms = 86_400_000;
const days = 30;
const hours = new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/Paris", hour: "numeric" });

interface Group {
  readonly identifier: string;
  readonly hour: number;
  readonly statistics: Statistics;
}

export const run: Program = (bytes, emit) => {
  const open = new Map<number, Map<string, Group>>();
  const close = (first: number): void => {
    const window_start = first * day_ms;
    for (const { identifier, hour, statistics } of open.get(first)!.values()) {
      const row = { window_start, window_end: window_start + days * day_ms, identifier, hour };
      emit(Buffer.from(JSON.stringify({ ...row, ...members(statistics) })));
    }
    open.delete(first);
  };
  // The hour is asked for once an hour: it changes at no other time there.
  let asked = Number.NaN;
  let hour = 0;
  eachRecord(bytes, (record) => {
    const { identifier, timestamp, valueInW } = record as PowerRecord;
    if (Math.floor(timestamp / 3_600_000) !== asked) {
      asked = Math.floor(timestamp / 3_600_000);
      hour = Number(hours.format(timestamp));
    }
    const day = Math.floor(timestamp / day_ms);
    for (const first of open.keys()) if (first <= day - days) close(first);
    const key = `${identifier} ${hour}`;
    for (let first = day - days + 1; first <= day; first++) {
      let groups = open.get(first);
      if (groups === undefined) open.set(first, (groups = new Map<string, Group>()));
      let group = groups.get(key);
      if (group === undefined) groups.set(key, (group = { identifier, hour, statistics: begin() }));
      add(group.statistics, valueInW);
    }
  });
  for (const first of open.keys()) close(first);
};
