// The exact reader against JSON.parse: it accepts the same documents, and reads the same values out of them.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PayloadBuilder } from "../../batch/payloads.ts";
import { limits } from "../../limits.ts";
import type { Decoded, FieldRead } from "../codec.ts";
import { createJsonDecoder } from "./decoder.ts";
import { damaged, documents, names } from "./generators.ts";

const encoder = new TextEncoder();

function decode(fields: readonly FieldRead[], documents: readonly (string | Uint8Array)[]): Decoded {
  const builder = new PayloadBuilder(documents.length, 1e9);
  for (const document of documents)
    builder.add(typeof document === "string" ? encoder.encode(document) : document, "s", 0);
  return createJsonDecoder(fields, { kernel: false }).decode(builder.view());
}

/** The value of a row, null where it is null. */
function valueAt(decoded: Decoded, field: number, row: number): unknown {
  const column = decoded.columns[field]!;
  if (column.valid?.[row] === 0) return null;
  if (column.type === "bool") return column.values[row] === 1;
  return column.dictionary === null ? column.values[row] : column.dictionary.text(Number(column.values[row]));
}

class NumberText {
  readonly source: string;
  constructor(source: string) {
    this.source = source;
  }
}

function hasLoneSurrogate(text: string): boolean {
  const whole = text.replaceAll(/\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\[^u]/g, "");
  return /\\u[dD][89a-fA-F]/.test(whole);
}

/** What JSON.parse makes of a document, its numbers as text; undefined when it is none for us. */
function parse(payload: Uint8Array): object | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(payload);
    type Context = { readonly source: string };
    const revive = (_name: string, value: unknown, context?: Context): unknown =>
      typeof value === "number" ? new NumberText(context!.source) : value;
    const parsed = JSON.parse(text, revive as (name: string, value: unknown) => unknown) as unknown;
    if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return undefined;
    return parsed instanceof NumberText || hasLoneSurrogate(text) ? undefined : parsed;
  } catch {
    return undefined;
  }
}

/** The members of an object, those that stand twice as well; of anything else none. */
type Members = readonly (readonly [name: string, value: Members])[];

/** Of a document that is well-formed. */
function membersOf(document: string): Members {
  const tokens = document.match(/"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s{}[\]:,"]+/g)!;
  let at = 0;
  const value = (): Members => {
    const token = tokens[at++];
    if (token === "[") {
      while (tokens[at] !== "]")
        if (tokens[at] === ",") at++;
        else value();
      at++;
      return [];
    }
    if (token !== "{") return [];
    const members: [string, Members][] = [];
    while (tokens[at] !== "}") {
      if (tokens[at] === ",") at++;
      const name = JSON.parse(tokens[at]!) as string;
      at += 2;
      members.push([name, value()]);
    }
    at++;
    return members;
  };
  return value();
}

/** Whether a name on the way to a field stands twice, before another place tells its value. */
function isTwice(members: Members, name: string): boolean {
  const named = (text: string): Members => members.filter(([each]) => each === text);
  const own = named(name);
  if (own.length > 0) return own.length > 1;
  const dot = name.indexOf(".");
  if (dot < 0) return false;
  const [first, second] = named(name.slice(0, dot));
  return second !== undefined || (first !== undefined && isTwice(first[1], name.slice(dot + 1)));
}

function resolve(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof NumberText)
    return undefined;
  if (Object.hasOwn(value, name)) return Reflect.get(value, name);
  const dot = name.indexOf(".");
  if (dot < 0) return undefined;
  const first = name.slice(0, dot);
  return Object.hasOwn(value, first) ? resolve(Reflect.get(value, first), name.slice(dot + 1)) : undefined;
}

const fault = Symbol("fault");

/** What a field of a type must hold for a value of JSON.parse. */
function expected(value: unknown, field: FieldRead): unknown {
  if (value === undefined || value === null) return null;
  const source = value instanceof NumberText ? value.source : undefined;
  switch (field.type) {
    case "float64":
      return source !== undefined && Number.isFinite(Number(source)) ? Number(source) : fault;
    case "int64": {
      if (source === undefined || !/^-?\d+$/.test(source)) return fault;
      return BigInt.asIntN(64, BigInt(source)) === BigInt(source) ? BigInt(source) : fault;
    }
    case "bool":
      return typeof value === "boolean" ? value : fault;
    case "string":
      return typeof value === "string" ? value : fault;
    case "time": {
      if (source === undefined || Math.abs(Number(source)) > 8.64e15) return fault;
      return Number(source);
    }
    default:
      throw new TypeError(field.type);
  }
}

function check(payload: Uint8Array): void {
  for (const type of ["float64", "int64", "bool", "string", "time"] as const) {
    const fields = names.map((name) => ({ name, type }));
    const decoded = decode(fields, [payload]);
    const parsed = parse(payload);
    if (parsed === undefined) {
      expect(decoded.faults).toMatchObject([{ row: 0, field: -1, reason: "decode" }]);
      continue;
    }
    const members = membersOf(new TextDecoder().decode(payload));
    for (const [index, field] of fields.entries()) {
      const isFaulty = isTwice(members, field.name);
      const want = isFaulty ? fault : expected(resolve(parsed, field.name), field);
      const faults = decoded.faults.filter((found) => found.field === index || found.field === -1);
      if (want === fault) expect(faults).toMatchObject([{ reason: "type" }]);
      else {
        expect(faults).toEqual([]);
        expect(valueAt(decoded, index, 0)).toBe(want);
      }
    }
  }
}

describe("the reader and JSON.parse", () => {
  test("agree on random and hostile documents", () => {
    fc.assert(fc.property(documents, check), { numRuns: 800 });
  });

  test("agree on damaged documents", () => {
    fc.assert(fc.property(damaged(documents), check), { numRuns: 800 });
  });

  test("agree on raw values", () => {
    const property = fc.property(documents, (payload) => {
      const fields = names.map((name) => ({ name, type: "json" as const }));
      const decoded = decode(fields, [payload]);
      const parsed = parse(payload);
      if (parsed === undefined) return;
      const text = new TextDecoder().decode(payload);
      const plain: unknown = JSON.parse(text);
      for (const [index, name] of names.entries()) {
        const raw = valueAt(decoded, index, 0) as string | null;
        const value = isTwice(membersOf(text), name) ? null : (resolve(plain, name) ?? null);
        expect(raw === null ? null : JSON.parse(raw)).toEqual(value);
        expect(raw?.trim()).toBe(raw ?? undefined);
      }
    });
    fc.assert(property, { numRuns: 400 });
  });
});

describe("faults", () => {
  test("a broken document says where, and its row is null", () => {
    const decoded = decode([{ name: "a", type: "float64" }], ['{"a":1}', '{"a":2,}', '{"a":3}']);
    expect(decoded.faults).toEqual([
      { row: 1, field: -1, reason: "decode", detail: "byte 7: expected a member's name in quotes" },
    ]);
    expect([0, 1, 2].map((row) => valueAt(decoded, 0, row))).toEqual([1, null, 3]);
  });

  test("a wrong type names both types, and only that field is null", () => {
    const fields: FieldRead[] = [
      { name: "a", type: "float64" },
      { name: "b", type: "string" },
      { name: "c", type: "int64" },
      { name: "d", type: "time" },
    ];
    const decoded = decode(fields, ['{"a":"x","b":"y","c":1.5,"d":true}']);
    expect(decoded.faults.map((found) => [found.field, found.reason, found.detail])).toEqual([
      [0, "type", "expected float64, got string"],
      [2, "type", "expected int64, got a number with a fraction or an exponent"],
      [3, "type", "expected time in ms, got bool"],
    ]);
    expect(valueAt(decoded, 1, 0)).toBe("y");
  });

  test("a name that stands twice is one, on the way to a field as well, for those alone who read it", () => {
    const fields: FieldRead[] = ["a", "s.x", "s.y"].map((name) => ({ name, type: "float64" }));
    const faultsOf = (text: string): unknown => decode(fields, [text]).faults.map(({ field }) => field);
    expect(decode(fields, ['{"a":1,"a":1}']).faults).toEqual([
      { row: 0, field: 0, reason: "type", detail: "expected one value, got several of that name" },
    ]);
    expect(faultsOf('{"a":null,"b":1,"b":2,"\\u0061":null}')).toEqual([0]);
    expect(faultsOf('{"s":{"x":1,"x":2,"y":3}}')).toEqual([1]);
    expect(faultsOf('{"s":{"x":1},"a":1,"s":{"y":3}}')).toEqual([1, 2]);
    expect(faultsOf('{"s":{"x":1},"t":{"x":1,"x":2}}')).toEqual([]);
    // What stands as it is written comes first.
    expect(faultsOf('{"s":{"x":1},"s":5,"s.x":4}')).toEqual([2]);
    // Each record by itself.
    expect(decode(fields, ['{"a":1,"a":2}', '{"a":3}']).faults).toHaveLength(1);
  });

  test("half a surrogate pair is a decode fault, read or not", () => {
    for (const text of ['{"a":"\\ud800"}', '{"x":"\\udc00\\ud800"}', '{"\\ud83d":1}'])
      expect(decode([{ name: "a", type: "string" }], [text]).faults[0]?.detail).toMatch(/surrogate pair/);
  });

  test("every bound of limits.ts is refused one beyond and taken at it", () => {
    const field: FieldRead[] = [{ name: "a", type: "float64" }];
    const nested = (levels: number) => '{"x":'.repeat(levels - 1) + "{}" + "}".repeat(levels - 1);
    const members = (count: number) => `{${Array.from({ length: count }, (_, i) => `"${i}":0`).join()}}`;
    const text = (length: number) => `{"x":"${"y".repeat(length)}"}`;
    const sized = (length: number) => `{}${" ".repeat(length - 2)}`;
    const pairs: [(size: number) => string, number][] = [
      [nested, limits.payload_depth_max],
      [members, limits.payload_fields_max],
      [text, limits.string_bytes_max],
      [sized, limits.payload_bytes_max],
    ];
    for (const [make, bound] of pairs) {
      expect(decode(field, [make(bound)]).faults).toEqual([]);
      expect(decode(field, [make(bound + 1)]).faults[0]?.detail).toContain(`at most ${bound} `);
    }
  });
});

describe("time", () => {
  const time = (unit: FieldRead["unit"], text: string): unknown => {
    const decoded = decode([{ name: "t", type: "time", unit: unit! }], [`{"t":${text}}`]);
    return decoded.faults[0]?.detail ?? valueAt(decoded, 0, 0);
  };

  test("units become milliseconds, rounded once", () => {
    expect(time("s", "1700000000.123")).toBe(1_700_000_000_123);
    expect(time("s", "1.7e9")).toBe(1.7e12);
    expect(time("us", "1700000000123456")).toBe(1_700_000_000_123.456);
    expect(time("ns", "1700000000123456789")).toBe(1_700_000_000_123.456_8);
    expect(time("ms", "-1")).toBe(-1);
    expect(time("ms", "8.64e15")).toBe(8.64e15);
    expect(time("ms", "8640000000000001")).toMatch(/beyond/);
  });

  test("ISO text agrees with Date, to the day and to the zone", () => {
    const dates = fc.date({ noInvalidDate: true, min: new Date("0000-01-01"), max: new Date("9999-12-31") });
    const zones = fc.tuple(
      fc.constantFrom("+", "-"),
      fc.integer({ min: 0, max: 23 }),
      fc.integer({ min: 0, max: 59 }),
    );
    fc.assert(
      fc.property(dates, zones, (date, [sign, hours, minutes]) => {
        const zone = `${sign}${String(hours).padStart(2, "0")}:${String(minutes).padStart(2, "0")}`;
        const text = date.toISOString().replace("Z", zone);
        expect(time("iso", `"${date.toISOString()}"`)).toBe(date.getTime());
        expect(time("iso", `"${date.toISOString().slice(0, 10)}"`)).toBe(
          Date.parse(date.toISOString().slice(0, 10)),
        );
        expect(time("iso", `"${text}"`)).toBe(Date.parse(text));
      }),
      { numRuns: 300 },
    );
    expect(time("iso", '"2024-02-29T12:30:59.123456789+02:00"')).toBe(
      Date.UTC(2024, 1, 29, 10, 30, 59, 123) + 0.456_789,
    );
    expect(time("iso", '"2024-02-29T12:30Z"')).toBe(Date.UTC(2024, 1, 29, 12, 30));
  });

  test("ISO text without a zone, or of a day that is none, is a fault", () => {
    for (const text of [
      "2024-02-29T12:30:00",
      "2023-02-29",
      "2024-13-01",
      "2024-1-1",
      "2024-01-01 00:00Z",
      "2024-01-01T24:00Z",
      "2024-01-01T00:00:60Z",
      "today",
    ])
      expect(time("iso", `"${text}"`)).toMatch(/expected time as ISO 8601/);
    expect(time("iso", "5")).toMatch(/got number/);
  });
});

test("a dictionary that is full is left to its readers and a new one begins", () => {
  const decoder = createJsonDecoder([{ name: "a", type: "string" }], { kernel: false });
  const builder = new PayloadBuilder(limits.dictionary_entries_max, 1e9);
  for (let i = 0; i < limits.dictionary_entries_max; i++) builder.add(encoder.encode(`{"a":"${i}"}`), "s", 0);
  const before = decoder.decode(builder.view()).columns[0]!.dictionary!;
  builder.reset();
  builder.add(encoder.encode('{"a":"next"}'), "s", 0);
  const after = decoder.decode(builder.view()).columns[0]!.dictionary!;
  expect(before.text(7)).toBe("7");
  expect([after.size, after.text(0)]).toEqual([1, "next"]);
});
