// The filter with RxJS: every line is an item.

import { filter, from, map } from "rxjs";
import { eachLine, type Program } from "../../../engines/by-hand.ts";

export const run: Program = (bytes, emit) =>
  from(eachLine(bytes))
    .pipe(
      map((line) => JSON.parse(line) as { temperature: number }),
      filter(({ temperature }) => temperature > 50),
      map((record) => Buffer.from(JSON.stringify(record))),
    )
    .forEach(emit);
