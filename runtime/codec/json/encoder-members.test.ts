import * as fc from "fast-check";
import { expect, test } from "vitest";
import { forEachMember, forEachRestText, jsonRestToJson } from "./encoder-members.ts";

function membersOf(text: string): [string, string][] {
  const bytes = Buffer.from(text);
  const members: [string, string][] = [];
  forEachMember(bytes, (_order, key, keyEnd, value, end) => {
    members.push([bytes.toString("utf8", key, keyEnd), bytes.toString("utf8", value, end)]);
  });
  return members;
}

test.each([
  ["{}", []],
  [" { } ", []],
  ['{"a":1}', [['"a"', "1"]]],
  [
    '{"a":"}\\",{","b":[{"c":"]"}]}',
    [
      ['"a"', '"}\\",{"'],
      ['"b"', '[{"c":"]"}]'],
    ],
  ],
  [
    '{"a\\"b" :\t-1.50e+3 , "c"\n:null }',
    [
      ['"a\\"b"', "-1.50e+3"],
      ['"c"', "null"],
    ],
  ],
  [
    '{"a":"\\\\","b":true}',
    [
      ['"a"', '"\\\\"'],
      ['"b"', "true"],
    ],
  ],
])("%s", (text, members) => {
  expect(membersOf(text)).toEqual(members);
});

test("the members of any object, however it is laid out", () => {
  const space = fc.constantFrom(undefined, "\t", "  ");
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue()), space, (object, indent) => {
      const members = membersOf(JSON.stringify(object, null, indent));
      const read = members.map(([key, value]) => [JSON.parse(key), JSON.parse(value)] as const);
      expect(Object.fromEntries(read)).toEqual(JSON.parse(JSON.stringify(object)));
      expect(members.every(([, value]) => value === value.trim())).toBe(true);
    }),
  );
});

test("nothing is thrown, nor read past the end, for bytes that are no object", () => {
  const hostile = fc.string({ unit: fc.constantFrom("{", "}", '"', "\\", ":", ",", "[", "]", "1", " ") });
  fc.assert(
    fc.property(hostile, (text) => {
      const bytes = Buffer.from(text);
      forEachMember(bytes, (_order, key, keyEnd, value, end) => {
        expect(key < keyEnd && keyEnd <= value && value < end && end <= bytes.length).toBe(true);
      });
    }),
    { numRuns: 2_000 },
  );
});

test("names are compared as what they mean, also where the record before had another at that place", () => {
  const rest = jsonRestToJson(new Set(["temp", "é"]));
  const passed = (text: string): string[] => {
    const members: string[] = [];
    rest(Buffer.from(text), (bytes, start, end) =>
      members.push(Buffer.from(bytes.subarray(start, end)).toString()),
    );
    return members;
  };
  expect(passed('{"temp":1,"id":12345678901234567890}')).toEqual(['"id":12345678901234567890']);
  expect(passed('{"id" : 1.50,"temp":2,"\\u0074emp":3,"\\u00e9":4}')).toEqual(['"id" : 1.50']);
  expect(passed('{"temp":1,"id":2}')).toEqual(['"id":2']);
});

test("names and raw values, without those taken out", () => {
  const members: [string, string][] = [];
  forEachRestText(Buffer.from('{"a":1,"\\u0062":[2, 3],"c":4}'), new Set(["a"]), (name, value) =>
    members.push([name, value]),
  );
  expect(members).toEqual([
    ["b", "[2, 3]"],
    ["c", "4"],
  ]);
});
