// Which patterns are let in, and that those which are cannot take long on any text.

import fc from "fast-check";
import { expect, test } from "vitest";
import { matcher } from "./pattern.ts";

function accepted(pattern: string): boolean {
  return matcher(pattern).ok;
}

function found(pattern: string, text: string): unknown {
  const made = matcher(pattern);
  if (!made.ok) throw new Error(made.message);
  return (made.run as (text: string) => unknown)(text);
}

test.each([
  "boiler",
  "^boiler-[0-9]+$",
  "^(boiler|pump|valve)-\\d{1,3}$",
  "^\\w+@\\w+\\.com$",
  "^(\\d{1,3}\\.){3}\\d{1,3}$",
  "^[a-z]+(-[a-z]+)*$",
  "^([a-z]+/)*[a-z]+$",
  "^(a|b)*c",
  "a.*b",
  "^.*\\.temp$",
  "^[^/]*/[^/]*/[^/]*$",
  "(?:a{2}){3}",
  "\\u00e9+",
  "[\\]a-]+x",
  "^$",
  "a{0}b",
  "\\bx\\b",
])("%s is accepted", (pattern) => {
  expect(accepted(pattern)).toBe(true);
});

test.each([
  ["(a+)+$", "exponentially"],
  ["(a*)*b", "exponentially"],
  ["([a-z]+)*$", "exponentially"],
  ["(a|a)*b", "exponentially"],
  ["(a|ab)*c", "exponentially"],
  ["(a|b?)+c", "exponentially"],
  ["(\\w|\\d)+x", "exponentially"],
  ["(aa?)*b", "exponentially"],
  ["(.*a){20}", "very long"],
  ["(a?){30}a{30}", "very long"],
  [`${"a?".repeat(30)}${"a".repeat(30)}`, "very long"],
  [".*.*.*.*x", "very long"],
  ["(?i)(S|\u017f)*x", "exponentially"],
  ["(?=a)b", "look-around"],
  ["(?<!a)b", "look-around"],
  ["(?<name>a)", "named groups"],
  ["(a)\\1", "back-references"],
  ["(", "not a regular expression"],
  ["a)", "not a regular expression"],
  ["[z-a]", "not a regular expression"],
  ["a**", "not a regular expression"],
  ["\\", "not a regular expression"],
  ["a{1000}{1000}", "repeats too often|not a regular expression"],
  ["(?:(?:a{500}){500}){500}", "repeats too often"],
  ["x".repeat(600), "at most 512"],
])("%s is refused", (pattern, reason) => {
  const made = matcher(pattern);
  expect(made.ok).toBe(false);
  expect(made.ok ? "" : made.message).toMatch(new RegExp(reason));
});

test("a pattern is found anywhere, or where it is anchored", () => {
  expect(found("b", "abc")).toBe(true);
  expect(found("^b", "abc")).toBe(false);
  expect(found("(?i)^ABC$", "abc")).toBe(true);
});

test("a text that is too long for the pattern's cost has no result", () => {
  expect(found("^x", "x".repeat(200_000))).toBe(true);
  expect(found(".*foo.*bar", "x".repeat(10_000))).toBeNull();
  // Each of a hundred ways goes on through a hundred characters: many seconds.
  expect(found("a{0,99}a{0,99}x", "a".repeat(100_000))).toBeNull();
});

test("whatever is accepted ends soon, on the texts that are worst for backtracking", () => {
  const pattern = fc.letrec<{ part: string }>((tie) => ({
    part: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom("a", "b", "[ab]", ".", "\\w", "ab", "a?", "^", "$"),
      fc.tuple(tie("part"), tie("part")).map(([a, b]) => a + b),
      fc.tuple(tie("part"), tie("part")).map(([a, b]) => `(${a}|${b})`),
      fc
        .tuple(tie("part"), fc.constantFrom("*", "+", "?", "*?", "{2,5}", "{3}", "{2,}"))
        .map(([a, q]) => `(${a})${q}`),
    ),
  })).part;
  let admitted = 0;
  fc.assert(
    fc.property(pattern, (each) => {
      const made = matcher(each);
      if (!made.ok) return;
      admitted++;
      const run = made.run as (text: string) => unknown;
      // What decides here is that this returns at all: an exponential one would not within the hour.
      for (const text of ["a".repeat(100), "ab".repeat(60), `${"a".repeat(250)}!`, `${"aab".repeat(90)}c`]) {
        expect([true, false, null]).toContain(run(text));
      }
    }),
    { numRuns: 1500 },
  );
  expect(admitted).toBeGreaterThan(300);
});
