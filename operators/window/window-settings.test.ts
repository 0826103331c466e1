// What a window step may ask for, and what it is told when it asks for something else.

import { describe, expect, test } from "vitest";
import { limits } from "../../runtime/limits.ts";
import { loadPipeline } from "../../runtime/pipeline/load.ts";
import {
  gapWindowsMax,
  lengthMax,
  overlapMax,
  programsMax,
  rowsAtOnceMax,
  shiftsMax,
  stepsMax,
} from "./bounds.ts";
import { filter } from "../filter/filter.ts";
import { window } from "./window.ts";

/** The messages of a pipeline whose one step has `settings`, each with the line at which it points. */
function messagesOf(settings: string): string[] {
  const content = `name: w
source: { file: { path: in.ndjson }, format: json, schema: { ts: time, x: float64 }, time: { field: ts } }
limits: { rate: 100/s }
steps:
  - window: { ${settings}select: { n: count() } }
  - sink: { stdout: {}, format: json }
`;
  const { diagnostics } = loadPipeline({ file: "w.yaml", content, catalogue: [window] });
  return diagnostics.map(({ message }) => message);
}

test("every kind is taken", () => {
  for (const kind of [
    "tumbling: 1m, offset: 10s, ",
    "tumbling: 36500d, ",
    "tumbling: 1m, emit: final, ",
    "tumbling: 1m, emit: { early: 5s }, ",
    "tumbling: 1m, emit: { updates: 10m }, ",
    "tumbling: 1m, gaps: skip, emit: { early: 5s }, ",
    "tumbling: 1m, gaps: zero, ",
    "tumbling: 1m, gaps: null, ",
    "hopping: { size: 1h, every: 7m }, offset: 1s, ",
    "hopping: { size: 1h, every: 7m }, emit: { early: 10m }, ",
    "hopping: { size: 1h, every: 7m }, emit: { updates: 1d }, ",
    "hopping: { size: 1h, every: 7m }, gaps: interpolate, ",
    "cumulate: { step: 1m, max: 1d }, ",
    "session: { gap: 10s }, ",
    "session: { gap: 10s, max: 1h }, ",
    "session: { gap: 10s }, emit: { early: 1s }, ",
    "session: { gap: 10s }, emit: { updates: 1d }, ",
    "count: { n: 10 }, ",
    "count: { n: 1000, every: 1 }, ",
    "sliding: 5m, ",
    "state: { open: x > 1.0, close: x < 0.0 }, ",
    "state: { open: x > 1.0, close: x < 0.0 }, emit: { early: 1m }, ",
    "calendar: { unit: month }, ",
    "calendar: { unit: month }, emit: { early: 1h }, ",
    "calendar: { unit: hour }, emit: { updates: 1d }, ",
    "calendar: { unit: day }, gaps: last, ",
    'calendar: { shifts: { day: "06:00", night: "18:30" }, zone: Asia/Tokyo }, ',
  ])
    expect([kind, messagesOf(kind)]).toEqual([kind, []]);
});

describe("refused", () => {
  test.each([
    ["", "window needs one of tumbling, hopping, cumulate, session, count, sliding, state, calendar"],
    ["tumbling: 1m, sliding: 1m, ", "sliding stands beside tumbling: keep one of them"],
    ["tumbling: 0s, ", "a window is at least 1ms long: write a longer time"],
    ["tumbling: 99999999999999d, ", "a window is at most 36500d long, a hundred years: write a shorter time"],
    ["tumbling: 1.5ms, ", "windows are cut at whole milliseconds: write a multiple of 1ms"],
    [
      "tumbling: -1s, ",
      'expected a duration such as 500ms, 10s, 1m30s or 2h, got "-1s"; a length of time is never negative: leave the minus out',
    ],
    ["hopping: { size: 1m, every: 0s }, ", "a window is at least 1ms long: write a longer time"],
    [
      "hopping: { size: 1m, every: 2m }, ",
      "windows further apart than they are long leave records out: make every at most size",
    ],
    [
      "hopping: { size: 1h, every: 1s }, ",
      "a record would be in 3600 windows; the most is 1000: make every longer",
    ],
    [
      "cumulate: { step: 7m, max: 1h }, ",
      "the full length is no multiple of the step: make max a multiple of step",
    ],
    [
      "cumulate: { step: 1s, max: 1d }, ",
      "the window would grow in 86400 steps; the most is 10000: make the step longer",
    ],
    ["session: { gap: 0s }, ", "a window is at least 1ms long: write a longer time"],
    ["count: { n: 0 }, ", "expected at least 1, got 0"],
    [
      "count: { n: 5, every: 6 }, ",
      "windows further apart than they are long leave records out: make every at most n",
    ],
    [
      "count: { n: 5000, every: 1 }, ",
      "a record would be in 5000 windows; the most is 1000: make every larger",
    ],
    [
      "tumbling: 1m, emit: { early: 7s }, ",
      "the window is no multiple of this: make tumbling a multiple of early",
    ],
    [
      "tumbling: 1d, emit: { early: 1s }, ",
      "the window would be sent 86400 times; the most is 10000: make early longer",
    ],
    ["tumbling: 1m, emit: { early: 0s }, ", "a window is at least 1ms long: write a longer time"],
    [
      "tumbling: 1m, emit: { updates: -1s }, ",
      'expected a duration such as 500ms, 10s, 1m30s or 2h, got "-1s"; a length of time is never negative: leave the minus out',
    ],
    ["tumbling: 1m, emit: {}, ", "emit needs one of early and updates, or the word final"],
    [
      "tumbling: 1m, emit: { early: 1s, updates: 1m }, ",
      "emit needs one of early and updates, or the word final",
    ],
    [
      "hopping: { size: 24h, every: 1ms }, ",
      "a record would be in 86400000 windows; the most is 1000: make every longer",
    ],
    [
      "hopping: { size: 1h, every: 1m }, emit: { early: 1s }, ",
      "the window would be sent 3600 times; the most is 1000: make early longer",
    ],
    [
      "calendar: { unit: month }, emit: { early: 1m }, ",
      "the window would be sent 44700 times; the most is 10000: make early longer",
    ],
    [
      "tumbling: 1s, emit: { updates: 1d }, ",
      "86400 windows of each key would be kept; the most is 10000: make updates shorter",
    ],
    [
      "cumulate: { step: 1m, max: 1h }, emit: { early: 7s }, ",
      "cumulating windows are sent at each step already: leave early out",
    ],
    [
      "count: { n: 5 }, emit: { early: 7s }, ",
      "windows of count end with a record, not with time: leave early out",
    ],
    [
      "sliding: 5m, emit: { early: 7s }, ",
      "sliding windows have a row for every record already: leave early out",
    ],
    [
      "cumulate: { step: 1m, max: 1h }, emit: { updates: 7s }, ",
      "cumulating windows are not sent again: use tumbling, or make the source's lateness longer",
    ],
    ["count: { n: 5 }, emit: { updates: 7s }, ", "no record is late for windows of count: leave updates out"],
    [
      "sliding: 5m, emit: { updates: 7s }, ",
      "a sliding row belongs to one record and is not sent again: make the source's lateness longer",
    ],
    [
      "state: { open: x > 1.0, close: x < 0.0 }, emit: { updates: 7s }, ",
      "state windows take records in event time and are not sent again: make the source's lateness longer",
    ],
    [
      "tumbling: 1m, emit: { early: 10s }, gaps: zero, ",
      "gaps are filled where windows are sent once: leave out either gaps or emit",
    ],
    [
      "cumulate: { step: 1m, max: 1h }, gaps: zero, ",
      "cumulating windows repeat what they hold at each step: leave gaps out",
    ],
    [
      "session: { gap: 7s }, gaps: zero, ",
      "a session begins with a record, so that none is empty: leave gaps out",
    ],
    ["count: { n: 5 }, gaps: zero, ", "windows of count are never empty: leave gaps out"],
    ["sliding: 5m, gaps: zero, ", "sliding windows are never empty: leave gaps out"],
    [
      "state: { open: x > 1.0, close: x < 0.0 }, gaps: last, ",
      "a state window begins with a record, so that none is empty: leave gaps out",
    ],
    ["tumbling: 1m, gaps: fill, ", 'expected skip, zero, null, last or interpolate, got the text "fill"'],
    ["sliding: 1m, offset: 1s, ", "sliding windows have no offset: leave it out"],
    [
      "calendar: { unit: day, zone: Europe/Berln }, ",
      "there is no such time zone: write one of the IANA list, such as Europe/Berlin or UTC",
    ],
    ["calendar: { zone: UTC }, ", "calendar needs one of unit and shifts"],
    ['calendar: { unit: day, shifts: { a: "06:00" } }, ', "calendar needs one of unit and shifts"],
    ["calendar: { shifts: {} }, ", "a day has from 1 to 24 shifts, not 0"],
    [
      'calendar: { shifts: { a: "06:00", b: "06:00" } }, ',
      "two shifts begin at the same time: give each one of its own",
    ],
    ['calendar: { shifts: { a: "24:00" } }, ', 'expected a time of day such as "06:00", in quotes'],
  ])("%s", (settings, message) => {
    expect(messagesOf(settings)).toEqual([message]);
  });
});

test("the bounds are those of the runtime's table", () => {
  expect([lengthMax, overlapMax, stepsMax, shiftsMax, gapWindowsMax, rowsAtOnceMax, programsMax]).toEqual([
    limits.window_ms_max,
    limits.window_overlap_max,
    limits.window_steps_max,
    limits.window_shifts_max,
    limits.gap_windows_max,
    limits.window_rows_at_once,
    limits.window_programs_max,
  ]);
});

test("a zone that is mistyped is told with the one that was meant", () => {
  const content = `name: w
source: { nats: { subject: a }, schema: { ts: time, x: float64 }, time: { field: ts } }
steps:
  - filter: ts.getHours("Brelin") > 3
  - window: { calendar: { unit: day, zone: Europe/Berln }, select: { n: count() } }
  - sink: { stdout: {} }
`;
  const { diagnostics } = loadPipeline({ file: "w.yaml", content, catalogue: [window, filter] });
  expect(diagnostics.map(({ line, hint }) => [line, hint])).toEqual([
    [4, "did you mean Europe/Berlin?"],
    [5, "did you mean Europe/Berlin?"],
  ]);
});
