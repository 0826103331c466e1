// What is said of times that are too far ahead.

import { expect, test } from "vitest";
import { aheadText } from "./ahead.ts";

const now = Date.UTC(2026, 10, 27);

test.each([
  [now + 600_000, "ms", "event time is 600000 ms ahead of the clock"],
  [now * 1_000, "ms", "; written in us it would be of these years: unit: us"],
  [now * 1_000_000, "ms", "; written in ns it would be of these years: unit: ns"],
  [now * 1_000, "s", "; written in ms it would be of these years: unit: ms"],
  [now * 1_000, "us", "; written in ns it would be of these years: unit: ns"],
  [now * 1_000, "ns", " ms ahead of the clock"],
  [now * 2, "ms", `event time is ${now} ms ahead of the clock`],
  [1_011, "ms", "ahead of the clock"],
] as const)("%s in %s", (at, unit, said) => {
  expect(aheadText(at, at < now ? 1_000 : now, unit).endsWith(said)).toBe(true);
});

test("ahead of a clock that stands in 1970 no unit is guessed: a test's is told how it moves on", () => {
  expect(aheadText(Date.UTC(2026, 2, 28, 21), 20_000, "ms")).toBe(
    "event time is 1774731580000 ms ahead of the clock, which shows 1970: a test's moves on by a pause before the record: { pause: 20540d }",
  );
});
