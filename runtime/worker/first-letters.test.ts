// What the log says of records that are left out.

import { expect, it } from "vitest";
import type { DeadLetter } from "../engine/dead-letter.ts";
import { limits } from "../limits.ts";
import { FirstLetters } from "./first-letters.ts";

const letter: DeadLetter = {
  step: "source",
  reason: "type",
  detail: "expected float64 in field battery",
  payload: new TextEncoder().encode("a secret"),
  subject: "sensors.t1",
};

function seen(letters: readonly (readonly [string, boolean, DeadLetter])[]): string[] {
  const lines: string[] = [];
  const say = (line: string): number => lines.push(line);
  const first = new FirstLetters({ info: say, warn: say, error: say });
  for (const each of letters) first.see(...each);
  return lines;
}

it("says once for each pipeline, step and reason why the first was left out", () => {
  const late = { ...letter, step: "2 window", reason: "fault" as const, subject: "" };
  expect(
    seen([
      ["house", false, letter],
      ["house", false, letter],
      ["house", false, late],
      ["hall", true, letter],
    ]),
  ).toEqual([
    "house: a record is left out at source: type: expected float64 in field battery (from sensors.t1); dead_letter: in the file would keep it, further ones are counted",
    "house: a record is left out at 2 window: fault: expected float64 in field battery; dead_letter: in the file would keep it, further ones are counted",
    "hall: a record is left out at source: type: expected float64 in field battery (from sensors.t1); the dead letter has it, further ones are counted",
  ]);
});

it("says nothing of what a record held, where an operator quotes it", () => {
  const quoted = {
    ...letter,
    step: "1 lookup",
    detail: 'expected a row for person "Ann \\" Example", found none',
  };
  expect(seen([["house", true, quoted]])[0]).toContain('expected a row for person "…", found none (from');
});

it("says it of few, however many pipelines there are", () => {
  const many = Array.from({ length: 100 }, (_each, place) => [`rule-${place}`, false, letter] as const);
  expect(seen(many)).toHaveLength(limits.first_letters_said_max);
});
