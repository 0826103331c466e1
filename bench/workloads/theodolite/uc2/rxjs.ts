// UC2 as RxJS is used for it: every record is an item; minutes and sensors are groups.

import { from, groupBy, last, map, mergeMap, scan } from "rxjs";
import { eachLine, type Program } from "../../../engines/by-hand.ts";
import type { PowerRecord } from "../power.ts";
import { add, begin, members } from "../statistics.ts";

const size_ms = 60_000;

export const run: Program = (bytes, emit) =>
  from(eachLine(bytes))
    .pipe(
      map((line) => JSON.parse(line) as PowerRecord),
      groupBy(({ timestamp }) => Math.floor(timestamp / size_ms) * size_ms),
      mergeMap((minute) =>
        minute.pipe(
          groupBy(({ identifier }) => identifier),
          mergeMap((sensor) =>
            sensor.pipe(
              scan((statistics, { valueInW }) => {
                add(statistics, valueInW);
                return statistics;
              }, begin()),
              last(),
              map((statistics) => ({
                window_start: minute.key,
                window_end: minute.key + size_ms,
                identifier: sensor.key,
                ...members(statistics),
              })),
            ),
          ),
        ),
      ),
      map((row) => Buffer.from(JSON.stringify(row))),
    )
    .forEach(emit);
