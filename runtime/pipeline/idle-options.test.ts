// What is said of settings beside an operator that change nothing there.

import { expect, test } from "vitest";
import { catalog } from "../../operators/catalog.ts";
import { loadPipeline } from "./load.ts";

const late = "late: [{ sink: { stdout: {} } }]";

/** Each warning as line, column, the text under the caret, message and hint. */
function toldOf(step: string, beside: string): readonly string[] {
  const content = `name: p
source:
  nats: { subject: a }
  schema: { d: string, ts: time, x: float64 }
  time: { field: ts, lateness: 1s }
limits: { rate: 100/s, keys: { max: 1000, ttl: 1d, when_full: forget_oldest } }
steps:
  - ${step}
    ${beside}
  - sink: { stdout: {} }
`;
  const lines = content.split("\n");
  const { plan, diagnostics } = loadPipeline({ file: "p.yaml", content, catalogue: catalog });
  expect(plan).not.toBeNull();
  return diagnostics.map(({ line, column, length, severity, message, hint }) => {
    const marked = lines[line - 1]!.slice(column - 1, column - 1 + length);
    return `${severity} ${line}:${column} [${marked}] ${message} | ${hint}`;
  });
}

const none = "this branch gets none | remove late";

test.each<[step: string, beside: string, told: readonly string[]]>([
  [
    "reorder: {}",
    "keys: { max: 10 }",
    ["warning 9:5 [keys] reorder has no key here, so that there is nothing to bound | remove keys"],
  ],
  [
    "window: { tumbling: 1m, select: { n: count() } }",
    "keys: { ttl: 1h }",
    ["warning 9:5 [keys] window has no key here, so that there is nothing to bound | remove keys"],
  ],
  ["window: { tumbling: 1m, by: d, select: { n: count() } }", "keys: { max: 10, ttl: 1h }", []],
  ["deadband: { value: x, by: d, band: 1 }", "keys: { max: 10, when_full: forget_oldest }", []],
  [
    "dedup: { by: d, within: 1m }",
    "keys: { max: 10, ttl: 1h, when_full: refuse }",
    [
      "warning 9:22 [ttl] dedup forgets its keys by its own settings: ttl has no say in it | remove ttl",
      "warning 9:31 [when_full] dedup forgets its keys by its own settings: when_full has no say in it | remove when_full",
    ],
  ],
  ["dedup: { by: d, within: 1m }", late, []],
  [
    "deadband: { value: x, band: 1 }",
    late,
    [`warning 9:5 [late] no record is late for deadband with these settings: ${none}`],
  ],
  [
    "throttle: { every: 1m }",
    late,
    [`warning 9:5 [late] no record is late for throttle with these settings: ${none}`],
  ],
  ["throttle: { every: 1m, keep: last }", late, []],
  [
    "window: { count: { n: 3 }, select: { n: count() } }",
    late,
    [`warning 9:5 [late] no record is late for window with these settings: ${none}`],
  ],
  ["window: { session: { gap: 1m }, select: { n: count() } }", late, []],
  ["reorder: {}", late, [`warning 9:5 [late] no record is late for reorder with these settings: ${none}`]],
])("%s beside %s", (step, beside, told) => {
  expect(toldOf(step, beside)).toEqual(told);
});
