// Keys: the same values the same id, different values different ids, whatever their types, however many
// parts, and through every change of dictionary; and a full table says so.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Batch,
  type Column,
  type ColumnReference,
  type ColumnType,
  noKey,
  type Scalar,
  valueAt,
} from "../../operators/sdk/index.ts";
import { makeBatch } from "../batch/batch.ts";
import { makeColumn, makeWritable, TextDictionary } from "../batch/columns.ts";
import { limits } from "../limits.ts";
import { Keys, makeKeyTable } from "./keys.ts";

type KeyType = Exclude<ColumnType, "json">;

function columnOf(type: KeyType, cells: readonly Scalar[], dictionary: TextDictionary): Column {
  const column = makeColumn(type, cells.length, type === "string" ? dictionary : null);
  cells.forEach((cell, row) => {
    if (cell === null) return;
    column.valid[row] = 1;
    column.values[row] = (typeof cell === "string" ? dictionary.code(cell) : cell) as never;
  });
  return column;
}

function batchOf(
  types: readonly KeyType[],
  rows: readonly (readonly Scalar[])[],
  dictionary = new TextDictionary(),
): Batch {
  const time = new Float64Array(rows.length);
  return makeBatch({
    schema: { fields: types.map((type, i) => ({ name: `k${i}`, type })), rest: null },
    columns: types.map((type, part) =>
      columnOf(
        type,
        rows.map((row) => row[part]!),
        dictionary,
      ),
    ),
    rows: rows.length,
    time,
    watermark: time,
  });
}

function references(types: readonly KeyType[]): ColumnReference[] {
  return types.map((type, index) => ({ name: `k${index}`, type, index }));
}

function identify(table: ReturnType<typeof makeKeyTable>, batch: Batch): number[] {
  const ids = new Uint32Array(batch.count);
  table.identify(batch, ids);
  return [...ids];
}

/** The keys of `ids`, as the table writes them. */
function written(
  table: ReturnType<typeof makeKeyTable>,
  types: readonly KeyType[],
  ids: readonly number[],
): Scalar[][] {
  const parts = types.map((type, part) => {
    const out = makeWritable(type, ids.length, type === "string" ? new TextDictionary() : null);
    table.write(part, Uint32Array.from(ids), ids.length, out);
    return ids.map((_, row) => valueAt(out as Column, row));
  });
  return ids.map((_, row) => parts.map((part) => part[row]!));
}

const cells: Readonly<Record<KeyType, fc.Arbitrary<Scalar>>> = {
  string: fc.constantFrom("", "a", "b", "ab", "__proto__", "null", null),
  float64: fc.constantFrom(0, 1, -1, 0.5, 1e300, null),
  time: fc.constantFrom(0, 1, -86_400_000, null),
  int64: fc.constantFrom(0n, 1n, -(2n ** 63n), 2n ** 53n + 1n, 2n ** 53n, null),
  bool: fc.constantFrom(true, false, null),
};

const cases = fc
  .array(fc.constantFrom<KeyType>("string", "float64", "time", "int64", "bool"), {
    minLength: 1,
    maxLength: 4,
  })
  .chain((types) =>
    fc.record({
      types: fc.constant(types),
      batches: fc.array(fc.array(fc.tuple(...types.map((type) => cells[type])), { maxLength: 12 }), {
        maxLength: 5,
      }),
      shared: fc.boolean(),
    }),
  );

describe("ids", () => {
  test("are dense, in the order of the first record, and lead back to the key", () => {
    fc.assert(
      fc.property(cases, ({ types, batches, shared }) => {
        const table = makeKeyTable(references(types));
        const dictionary = new TextDictionary();
        const seen: string[] = [];
        const tell = (row: readonly Scalar[]): string =>
          row.map((cell) => `${typeof cell} ${String(cell)}`).join("|");
        for (const rows of batches) {
          const batch = shared ? batchOf(types, rows, dictionary) : batchOf(types, rows);
          const ids = identify(table, batch);
          rows.forEach((row, i) => {
            if (!seen.includes(tell(row))) seen.push(tell(row));
            expect(ids[i]).toBe(seen.indexOf(tell(row)));
          });
          expect(written(table, types, ids)).toEqual(rows);
        }
        expect(table.size).toBe(seen.length);
      }),
      { seed: 10, numRuns: 150 },
    );
  });

  test("only of selected rows", () => {
    const table = makeKeyTable(references(["string"]));
    const batch = batchOf(["string"], [["a"], ["b"], ["c"]]);
    expect(identify(table, { ...batch, selection: Uint32Array.of(2, 0), count: 2 })).toEqual([0, 1]);
    expect(table.size).toBe(2);
  });

  test("0 and -0 are one key", () => {
    const table = makeKeyTable(references(["float64"]));
    expect(identify(table, batchOf(["float64"], [[0], [-0], [0]]))).toEqual([0, 0, 0]);
    const first = makeKeyTable(references(["float64"]));
    expect(identify(first, batchOf(["float64"], [[-0], [0]]))).toEqual([0, 0]);
    expect(written(first, ["float64"], [0])).toEqual([[0]]);
  });

  test("without key columns everything is one group", () => {
    const table = makeKeyTable([]);
    expect(identify(table, batchOf(["string"], [["a"], [null]]))).toEqual([0, 0]);
    expect(table.size).toBe(1);
    expect(() => written(table, ["string"], [0])).toThrow(RangeError);
  });

  test("a dictionary that grows between batches, beyond what is remembered of it", () => {
    const table = makeKeyTable(references(["string"]));
    const dictionary = new TextDictionary();
    for (let round = 0; round < 6; round++) {
      const rows = Array.from({ length: 30 }, (_, i) => [`k${(round * 20 + i) % 130}`]);
      const ids = identify(table, batchOf(["string"], rows, dictionary));
      expect(written(table, ["string"], ids)).toEqual(rows);
    }
    expect(table.size).toBe(130);
  });
});

test("few keys among many texts are the keys that they are among few", () => {
  const row = fc.tuple(fc.option(fc.nat(9).map((n) => `k${n}`)));
  const batches = fc.array(fc.array(row, { maxLength: 20 }), { maxLength: 6 });
  fc.assert(
    fc.property(batches, fc.integer({ min: 1, max: 6 }), (all, max) => {
      const [few, many] = [
        makeKeyTable(references(["string"]), max),
        makeKeyTable(references(["string"]), max),
      ];
      const texts = new TextDictionary();
      for (let n = 399; n >= 0; n--) texts.code(`k${n}`);
      for (const rows of all)
        expect(identify(many, batchOf(["string"], rows, texts))).toEqual(
          identify(few, batchOf(["string"], rows)),
        );
      expect(many.size).toBe(few.size);
    }),
    { seed: 7, numRuns: 150 },
  );
});

test("keys of one length, until one of another comes or one is taken out", () => {
  const name = fc.oneof(
    { weight: 30, arbitrary: fc.nat(40).map((n) => `device-${String(n).padStart(2, "0")}`) },
    { weight: 1, arbitrary: fc.constantFrom("another device", "x") },
  );
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.array(name, { minLength: 1, maxLength: 30 }) },
    { weight: 1, arbitrary: fc.constantFrom("forget", "restart") },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      let table = new Keys(references(["string"]), limits.keys_max);
      const ids = new Map<string, number>();
      for (const each of steps) {
        if (each === "restart") {
          const data = table.snapshot();
          table = new Keys(references(["string"]), limits.keys_max);
          table.restore(data);
        } else if (each === "forget") {
          for (const [text, id] of [...ids].slice(0, 1)) {
            table.forget(id);
            ids.delete(text);
          }
        } else {
          const found = identify(
            table,
            batchOf(
              ["string"],
              each.map((text) => [text]),
            ),
          );
          each.forEach((text, i) => {
            if (!ids.has(text)) expect([...ids.values()]).not.toContain(found[i]);
            ids.set(text, ids.get(text) ?? found[i]!);
            expect(found[i]).toBe(ids.get(text));
          });
        }
        const known = [...ids];
        expect(
          written(
            table,
            ["string"],
            known.map(([, id]) => id),
          ),
        ).toEqual(known.map(([text]) => [text]));
      }
    }),
    { seed: 31, numRuns: 150 },
  );
});

test("more keys than are looked up together, new and known, too long and null", () => {
  const table = makeKeyTable(references(["string"]));
  const long = "x".repeat(limits.key_bytes_max + 1);
  const rows = Array.from({ length: 3_000 }, (_, i): [Scalar] =>
    i % 97 === 0 ? [long] : i % 89 === 0 ? [null] : [`k${(i * 7) % 2_000}`],
  );
  const ids = identify(table, batchOf(["string"], rows));
  const known = new Map<Scalar, number>();
  rows.forEach(([text], i) => {
    if (text === long) expect(ids[i]).toBe(noKey);
    else expect(ids[i]).toBe(known.get(text) ?? (known.set(text, known.size), known.size - 1));
  });
  expect(table.size).toBe(known.size);
  expect(identify(table, batchOf(["string"], rows))).toEqual(ids);
});

test("one that is too long is no key, whatever its hash meets", () => {
  const long = "x".repeat(limits.key_bytes_max + 1);
  const rows = [...Array.from({ length: 44 }, (_, i) => [`k${i}`]), [long]];
  const batch = batchOf(["string"], rows);
  for (let secret = 0; secret < 20_000; secret++) {
    const table = makeKeyTable(references(["string"]));
    identify(table, batch);
    expect(identify(table, { ...batch, selection: Uint32Array.of(44), count: 1 })).toEqual([noKey]);
  }
});

describe("a full table", () => {
  test.each([["string"], ["float64"]] as const)(
    "of %s keeps those it has and has no key for others",
    (type) => {
      const table = makeKeyTable(references([type]), 2);
      const [a, b, c] = type === "string" ? ["a", "b", "c"] : [1, 2, 3];
      const rows = [[a!], [b!], [c!], [a!], [null], [b!], [c!]];
      expect(identify(table, batchOf([type], rows))).toEqual([0, 1, noKey, 0, noKey, 1, noKey]);
      expect(table.size).toBe(2);
    },
  );

  test("null is a key like any other", () => {
    const table = makeKeyTable(references(["string"]), 1);
    expect(identify(table, batchOf(["string"], [[null], ["a"], [null]]))).toEqual([0, noKey, 0]);
  });

  test("of several parts is full in its pairs, or in one of its parts", () => {
    const pairs = makeKeyTable(references(["string", "string"]), 3);
    const rows = [
      ["a", "x"],
      ["a", "y"],
      ["b", "x"],
      ["b", "y"],
      ["a", "x"],
    ];
    expect(identify(pairs, batchOf(["string", "string"], rows))).toEqual([0, 1, 2, noKey, 0]);
    const parts = makeKeyTable(references(["string", "string"]), 2);
    const wide = [
      ["a", "x"],
      ["b", "y"],
      ["c", "x"],
      ["a", "z"],
      ["b", "y"],
    ];
    expect(identify(parts, batchOf(["string", "string"], wide))).toEqual([0, 1, noKey, noKey, 1]);
  });

  test("a key that is too long has none", () => {
    const table = makeKeyTable(references(["string"]));
    const long = "k".repeat(limits.key_bytes_max);
    expect(identify(table, batchOf(["string"], [[long], [`${long}k`], [long]]))).toEqual([0, noKey, 0]);
  });

  test("a key whose bytes are too many has none, though its characters are not", () => {
    const table = makeKeyTable(references(["string"]));
    const wide = "ä".repeat(limits.key_bytes_max / 2);
    expect(identify(table, batchOf(["string"], [[wide], [`${wide}ä`]]))).toEqual([0, noKey]);
  });
});

/** What the table has to say, with a Map of texts: the slow twin. */
class TwinKeys {
  readonly #ids = new Map<string, number>();
  readonly #max: number;
  readonly #free: number[] = [];
  #size = 0;

  constructor(max: number) {
    this.#max = max;
  }

  id(name: string, adds: boolean): number {
    const found = this.#ids.get(name);
    if (found !== undefined) return found;
    if (!adds || this.#ids.size >= this.#max) return noKey;
    const id = this.#free.pop() ?? this.#size++;
    this.#ids.set(name, id);
    return id;
  }

  forget(place: number): number | null {
    const known = [...this.#ids];
    if (known.length === 0) return null;
    const [name, id] = known[place % known.length]!;
    this.#ids.delete(name);
    this.#free.push(id);
    return id;
  }
}

/** Texts that are near each other: prefixes, one byte apart, of every length around a word, in several bytes a character. */
const hostile: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: fc.constantFrom("a", "b", "\0", "\u007f"), maxLength: 9 }),
  fc.string({ unit: fc.constantFrom("ä", "€", "😀", "\uffff", "a"), maxLength: 4 }),
  fc.nat(300).map((n) => `device-${String(n).padStart(6, "0")}`),
);

describe("keys that are forgotten", () => {
  test("as the slow twin says, of one column and of two", () => {
    const rows = fc.array(fc.tuple(fc.option(hostile), fc.option(fc.double({ noNaN: true }))), {
      maxLength: 40,
    });
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ rows, adds: fc.boolean(), shared: fc.boolean() }) },
      { weight: 3, arbitrary: fc.record({ forget: fc.array(fc.nat(), { maxLength: 30 }) }) },
    );
    const types = fc.constantFrom<KeyType[]>(["string"], ["float64"], ["string", "float64"]);
    fc.assert(
      fc.property(
        types,
        fc.array(step, { maxLength: 30 }),
        fc.integer({ min: 1, max: 200 }),
        (by, steps, max) => {
          const keys = new Keys(references(by), max);
          const twin = new TwinKeys(max);
          const dictionary = new TextDictionary();
          for (const each of steps) {
            if ("forget" in each) {
              for (const place of each.forget) {
                const id = twin.forget(place);
                if (id !== null) keys.forget(id);
              }
              continue;
            }
            const values = each.rows.map(([text, number]) =>
              by.length === 2 ? [text, number] : [by[0] === "string" ? text : number],
            );
            const batch = each.shared ? batchOf(by, values, dictionary) : batchOf(by, values);
            const ids = new Uint32Array(batch.count);
            if (each.adds) keys.identify(batch, ids);
            else keys.find(batch, ids);
            const names = values.map((row) =>
              row.map((value) => `${typeof value} ${String(value)}`).join(" | "),
            );
            expect([...ids]).toEqual(names.map((name) => twin.id(name, each.adds)));
            const known = values.flatMap((row, i) => (ids[i] === noKey ? [] : [{ row, id: ids[i]! }]));
            const plain = known.map(({ row }) => row.map((value) => (value === 0 ? 0 : value)));
            expect(
              written(
                keys,
                by,
                known.map(({ id }) => id),
              ),
            ).toEqual(plain);
          }
        },
      ),
      { seed: 14, numRuns: 150 },
    );
  });

  test("leave their room to others, however many there are", () => {
    const keys = new Keys(references(["float64"]), 100);
    const ids = new Uint32Array(50);
    for (let round = 0; round < 4_000; round++) {
      const rows = Array.from({ length: 50 }, (_, i) => [round * 50 + i]);
      keys.identify(batchOf(["float64"], rows), ids);
      expect(ids.every((id) => id < 100)).toBe(true);
      expect(written(keys, ["float64"], [...ids])).toEqual(rows);
      for (const id of ids) keys.forget(id);
    }
    expect(keys.size).toBe(50);
  });
});

test("so many texts that some have the same hash", () => {
  const table = makeKeyTable(references(["string"]));
  const texts = Array.from({ length: 200_000 }, (_, i) => [`sensor/${i.toString(36)}`]);
  const all = identify(table, batchOf(["string"], texts));
  expect(all.every((id, place) => id === place)).toBe(true);
  expect(identify(table, batchOf(["string"], texts.toReversed()))).toEqual(all.toReversed());
});
