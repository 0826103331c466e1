// Each kind of value at the edges of its grammar, kernel against reader: what a template accepts in a slot is
// exactly what the reader accepts there.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { limits } from "../../limits.ts";
import type { FieldRead } from "../codec.ts";
import { Pair } from "./comparison.ts";
import { createKernel } from "./kernel.ts";
import { KernelMemory } from "./memory.ts";
import { DictionaryStore } from "./dictionary.ts";

const encoder = new TextEncoder();

/** A pair that already knows `{"v":…,"w":…}` as a template. */
function knowing(field: FieldRead, value: string): Pair {
  const pair = new Pair([field]);
  pair.check([`{"v":${value},"w":0}`, `{"v":${value},"w":0}`]);
  return pair;
}

describe("text", () => {
  test("well-formed and malformed UTF-8, by every lead and second byte", () => {
    const pair = knowing({ name: "v", type: "string" }, '"é"');
    const around = [encoder.encode('{"v":"'), encoder.encode('","w":0}')] as const;
    for (let lead = 0x80; lead < 0x100; lead++) {
      const records: Uint8Array[] = [];
      for (let second = 0; second < 0x100; second++)
        for (const tail of [[], [0x80], [0xbf, 0x80], [0x80, 0x7f]])
          records.push(Uint8Array.from([...around[0], 0x61, lead, second, ...tail, ...around[1]]));
      pair.check(records);
    }
  });

  test("with escapes, well-formed or nearly", () => {
    const pieces = fc.constantFrom(
      "b",
      "f",
      "n",
      "t",
      "u",
      "x",
      "0",
      '"',
      "/",
      "\\",
      "\\u",
      "00e9",
      "\\u0041",
      "\\u07ff",
      "\\u0800",
      "\\uFFFF",
      "\\u0000",
      "\\ud83d",
      "\\uDE00",
      "\\uDBFF\\udfff",
      "\\ud800\\uDC00",
      "é",
      "a",
    );
    const text = fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join(""));
    const property = fc.property(fc.array(text, { minLength: 1, maxLength: 60 }), (texts) => {
      for (const pair of pairs) pair.check(texts.map((value) => `{"v":"${value}","w":0}`));
    });
    const pairs = [
      knowing({ name: "v", type: "string" }, '"a"'),
      knowing({ name: "x", type: "bool" }, '"a"'),
    ];
    fc.assert(property, { numRuns: 600 });
  });

  test("known by one spelling is not taken for another", () => {
    // The first says with an escape what the second, byte for byte, may not say, or says of another text.
    const spellings = [
      ['"a\\\\nb"', '"a\\nb"'],
      ['"a\\nb"', '"a\nb"'],
      ['"a\\u0001"', '"a\u0001"'],
      ['"ab\\u0000"', '"ab"'],
      ['"\\u0000"', '""'],
      ['"a\\""', '"a"'],
      ['"\\\\"', '"\\"'],
      ['"\\u00e9"', '"é"'],
      ['"fifteen bytes \\\\"', '"fifteen bytes \\"'],
      ['"sixteen bytes  \\\\"', '"sixteen bytes  "'],
    ] as const;
    for (const texts of [...spellings, ...spellings.map(([one, other]) => [other, one] as const)]) {
      const pair = knowing({ name: "v", type: "string" }, '"z"');
      const records = texts.map((text) => `{"v":${text},"w":0}`);
      pair.check(records);
      pair.check([...records, ...records]);
    }
  });

  test("of any length, with escapes and without, to the bound and one beyond", () => {
    // Nothing else in the record: nesting could stand there, and such a record has to be shorter.
    const pair = new Pair([{ name: "v", type: "string" }]);
    pair.check(['{"v":"a"}']);
    for (const length of [4_094, 4_095, 4_096, 4_097, limits.string_bytes_max, limits.string_bytes_max + 1])
      pair.check(["y", "\\n"].map((text) => `{"v":"${"y".repeat(length - text.length)}${text}"}`));
    pair.check(['{"v":"a"}', '{"v":"\\u00e9"}']);
  });

  test("that only the reader can decode finds room in the dictionary", () => {
    const pair = knowing({ name: "v", type: "string" }, '"a"');
    const long = "\\n".repeat(2_100);
    pair.check(Array.from({ length: 2_100 }, (_, i) => `{"v":"${long}${i}","w":0}`));
  });

  test("of one hash and one beginning are still two texts", () => {
    // With these multipliers the halves of a vector can change places without changing the hash.
    const kernel = createKernel()!;
    kernel.configure(limits.string_bytes_max, limits.payload_depth_max, 1n, 1n);
    const memory = new KernelMemory(kernel);
    const store = new DictionaryStore(memory);
    const texts = [
      "x".repeat(16) + "aaaaaaaabbbbbbbb",
      "x".repeat(16) + "bbbbbbbbaaaaaaaa",
      "aaaaaaaabbbbbbbb",
      "bbbbbbbbaaaaaaaa",
    ];
    const at = memory.allocate(64);
    const codes = [...texts, ...texts].map((text) => {
      memory.bytes.set(encoder.encode(text), at);
      return kernel.lookUp(store.address, at, text.length);
    });
    expect(codes).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
    expect(codes.map((code) => store.current.text(code))).toEqual([...texts, ...texts]);
  });
});

describe("time", () => {
  test("in every unit, to the bound and one beyond", () => {
    const bounds = {
      s: "8640000000000",
      ms: "8640000000000000",
      us: "8640000000000000000",
      ns: "9007199254740993000",
    } as const;
    for (const [unit, bound] of Object.entries(bounds)) {
      const pair = knowing({ name: "v", type: "time", unit: unit as keyof typeof bounds }, "1700000000");
      const near = [-1n, 0n, 1n].map((step) => String(BigInt(bound) + step));
      const fractions = [`${bound}.0`, `${bound}.001`, `${bound}.0000001`, "1e12", "1.5e13", "-0", "0.0001"];
      pair.check(
        [...near, ...fractions].flatMap((text) => [
          `{"v":${text},"w":0}`,
          `{"v":-${text.replace("-", "")},"w":0}`,
        ]),
      );
    }
  });

  test("as ISO text, any near miss of it", () => {
    const pair = knowing({ name: "v", type: "time", unit: "iso" }, '"2024-02-29T12:30:00Z"');
    const two = (max: number) => fc.integer({ min: 0, max }).map((value) => String(value).padStart(2, "0"));
    const year = fc.constantFrom(
      "0000",
      "0001",
      "1600",
      "1700",
      "1900",
      "1970",
      "2000",
      "2023",
      "2024",
      "2100",
      "9999",
    );
    const zone = fc.oneof(
      fc.constantFrom("Z", "", "z", "+00:00", "-00:00", "+0100"),
      fc
        .tuple(fc.constantFrom("+", "-"), two(25), two(61))
        .map(([sign, hours, minutes]) => `${sign}${hours}:${minutes}`),
    );
    const second = fc.oneof(
      fc.constant(""),
      fc
        .tuple(two(61), fc.stringMatching(/^(\.[0-9]{0,11})?$/))
        .map(([whole, fraction]) => `:${whole}${fraction}`),
    );
    const clock = fc
      .tuple(two(25), two(61), second, zone)
      .map(([hour, minute, rest, z]) => `T${hour}:${minute}${rest}${z}`);
    const text = fc
      .tuple(year, two(14), two(32), fc.oneof(fc.constant(""), clock))
      .map(([y, m, d, t]) => `${y}-${m}-${d}${t}`);
    const bent = fc
      .tuple(text, fc.nat(), fc.constantFrom("", "0", ":", "-", "T", " ", "/", "é"))
      .map(([whole, place, letter]) => {
        const at = place % whole.length;
        return whole.slice(0, at) + letter + whole.slice(at + 1);
      });
    const property = fc.property(
      fc.array(fc.oneof(text, text, bent), { minLength: 1, maxLength: 60 }),
      (texts) => {
        pair.check(texts.map((value) => `{"v":"${value}","w":0}`));
      },
    );
    fc.assert(property, { numRuns: 400 });
  });

  test("on every day of the years around a century", () => {
    const pair = knowing({ name: "v", type: "time", unit: "iso" }, '"2024-02-29"');
    for (const year of ["1899", "1900", "1999", "2000", "2024", "2100"]) {
      const days = Array.from({ length: 12 * 31 }, (_, i) => {
        const month = String(1 + Math.floor(i / 31)).padStart(2, "0");
        return `{"v":"${year}-${month}-${String(1 + (i % 31)).padStart(2, "0")}","w":0}`;
      });
      pair.check(days);
    }
  });
});

describe("nesting", () => {
  const fields: readonly FieldRead[] = [
    { name: "v", type: "json" },
    { name: "x", type: "float64" },
  ];

  test("to the deepest level and one beyond, read or not", () => {
    for (const field of fields) {
      const pair = knowing(field, "1");
      const depths = [1, 2, 62, 63, 64, 65];
      const nested = depths.flatMap((depth) => [
        "[".repeat(depth) + "]".repeat(depth),
        '{"a":'.repeat(depth) + "1" + "}".repeat(depth),
        `[{"a":`.repeat(depth / 2) + "[]" + "}]".repeat(depth / 2),
      ]);
      pair.check(nested.map((value) => `{"v":${value},"w":0}`));
    }
  });

  test("with brackets, commas and colons where they do not belong", () => {
    const pieces = fc.constantFrom(
      "[",
      "]",
      "{",
      "}",
      ",",
      ":",
      '"a"',
      "1",
      " ",
      "null",
      '"a":',
      "[]",
      "{}",
      "[1]",
    );
    const property = fc.property(
      fc.array(fc.array(pieces, { minLength: 1, maxLength: 7 }), { minLength: 1, maxLength: 40 }),
      (values) => {
        for (const pair of pairs) pair.check(values.map((value) => `{"v":${value.join("")},"w":0}`));
      },
    );
    const pairs = fields.map((field) => knowing(field, "1"));
    fc.assert(property, { numRuns: 400 });
    for (const pair of pairs)
      pair.check(
        [
          "[1}",
          "{1]",
          '{"a":1]',
          '[{"a":[1}]',
          "[1,]",
          "[,1]",
          '{"a":1,}',
          "[1 2]",
          '{"a" 1}',
          "[[]",
          "[]]",
        ].map((value) => `{"v":${value},"w":0}`),
      );
  });
});

test("the bounds of a payload hold for layouts that are known", () => {
  const members = (count: number): string => `{${Array.from({ length: count }, () => '"":1').join()}}`;
  const pair = knowing({ name: "x", type: "bool" }, "1");
  // The document has two members of its own.
  for (const count of [limits.payload_fields_max - 2, limits.payload_fields_max - 1])
    pair.check([`{"v":${members(count)},"w":0}`]);
  const longest = limits.payload_bytes_max - '{"v":[],"w":0}'.length;
  for (const length of [longest, longest + 1]) pair.check([`{"v":[${" ".repeat(length)}],"w":0}`]);
});

test("a null that only the kernel saw is marked", () => {
  for (const type of ["float64", "int64", "bool", "string", "time", "json"] as const) {
    const value = { float64: "1", int64: "1", bool: "true", string: '"a"', time: "1", json: "[]" }[type];
    const pair = knowing({ name: "v", type }, value);
    const decoded = pair.check([`{"v":${value},"w":0}`, '{"v":null,"w":0}']);
    expect(decoded.columns[0]!.valid).toEqual(Uint8Array.of(1, 0));
    expect(pair.check([`{"v":${value},"w":0}`]).columns[0]!.valid).toBe(null);
  }
});
