// Documents for property tests: valid ones written in every way that JSON allows, hostile ones, and damaged
// copies of both. Only tests import this.

import fc from "fast-check";

const encoder = new TextEncoder();

/** What tests read: every type, every unit, and paths that could mean several things. */
export const names: readonly string[] = [
  "temp",
  "device",
  "ts",
  "ok",
  "n",
  "a.b",
  "a",
  "a.b.c",
  "b",
  "",
  "__proto__",
  "größe",
];

const space: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.constant("") },
  fc.stringMatching(/^[ \t\n\r]{0,3}$/),
);

export const numberTexts: fc.Arbitrary<string> = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.integer().map(String),
  fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }).map(String),
  fc.stringMatching(/^-?(0|[1-9][0-9]{0,19})(\.[0-9]{1,20})?$/),
  fc.stringMatching(/^-?(0|[1-9][0-9]{0,6})(\.[0-9]{1,6})?([eE][+-]?[0-9]{1,3})?$/),
  fc.integer({ min: 1_600_000_000_000, max: 1_800_000_000_000 }).map(String),
  fc.bigInt({ min: 1_600_000_000_000_000_000n, max: 1_800_000_000_000_000_000n }).map(String),
  fc.constantFrom(
    "0",
    "-0",
    "0.0",
    "-0.0",
    "1e400",
    "-1e400",
    "1e-400",
    "9007199254740993",
    "8640000000000001",
  ),
  fc.constantFrom(
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "0.1",
    "123456789012345",
  ),
);

const escapedText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\\"',
        "\\\\",
        "\\/",
        "\\b",
        "\\f",
        "\\n",
        "\\r",
        "\\t",
        "\\u0041",
        "\\u00e9",
        "\\uD83D\\uDE00",
      ),
      fc.constantFrom("\\u0000", "\\ud800", "\\uDC00", "\\uD83Dx", "é", "温", "😀", "\u2028", "\u007f"),
      fc.stringMatching(/^[a-z ]{0,9}$/),
    ),
    { maxLength: 5 },
  )
  .map((parts) => parts.join(""));

const timeText: fc.Arbitrary<string> = fc.oneof(
  fc
    .date({ noInvalidDate: true, min: new Date("0001-01-01"), max: new Date("9999-12-31") })
    .map((date) => date.toISOString()),
  fc.stringMatching(
    /^20[0-9]{2}-[01][0-9]-[0-3][0-9](T[012][0-9]:[0-6][0-9](:[0-6][0-9](\.[0-9]{1,10})?)?(Z|[+-][012][0-9]:[0-6][0-9])?)?$/,
  ),
);

/** The inside of a string, as written. */
export const stringTexts: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.stringMatching(/^[a-zA-Z0-9_ -]{0,40}$/) },
  fc.constantFrom("device-0001", "device-0002", "", "a", "x".repeat(15), "x".repeat(16), "x".repeat(17)),
  timeText,
  escapedText,
  fc.string({ unit: "grapheme", maxLength: 12 }).map((text) => JSON.stringify(text).slice(1, -1)),
);

const scalarTexts: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: numberTexts },
  { weight: 2, arbitrary: stringTexts.map((text) => `"${text}"`) },
  fc.constantFrom("true", "false", "null"),
);

const nameTexts: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...names, "c", "b.c") },
  fc.constantFrom("t\\u0065mp", "devic\\u0065", "x", "temp2", "Temp", "tem"),
  stringTexts,
);

/** Objects as text: white space, other orders, members twice, nesting. */
export const objectTexts: fc.Arbitrary<string> = fc.letrec<{ object: string; value: string }>((tie) => ({
  object: fc
    .tuple(space, fc.array(fc.tuple(space, nameTexts, space, space, tie("value"), space), { maxLength: 7 }))
    .map(([inside, members]) => {
      const texts = members.map(([a, name, b, c, value, d]) => `${a}"${name}"${b}:${c}${value}${d}`);
      return `{${members.length === 0 ? inside : texts.join(",")}}`;
    }),
  value: fc.oneof(
    { maxDepth: 3, depthSize: "small", withCrossShrink: true },
    { weight: 6, arbitrary: scalarTexts },
    tie("object"),
    fc
      .array(fc.tuple(space, tie("value"), space), { maxLength: 3 })
      .map((items) => `[${items.map((item) => item.join("")).join(",")}]`),
  ),
})).object;

const hostile: fc.Arbitrary<string> = fc.constantFrom(
  "",
  " ",
  "{",
  "}",
  "{}",
  "[]",
  "null",
  "1",
  '"a"',
  "{}x",
  "{} {}",
  "\uFEFF{}",
  '\uFEFF{"temp":1}',
  " \uFEFF{}",
  '{"temp":}',
  '{"temp":1,}',
  '{,"temp":1}',
  '{"temp" 1}',
  "{temp:1}",
  "{'temp':1}",
  '{"temp":01}',
  '{"temp":-}',
  '{"temp":1.}',
  '{"temp":.5}',
  '{"temp":+1}',
  '{"temp":1e}',
  '{"temp":1e+}',
  '{"temp":0x10}',
  '{"temp":NaN}',
  '{"temp":Infinity}',
  '{"temp":tru}',
  '{"temp":nul}',
  '{"temp":nulll}',
  '{"temp":true1}',
  '{"device":"a\tb"}',
  '{"device":"a\\x41"}',
  '{"device":"a\\u12"}',
  '{"device":"a',
  '{"device":"a\\',
  '{"device":"a\\"}',
  '{"temp":1//\n}',
  '{"temp":1}\u0000',
  '{"temp":--1}',
  '{"temp":1 2}',
  '{"a":[1,]}',
  '{"a":[,1]}',
  '{"a":[1',
  '{"a":{"b":1}',
  '{"a":1]',
  '{"temp":00}',
  '{"temp":-01}',
  '{"temp":1.e3}',
  '{"temp":1e5.5}',
  '{"temp":1_000}',
  '{"temp":"1"}',
  "{\f}",
);

/** A JSON text between white space, or something that is nearly one. */
export const documents: fc.Arbitrary<Uint8Array> = fc
  .oneof(
    { weight: 5, arbitrary: fc.tuple(space, objectTexts, space).map((parts) => parts.join("")) },
    hostile,
  )
  .map((text) => encoder.encode(text));

const badBytes: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(
    0x00,
    0x1f,
    0x22,
    0x2c,
    0x2d,
    0x2e,
    0x30,
    0x39,
    0x3a,
    0x5c,
    0x7b,
    0x7d,
    0x80,
    0xc0,
    0xc3,
    0xed,
    0xff,
  ),
  fc.integer({ min: 0, max: 255 }),
);

/** A document with some bytes replaced, taken out, put in, or its end cut off. */
export function damaged(sources: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const edit = fc.tuple(fc.constantFrom("replace", "remove", "insert", "cut"), fc.nat(), badBytes);
  return fc.tuple(sources, fc.array(edit, { minLength: 1, maxLength: 3 })).map(([source, edits]) => {
    const bytes = [...source];
    for (const [kind, place, byte] of edits) {
      const at = bytes.length === 0 ? 0 : place % bytes.length;
      if (kind === "replace" && bytes.length > 0) bytes[at] = byte;
      else if (kind === "remove") bytes.splice(at, 1);
      else if (kind === "insert") bytes.splice(at, 0, byte);
      else if (kind === "cut") bytes.length = at;
    }
    return Uint8Array.from(bytes);
  });
}
