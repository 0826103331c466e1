// The kernel against the exact reader: the same columns, nulls and faults for every batch, whatever is in it.

import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import type { Column } from "../../../operators/sdk/index.ts";
import { limits } from "../../limits.ts";
import type { FieldRead } from "../codec.ts";
import { createJsonDecoder } from "../json/decoder.ts";
import { damaged, documents, names, numberTexts, stringTexts } from "../json/generators.ts";
import { batchOf, Pair, rowsOf } from "./comparison.ts";
import { hasKernel } from "./kernel.ts";

const encoder = new TextEncoder();

beforeAll(() => {
  expect(hasKernel(), "build/kernel.wasm is missing: run node runtime/codec/kernel/build.mjs").toBe(true);
});

const fieldSets: readonly (readonly FieldRead[])[] = [
  [
    { name: "device", type: "string" },
    { name: "ts", type: "time" },
    { name: "temp", type: "float64" },
    { name: "n", type: "int64" },
    { name: "ok", type: "bool" },
  ],
  [
    { name: "device", type: "json" },
    { name: "ts", type: "time", unit: "ns" },
    { name: "a.b", type: "float64" },
    { name: "temp", type: "string" },
    { name: "n", type: "time", unit: "s" },
  ],
  [
    { name: "ts", type: "time", unit: "iso" },
    { name: "a", type: "json" },
    { name: "temp", type: "int64" },
    { name: "n", type: "time", unit: "us" },
    { name: "größe", type: "float64" },
  ],
  [
    { name: "a.b.c", type: "string" },
    { name: "__proto__", type: "float64" },
    { name: "", type: "bool" },
  ],
];

/** A field set, and one pair for it that lives through all runs: what it has learned by then is part of the test. */
const pairs: fc.Arbitrary<number> = fc.nat({ max: fieldSets.length - 1 });
const living = new Map<number, Pair>();
function pairFor(index: number): Pair {
  // A new one now and then, for what happens at first sight.
  let pair = living.get(index);
  if (pair === undefined) living.set(index, (pair = new Pair(fieldSets[index]!)));
  return pair;
}

/** Values that a member usually has, and now and then any other. */
const memberValue: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: numberTexts },
  { weight: 4, arbitrary: stringTexts.map((text) => `"${text}"`) },
  fc.constantFrom(
    "true",
    "false",
    "null",
    "nul",
    "tru",
    "{}",
    "[]",
    '{"b":{"c":"x"}}',
    '{"b":1.5}',
    "[1, 2,3 ]",
    '[{"a":[]}]',
  ),
);

/** Records of one layout: the same members in the same order with the same white space, other values. */
const alike: fc.Arbitrary<readonly string[]> = fc
  .tuple(
    fc.array(fc.constantFrom(...names, "x", "a much longer name than sixteen bytes", "b.c"), {
      minLength: 1,
      maxLength: 6,
    }),
    fc.constantFrom("", " ", "\n  "),
    fc.constantFrom("", "\r\n", " \n"),
    fc.integer({ min: 1, max: 12 }),
  )
  .chain(([members, space, end, count]) =>
    fc
      .array(fc.array(memberValue, { minLength: members.length, maxLength: members.length }), {
        minLength: count,
        maxLength: count,
      })
      .map((records) =>
        records.map((values) => {
          const texts = members.map((name, i) => `${space}"${name}":${space}${values[i]!}`);
          return `{${texts.join(",")}${space}}${end}`;
        }),
      ),
  );

const alikeBytes = alike.map((records) => records.map((record) => encoder.encode(record)));

describe("the kernel and the reader", () => {
  test("agree on records of one layout and any values", () => {
    fc.assert(
      fc.property(pairs, alikeBytes, fc.boolean(), (index, records, fresh) => {
        (fresh ? new Pair(fieldSets[index]!) : pairFor(index)).check(records);
      }),
      { numRuns: 600 },
    );
  });

  test("agree on layouts in turns, with anything in between", () => {
    const mixed = fc
      .tuple(
        alikeBytes,
        alikeBytes,
        fc.array(fc.oneof(documents, damaged(documents)), { maxLength: 6 }),
        fc.nat(),
      )
      .map(([a, b, others, seed]) => {
        const all = [...a, ...b, ...others];
        return all.map((_, i) => all[(i * 7 + seed) % all.length]!);
      });
    fc.assert(
      fc.property(pairs, mixed, (index, records) => void pairFor(index).check(records)),
      {
        numRuns: 500,
      },
    );
  });

  test("agree on damaged copies of what they know", () => {
    const property = fc.property(
      pairs,
      alikeBytes.chain((records) =>
        fc
          .array(damaged(fc.constantFrom(...records)), { minLength: 1, maxLength: 20 })
          .map((copies) => (records as Uint8Array[]).concat(copies as Uint8Array[])),
      ),
      (index, records) => void pairFor(index).check(records),
    );
    fc.assert(property, { numRuns: 600 });
  });

  test("agree on every record cut short, each of them the last of its batch", () => {
    const pair = new Pair(fieldSets[0]!);
    const record =
      '{"device":"größe-0042","ts":1700000000123,"temp":-21.57e-1,"x":[1,{"y":null}],"ok":true,"n":-12}';
    pair.check([record, record]);
    const bytes = encoder.encode(record);
    for (let length = 0; length <= bytes.length; length++) pair.check([bytes.slice(0, length)]);
  });

  test("agree on every record with one byte changed to any other", () => {
    const pair = new Pair(fieldSets[0]!);
    const bytes = encoder.encode('{"device":"d-1","ts":1700,"temp":-0.5,"x":null,"ok":true,"n":-12}');
    for (let at = 0; at < bytes.length; at++) {
      const copies = Array.from({ length: 256 }, (_, byte) => {
        const copy = bytes.slice();
        copy[at] = byte;
        return copy;
      });
      pair.check([bytes, ...copies]);
    }
  });

  test("agree on numbers of every length", () => {
    const pair = new Pair([{ name: "v", type: "float64" }]);
    const number = fc.oneof(
      numberTexts,
      fc
        .tuple(fc.bigInt({ min: 0n, max: 10n ** 19n }), fc.integer({ min: 0, max: 22 }))
        .map(([digits, scale]) => {
          const text = digits.toString().padStart(scale + 1, "0");
          return scale === 0 ? text : `${text.slice(0, -scale)}.${text.slice(-scale)}`;
        }),
      fc.double({ min: -1000, max: 1000, noNaN: true }).map(String),
      // Halfway between two doubles (54 bits, the last one set), and one either side of it in the last digit.
      fc
        .tuple(
          fc.bigInt({ min: 2n ** 52n, max: 2n ** 53n - 1n }),
          fc.integer({ min: 0, max: 3 }),
          fc.constantFrom(-1n, 0n, 1n),
        )
        .map(([half, scale, nudge]) => {
          const digits = ((half * 2n + 1n) * 5n ** BigInt(scale) + nudge).toString();
          return scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
        }),
    );
    const property = fc.property(fc.array(number, { minLength: 1, maxLength: 50 }), (numbers) => {
      const decoded = pair.check(numbers.map((text) => `{"v":${text}}`));
      for (const [row, text] of numbers.entries()) {
        const value = Number(text);
        if (Number.isFinite(value)) expect(decoded.columns[0]!.values[row]).toBe(value);
      }
    });
    fc.assert(property, { numRuns: 500 });
  });
});

describe("learning", () => {
  const field: FieldRead[] = [{ name: "v", type: "float64" }];

  test("more layouts than templates, in batches of any size, come out right", () => {
    const pair = new Pair(field);
    for (let round = 0; round < 40; round++) {
      const records = Array.from({ length: 1 + ((round * 97) % 300) }, (_, i) => {
        const layout = (i * i + round) % (limits.templates_max * 2);
        return `{"layout${layout}":${i},"v":${i / 4}}`;
      });
      pair.check(records);
    }
  });

  test("a field that comes and goes is null where it is missing", () => {
    const pair = new Pair(field);
    const decoded = pair.check(['{"v":1}', '{"w":1}', '{"v":2}', '{"w":2}', '{"v":null}', '{"v":3}']);
    expect(rowsOf(decoded.columns[0]!, 6)).toEqual([1, null, 2, null, null, 3]);
    // What one batch left behind must not stand in the next.
    expect(
      pair.check(['{"v":4}', '{"v":5}', '{"v":6}', '{"v":7}', '{"v":8}', '{"v":9}']).columns[0]!.valid,
    ).toBe(null);
  });
});

test("a null in a record that did not fit in the end is forgotten", () => {
  const pair = new Pair([{ name: "v.x", type: "float64" }]);
  const first = '{"v":{"x":1},"w":1}';
  pair.check([first]);
  // The member as it is written comes before the one inside, so that its null is none.
  const both = '{"v":{"x":null},"w":1,"v.x":2}';
  expect(pair.check([first, both, both]).columns[0]!.valid).toBe(null);
  expect(pair.check([first, both, both]).columns[0]!.valid).toBe(null);
});

test("numbers that turn negative after many that were not", () => {
  const pair = new Pair(fieldSets[0]!.slice(1, 4));
  const records = Array.from({ length: 1_500 }, (_, i) => {
    const value = i < 700 ? i : i % 3 === 0 ? -i : i === 900 ? "-0" : i;
    return `{"ts":${value},"x":${value},"temp":${value}.5,"n":${value},"y":1}`;
  });
  pair.check(records);
  pair.check(records.toReversed());
});

test("rows of two layouts in turns, with nulls in one of them", () => {
  const pair = new Pair(fieldSets[0]!);
  const records = Array.from({ length: 1_200 }, (_, i) =>
    i % 2 === 0
      ? `{"device":"d-${i % 7}","ts":${i},"temp":${i % 5 === 0 ? null : i / 8},"ok":${i % 4 === 0}}`
      : `{"n":${i},"temp":${i / 4},"device":${i % 3 === 0 ? null : '"größe"'}}`,
  );
  pair.check(records.slice(0, 10));
  pair.check(records);
});

describe("dictionaries", () => {
  const field: FieldRead[] = [{ name: "v", type: "string" }];

  test("grow within a batch, and keep old codes", () => {
    const pair = new Pair(field);
    const records = Array.from({ length: 9_000 }, (_, i) => `{"v":"${"text ".repeat(i % 9)}${i}"}`);
    const first = pair.check(records.slice(0, 3)).columns[0]!;
    const texts = rowsOf(first, 3);
    const codes = Array.from(first.values as Int32Array);
    pair.check(records);
    expect(codes.map((code) => first.dictionary!.text(code))).toEqual(texts);
  });

  test.each([
    { name: "when full", repeats: 2, dictionaries: 2 },
    { name: "with every batch where no text comes again", repeats: 1, dictionaries: 16 },
  ])("begin anew $name; batches before keep their texts", ({ repeats, dictionaries }) => {
    const decoder = createJsonDecoder(field);
    const rows = 8_192;
    const fresh = rows / repeats;
    const kept: { readonly column: Column; readonly codes: number[]; readonly from: number }[] = [];
    for (let from = 0; from < limits.dictionary_entries_max * 2; from += fresh) {
      const batch = batchOf(Array.from({ length: rows }, (_, i) => `{"v":"device-${from + (i % fresh)}-é"}`));
      const column = decoder.decode(batch).columns[0]!;
      kept.push({ column, codes: [0, 1, rows - 1].map((row) => Number(column.values[row])), from });
    }
    expect(new Set(kept.map((batch) => batch.column.dictionary)).size).toBe(dictionaries);
    for (const { column, codes, from } of kept)
      expect(codes.map((code) => column.dictionary!.text(code))).toEqual(
        [from, from + 1, from + fresh - 1].map((i) => `device-${i}-é`),
      );
  });

  test("of texts that are mostly new are filled as the reader does, whatever stands among them", () => {
    const odd = [
      "",
      "a",
      "device-1",
      "sixteen letters!",
      "Größe",
      '\\"',
      "\\n",
      "\\u00e9",
      "control \u0001",
      "-",
    ];
    const others = ["null", "17", "-1.5", "true", '{"v":1}', '"no end', "[]"];
    const text = fc.oneof(
      { weight: 20, arbitrary: fc.nat(1e6).map((n) => `"device-${n}"`) },
      { weight: 2, arbitrary: fc.nat(300).map((n) => `"${n}"`) },
      { weight: 2, arbitrary: fc.constantFrom(...odd).map((each) => `"${each}"`) },
      { weight: 1, arbitrary: fc.constantFrom(...others) },
    );
    const pair = new Pair([...field, { name: "n", type: "float64" }]);
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 2_000, size: "max" }), (texts) => {
        pair.check(texts.map((each, i) => `{"v":${each},"n":${i}}`));
      }),
      { seed: 41, numRuns: 40 },
    );
  });

  test("hold texts of any length once", () => {
    const pair = new Pair(field);
    const lengths = [0, 1, 15, 16, 17, 31, 32, 33, 1000, limits.string_bytes_max];
    const records = lengths.flatMap((length) =>
      ["a", "b"].map((letter) => `{"v":"${letter.repeat(length)}"}`),
    );
    const decoded = pair.check([...records, ...records]);
    expect(decoded.columns[0]!.dictionary!.size).toBe(lengths.length * 2 - 1);
  });
});

describe("without the kernel's terms", () => {
  test("fields that share a value are read by the reader alone", () => {
    const shared: FieldRead[] = [
      { name: "v", type: "float64" },
      { name: "v", type: "json" },
    ];
    const decoded = createJsonDecoder(shared).decode(batchOf(['{"v":1.50}']));
    expect(decoded.columns.map((column) => rowsOf(column, 1)[0])).toEqual([1.5, "1.50"]);
  });

  test("batches beyond the kernel's memory are decoded all the same", () => {
    const pair = new Pair([{ name: "v", type: "float64" }]);
    const count = limits.kernel_batch_rows_max + 1;
    const batch = batchOf(Array.from({ length: count }, () => '{"v":1}'));
    const decoded = pair.kernel.decode(batch);
    expect([decoded.rows, decoded.columns[0]!.values[count - 1], decoded.faults.length]).toEqual([
      count,
      1,
      0,
    ]);
  });

  test("an empty batch, and payloads that do not begin at 0", () => {
    const pair = new Pair([{ name: "v", type: "float64" }]);
    expect(pair.kernel.decode(batchOf([])).rows).toBe(0);
    const bytes = encoder.encode('{"v":0}{"v":1}{"v":2}');
    const decoded = pair.kernel.decode({ bytes, offsets: Uint32Array.of(7, 14, 21), count: 2 });
    expect(Array.from(decoded.columns[0]!.values as Float64Array)).toEqual([1, 2]);
  });
});

test.each([1, 2, 3, 6, 7, 8, 9, 14, 15, 16, 17])(
  "a known text of %i bytes with NULs behind it is not that text",
  (length) => {
    const record = (end: string): string =>
      `{"device":"${"abcdefghijklmnopqrst".slice(0, length)}${end}","temp":1}`;
    const known = Array.from({ length: 600 }, () => record(""));
    const pair = new Pair([
      { name: "device", type: "string" },
      { name: "temp", type: "float64" },
    ]);
    pair.check(known);
    const { faults } = pair.check([...known.slice(300), record("\0"), record("\0\0\0"), ...known.slice(300)]);
    expect(faults.length).toBe(2);
  },
);
