// Documents: what is refused and where, what is read, and where each value stands.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { limits } from "../limits.ts";
import { type ConfigDocument, readDocument } from "./document.ts";

function faultsOf(content: string | Uint8Array): string[] {
  return readDocument("p.yaml", content).diagnostics.map(
    (each) => `${each.line}:${each.column} ${each.message}`,
  );
}

function documentOf(text: string): ConfigDocument {
  const { document, diagnostics } = readDocument("p.yaml", text);
  expect(diagnostics).toEqual([]);
  return document!;
}

function textAt(document: ConfigDocument, { start, end }: { start: number; end: number }): string {
  return document.text.slice(start, end);
}

/** What most callers give: a file's bytes, taken for UTF-8. */
function asText(text: string, encoding: "utf16le" | "utf16be" | "latin1"): string {
  const bytes = Buffer.from(text, encoding === "latin1" ? encoding : "utf16le");
  return (encoding === "utf16be" ? bytes.swap16() : bytes).toString("utf8");
}

const bomb = `a: &a [x, x]\n${"bcdefghi".replace(/./g, (name, place: number) => `${name}: &${name} [*${"abcdefgh"[place]}, *${"abcdefgh"[place]}]\n`)}`;

describe("what a pipeline file cannot hold", () => {
  const cases: readonly (readonly [name: string, text: string | Uint8Array, first: RegExp])[] = [
    ["alias bomb", bomb, /^2:8 the alias \*a is not read/],
    ["an alias to nothing", "a: *nope", /^1:4 the alias \*nope/],
    ["merge keys", "a: 1\n<<: { b: 2 }", /^2:1 merge keys are not read/],
    ["merge key flood", `a: &a {x: 1}\nb:\n  <<: [${Array(5000).fill("*a").join(", ")}]`, /^3:3 merge keys/],
    ["deep braces", "{".repeat(1_000_000), /^1:65 nested deeper than 64 levels/],
    ["deep brackets", `a: ${"[".repeat(10_000)}`, /^1:67 nested deeper/],
    ["deep dashes", "- ".repeat(100_000), /^1:129 nested deeper/],
    ["deep keys in one line", "a: ".repeat(100_000), /nested deeper/],
    ["deep question marks", "? ".repeat(100_000), /nested deeper/],
    [
      "deep indentation",
      Array.from({ length: 100 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"),
      /^65:65 nested deeper/,
    ],
    ["too many values", Array(10_001).fill("- a").join("\n"), /^5001:1 more than 10000 values/],
    ["too many values in quotes", `a: [${'"",'.repeat(10_001)}]`, /^1:\d+ more than 10000 values/],
    ["brackets that close nothing", "]".repeat(1_000_000), /^1:\d+ more than 10000 values/],
    ["a flood of aliases", `a: [${"*a,".repeat(300_000)}]`, /^1:\d+ more than 10000 values/],
    ["a flood of anchors", "&a ".repeat(300_000), /^1:\d+ more than 10000 values/],
    ["a flood of tags", "!a ".repeat(300_000), /^1:\d+ more than 10000 values/],
    ["a flood of comments", "#\n".repeat(500_000), /^50001:1 more than 100000 words, signs and line ends/],
    ["a flood of line ends", "\n".repeat(1_000_000), /^100001:1 more than 100000 words/],
    ["a file too large", `#${"x".repeat(limits.config_bytes_max)}`, /^1:1 the file is 1048577 bytes long/],
    ["duplicate keys", "a: 1\nb: 2\na: 3", /^3:1 the key a is here twice/],
    ["__proto__", "a: { __proto__: 1 }", /^1:6 __proto__ cannot be a name/],
    ["constructor", "constructor: 1", /^1:1 constructor cannot be a name/],
    ["prototype", "a:\n  prototype: 1", /^2:3 prototype cannot be a name/],
    ["a map as a key", "? { a: 1 }\n: 2", /^1:3 a key is a name/],
    ["an empty key", ": 1", /a key is missing/],
    ["a leading zero", "a: 012", /^1:4 012 begins with a zero and is read as 12/],
    ["hexadecimal", "a: 0x1F", /^1:4 0x1F is read as 31/],
    ["octal", "a: 0o17", /^1:4 0o17 is read as 15/],
    ["not a number", "a: .nan", /^1:4 \.nan is not a number/],
    ["infinity", "a: -.inf", /^1:4 -\.inf is not a number/],
    ["more digits than are exact", "a: 12345678901234567890", /^1:4 12345678901234567890 is larger/],
    ["a function tag", "a: !!js/function 'x'", /^1:4 the tag !!js\/function is not read/],
    ["a binary tag", "a: !!binary aGk=", /^1:4 the tag !!binary/],
    ["an include tag", "a: !include other.yaml", /^1:4 the tag !include/],
    ["a tag on a map", "a: !!set { x }", /^1:4 the tag !!set/],
    ["two documents", "a: 1\n---\nb: 2", /^2:1 a second document/],
    ["two marked documents", "---\na: 1\n---\nb: 2", /^3:1 a second document/],
    ["a directive", "%YAML 1.1\n---\na: no", /^1:1 YAML directives are not read/],
    ["a byte-order mark", "\ufeffa: 1", /^1:1 the file begins with a byte-order mark/],
    [
      "a byte-order mark in bytes",
      new Uint8Array([0xef, 0xbb, 0xbf, 0x61]),
      /^1:1 the file begins with a byte-order mark/,
    ],
    ["UTF-16 with a mark", new Uint8Array([0xff, 0xfe, 0x61, 0x00]), /^1:1 the file is UTF-16/],
    ["UTF-16 without a mark", new Uint8Array(Buffer.from("name: x", "utf16le")), /^1:1 the file is UTF-16/],
    [
      "bytes that are no UTF-8",
      new Uint8Array([0x61, 0x3a, 0x0a, 0x20, 0xff]),
      /^2:2 these bytes are not UTF-8/,
    ],
    [
      "what was UTF-16 before it was read as UTF-8",
      asText("\ufeffname: x", "utf16le"),
      /^1:1 the file is UTF-16/,
    ],
    ["the same the other way round", asText("\ufeffname: x", "utf16be"), /^1:1 the file is UTF-16/],
    ["the same without a mark", asText("name: x", "utf16le"), /^1:1 the file is UTF-16/],
    ["what was Latin-1 before", asText("a: 1\nb: caf\u00e9", "latin1"), /^2:7 these bytes are not UTF-8/],
    ["half of a character", 'a: "x\\ud800"', /^1:4 an escape in this text is half of a character/],
    ["half of a character in a name", 'a: { "\\udc00x": 1 }', /^1:6 an escape in this text is half/],
    ["NUL", "a: x\u0000y", /^1:5 a NUL character/],
    ["a control character", "a: x\ny: \u0007", /^2:4 the invisible character U\+0007/],
    ["text that runs backwards", "a: \u202egnp.exe", /^1:4 the invisible character U\+202E/],
    ["a zero-width space", "na\u200bme: a", /^1:3 the invisible character U\+200B/],
    ["tabs as indentation", "a:\n\tb: 1", /^2:1 .*[Tt]ab/],
    ["a quote that never ends", "a: 'x", /^1:4 a ' is opened and not closed$/],
    ["a bracket that never ends", "a: [1,", /^1:7 expected \]: a \[ before this is not closed$/],
    ["a colon in plain text", "a: b: c", /^1:4 ": " in a text that is not in quotes$/],
    ["a setting too far in", "a:\n  b: 1\n   c: 2", /^2:6 the next line begins further in than this one$/],
  ];
  it.each(cases)("%s", (_name, text, first) => {
    expect(faultsOf(text)[0]).toMatch(first);
  });

  it("tells what to do about a reference in braces", () => {
    const { diagnostics } = readDocument("p.yaml", "nats: { subject: ${SUBJECT} }");
    expect(diagnostics[0]!.hint).toBe("inside { } or [ ], put ${…} in quotes");
  });

  it("names the settings that take what is too much for one file", () => {
    const { diagnostics } = readDocument("p.yaml", Array(10_001).fill("- a").join("\n"));
    expect(diagnostics[0]!.hint).toBe(
      "records of a test stand in this file: try many with weir try FILE --from records.ndjson; rows of a table go into the file that lookup names, table: { file: devices.csv }",
    );
  });

  const texts: readonly (readonly [text: string, place: string, hint: string])[] = [
    ["nats: { subject: sensors.{device}.temp }", "1:26", "inside { } or [ ], put {…} in quotes"],
    ["a: [sensors.{device}]", "1:13", "inside { } or [ ], put {…} in quotes"],
    ["nats:\n  subject: {device}.temp\nb: 1", "2:20", "inside { } or [ ], put {…} in quotes"],
    [
      'nats: { subject: "sensors.{device}", to: x y" [ }',
      "1:47",
      "inside { } or [ ], put an expression in quotes",
    ],
    ["steps:\n  - filter: !(temp > 3)\nb: 1", "2:13", "a text that begins with ! stands in quotes"],
    ['a: { b: temp > 3 ? "hot" : "cold" }', "1:9", "inside { } or [ ], put an expression in quotes"],
    [
      'a: "hot" + id',
      "1:10",
      `an expression that begins with a quote stands whole in the other kind of quotes: '"a" + b'`,
    ],
    ["- { filter: !(temp > 3) }", "1:13", "a text that begins with ! stands in quotes"],
    ["- filter: !hot", "1:11", "remove it; a text that begins with ! stands in quotes"],
    ["- filter: !(a == b)", "1:11", "remove it; a text that begins with ! stands in quotes"],
  ];
  it.each(texts)("tells what to put in quotes in %j", (text, place, hint) => {
    const { diagnostics } = readDocument("p.yaml", text);
    expect(diagnostics.map((each) => [`${each.line}:${each.column}`, each.hint])).toEqual([[place, hint]]);
  });

  it.each([
    [
      "steps:\n  filter: a > 1\n  - window: 1",
      "3:1",
      "begin what is above it in this list with a dash and a space: - filter: …",
    ],
    [
      "steps:\n  -filter: a > 1\n  - window: 1",
      "3:1",
      "begin what is above it in this list with a dash and a space: - filter: …",
    ],
    ["name:press\nabout: x", "1:1", "a space follows the colon: name: press"],
    ["about: Press: the first", "1:8", 'a text that holds ": " stands in quotes'],
    ["- filter: temp > 3 ? a : b", "1:11", 'a text that holds ": " stands in quotes'],
    [
      'path: "C:\\data\\a.csv"',
      "1:10",
      "between double quotes a backslash begins an escape: write '…' around the text",
    ],
    ['a:\n  nats: { subject: "s.{d}.b, stream: S }\n  format: json\n', "2:20", 'write " where the text ends'],
    ["a: 'b\nc: d\ne: 'f'\n", "1:4", "write ' where the text ends"],
    ["- filter: `oil-temp` > 3", "1:11", "a text that begins with this character stands in quotes"],
    ["a: { b: \u201cs.{line}.t\u201d }", "1:12", `write " or ' there`],
  ])("tells what to mend in %j", (text, place, hint) => {
    const [first] = readDocument("p.yaml", text).diagnostics;
    expect([`${first!.line}:${first!.column}`, first!.hint]).toEqual([place, hint]);
  });

  it("stops after the first mistake that no parser goes on from", () => {
    const text =
      "nats: { subject: sensors.{device}.temp }\nsteps:\n  - filter: temp > 3\nsink:\n  stdout: {}\n";
    expect(faultsOf(text)).toEqual(["1:26 braces in a text that is not in quotes"]);
    expect(faultsOf(`b: 1\nb: 2\n${text}`)).toHaveLength(2);
  });

  it("reports every refusal of a file, not only the first", () => {
    expect(faultsOf("a: 012\nb: 0x1F\nb: 3")).toHaveLength(3);
  });
});

describe("what is read", () => {
  it("keeps words and times as text, and numbers as numbers", () => {
    expect(documentOf("a: no\nb: 1:30\nc: 1e3\nd: -0.5\ne: true\nf: ~\ng: 'x'\n").value).toEqual({
      a: "no",
      b: "1:30",
      c: 1000,
      d: -0.5,
      e: true,
      f: null,
      g: "x",
    });
  });

  it("reads a character that is written as its two halves, and U+FFFD as an escape", () => {
    expect(documentOf('a: "\\ud83d\\ude00"\nb: "\\ufffd"').value).toEqual({ a: "\u{1f600}", b: "\ufffd" });
  });

  it("accepts one document mark, comments and Windows line ends", () => {
    expect(documentOf("# about\r\n---\r\na: 1\r\nb:\r\n  - 2\r\n").value).toEqual({ a: 1, b: [2] });
  });

  it("keeps a call with commas together where YAML would take it apart", () => {
    const text =
      "a: { p: quantile(temp, 0.5), q: quantile(temp, 0.5), r: clamp(x, 1, 1, (y > 1 ? 2 : 3)), n: count() }\nb: [f(x, y), z]\nc: [f(x,\n y)]\n";
    expect(documentOf(text).value).toEqual({
      a: {
        p: "quantile(temp, 0.5)",
        q: "quantile(temp, 0.5)",
        r: "clamp(x, 1, 1, (y > 1 ? 2 : 3))",
        n: "count()",
      },
      b: ["f(x, y)", "z"],
      c: ["f(x, y)"],
    });
    const document = documentOf("a: { q: quantile(temp, 0.5) }");
    expect(textAt(document, document.spanWithin(["a", "q"], 15, 18))).toBe("0.5");
  });

  it("leaves parentheses that never close as they are", () => {
    expect(documentOf("a: { p: f(x, n: 1 }").value).toEqual({ a: { p: "f(x", n: 1 } });
    expect(documentOf('a: { p: f(x, "n": 1 }').value).toEqual({ a: { p: "f(x", n: 1 } });
  });

  it("never throws, whatever the text", () => {
    const piece = fc.constantFrom(
      "a: ",
      "- ",
      "? ",
      "{",
      "}",
      "[",
      "]",
      ",",
      "|\n",
      ">-\n",
      "'",
      '"',
      "&a ",
      "*a",
      "!t ",
      "<<: ",
      "\n",
      "  ",
      "\t",
      "#",
      "---\n",
      "%",
      ":",
      "\\",
      "0x1",
      "${A}",
      "é",
      "\u0000",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join("")),
        ),
        (text) => {
          const { document, diagnostics } = readDocument("p.yaml", text);
          expect(document !== null || diagnostics.length > 0).toBe(true);
          for (const { line, column, length } of diagnostics) {
            expect(line >= 1 && column >= 1 && length >= 1).toBe(true);
          }
          expect(document?.scalars() ?? []).toBeInstanceOf(Array);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("places", () => {
  const document = documentOf("a:\n  b: text\n  c: [1, { d: 2 }]\ne:\n");

  it("points at values, and at the keys of maps and lists", () => {
    expect(textAt(document, document.spanOf(["a", "b"]))).toBe("text");
    expect(textAt(document, document.spanOf(["a"]))).toBe("a");
    expect(textAt(document, document.spanOf(["a", "c", 1, "d"]))).toBe("2");
    expect(textAt(document, document.spanOf(["a", "c", 1]))).toBe("d");
    expect(textAt(document, document.keySpanOf(["a", "b"]))).toBe("b");
  });

  it("points at the nearest owner of what is not there", () => {
    expect(textAt(document, document.spanOf(["a", "x", "y"]))).toBe("a");
    expect(textAt(document, document.spanOf(["e"]))).toBe("e");
    expect(textAt(document, document.spanOf(["x"]))).toBe("a");
  });

  it.each([
    ["plain", "k: temp > 30", 7, "30"],
    ["plain over lines", "k: temp\n  > 30", 7, "30"],
    ["single quotes", "k: 'it''s > 30'", 7, "30"],
    ["double quotes", 'k: "a == \\"b\\" > 30"', 11, "30"],
    ["double quotes with code points", 'k: "\\u0041\\x42 > 30"', 5, "30"],
    ["double quotes over lines", 'k: "temp\\\n   > 30"', 6, "30"],
    ["block", "k: |\n  temp\n  > 30\n", 7, "30"],
    ["block with its own indentation", "k: |\n  temp\n    > 30\n", 9, "30"],
    ["folded block", "k: >-\n  temp\n  > 30\n", 7, "30"],
  ])("finds a place inside a scalar: %s", (_name, text, offset, found) => {
    const read = documentOf(text);
    expect(String(read.valueAt(["k"])).slice(offset, offset + found.length)).toBe(found);
    expect(textAt(read, read.spanWithin(["k"], offset, offset + found.length))).toBe(found);
  });

  it("finds every character of every spelling of a text", () => {
    const letters = fc.array(fc.constantFrom("a", "b", " ", "'", '"', "\\", "\n", "ü", "😀"), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(letters, (parts) => {
        const value = parts.join("");
        for (const spelled of [
          JSON.stringify(value),
          `'${value.replaceAll("'", "''").replaceAll("\n", "\n\n  ")}'`,
        ]) {
          const { document: read } = readDocument("p.yaml", `k: ${spelled}\n`);
          const text = read?.valueAt(["k"]);
          if (read === null || typeof text !== "string") continue;
          for (let i = 0; i < text.length; i++) {
            if (!/[abü]/.test(text[i]!)) continue;
            expect(textAt(read, read.spanWithin(["k"], i, i + 1))).toBe(text[i]);
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});
