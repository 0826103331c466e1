import * as fc from "fast-check";
import { expect, test } from "vitest";
import { endsInQuotes, parseCsvLine, quoteCsvText, splitCsvLine } from "./line.ts";

test.each([
  ["a,b,c", ["a", "b", "c"]],
  ["", [""]],
  [",", ["", ""]],
  ["a,", ["a", ""]],
  ["a,b\r\n", ["a", "b"]],
  ["a,b\n", ["a", "b"]],
  ['"a,b",c', ["a,b", "c"]],
  ['"say ""so""",1', ['say "so"', "1"]],
  ['""', [""]],
  ['"",x', ["", "x"]],
  ['a,"b\nc"', ["a", "b\nc"]],
  [' "a"', null],
  [" a , b ", [" a ", " b "]],
  ['"a', null],
  ['"a""', null],
  ['"a"b', null],
  ['a"b', null],
  ["a\nb", null],
  ['a\nb,"c"', null],
  ['"a" ,b', null],
])("%j is split into %j", (line, cells) => {
  expect(parseCsvLine(line)).toEqual(cells);
});

test.each([
  ['a,"b', true],
  ['a,"b ""c""', true],
  ['"a","b\r\n', true],
  ['c",2', false],
  ['"a"b,"c', false],
  ['a,"b"', false],
])("%j ends inside quotes: %s", (line, ends) => {
  expect(endsInQuotes(line)).toBe(ends);
});

test("a quoted empty cell is told from an empty one", () => {
  expect(splitCsvLine('"",')).toEqual({ texts: ["", ""], quoted: [true, false] });
  expect(splitCsvLine("a,")).toEqual({ texts: ["a", ""], quoted: null });
});

test("cells written are the cells read", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" }), { minLength: 1, maxLength: 6 }), (cells) => {
      expect(parseCsvLine(cells.map(quoteCsvText).join(","))).toEqual(cells);
    }),
  );
});

test("any text is split or refused", () => {
  const hostile = fc.string({ unit: fc.constantFrom('"', ",", "\n", "\r", "a", " ") });
  fc.assert(
    fc.property(hostile, (line) => {
      const cells = parseCsvLine(line);
      if (cells === null) return;
      const written = cells.map(quoteCsvText).join(",");
      expect(parseCsvLine(written)).toEqual(cells);
    }),
    { numRuns: 2_000 },
  );
});
