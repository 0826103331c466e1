// What a table may be written as, and every way in which it can be wrong: by file, line and column. Hostile
// contents give an error or a table, never anything else.

import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { type ColumnType, valueAt } from "../../../operators/sdk/index.ts";
import { WeirError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { ReferenceContent, ReferenceFormat } from "./content.ts";
import { decodeReference } from "./decode.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function file(format: ReferenceFormat, text: string | Uint8Array): ReferenceContent {
  const bytes = typeof text === "string" ? bytesOf(text) : text;
  return { kind: "file", name: `devices.${format}`, format, bytes };
}

function bucket(entries: Readonly<Record<string, string>>): ReferenceContent {
  const list = Object.entries(entries).map(([key, text]) => ({ key, value: bytesOf(text) }));
  return { kind: "entries", name: "devices", entries: list };
}

/** The table as plain data: by key, its row. */
function read(
  content: ReferenceContent,
  columns: Readonly<Record<string, ColumnType>> = { site: "string", limit: "float64" },
  type: ColumnType = "string",
): [unknown, unknown[]][] {
  const fields = Object.entries(columns).map(([name, of]) => ({ name, type: of }));
  const decoded = decodeReference(content, { key: { name: "id", type }, columns: fields });
  return [...decoded.places].map(([key, row]) => [key, decoded.columns.map((each) => valueAt(each, row))]);
}

const two = [
  ["r1", ["north", -18]],
  ["r2", ["south, gate 2", null]],
];

describe("ways to write a table", () => {
  test.each<[string, ReferenceContent]>([
    ["csv", file("csv", 'id,site,limit\nr1,north,-18\nr2,"south, gate 2",\n')],
    [
      "csv with more columns, CRLF, a mark, blank lines",
      file("csv", '\ufefflimit,x,site,id\r\n\r\n-18,,north,r1\r\n,"a\nb","south, gate 2",r2'),
    ],
    [
      "ndjson",
      file("ndjson", '{"id":"r1","site":"north","limit":-18}\n\n{"site":"south, gate 2","id":"r2"}\n'),
    ],
    [
      "a list",
      file(
        "json",
        '[{"id":"r1","site":"north","limit":-18},\n {"id":"r2","site":"south, gate 2","limit":null}]',
      ),
    ],
    [
      "an object by key",
      file("json", '{"r1":{"site":"north","limit":-18,"id":7},"r\\u0032":{"site":"south, gate 2","x":"}]"}}'),
    ],
    ["a bucket", bucket({ r1: '{"site":"north","limit":-18}', r2: '{"site":"south, gate 2"}' })],
  ])("%s", (_title, content) => {
    expect(read(content)).toEqual(two);
  });

  test.each<[string, ReferenceContent]>([
    ["csv of a header alone", file("csv", "id,site,limit\n")],
    ["no lines", file("ndjson", "\n")],
    ["an empty list", file("json", " [ ] ")],
    ["an empty object", file("json", "{}")],
    ["an empty bucket", bucket({})],
  ])("nothing: %s", (_title, content) => {
    expect(read(content)).toEqual([]);
  });

  test("keys are of the type of the records' column", () => {
    const columns = { site: "string" } as const;
    expect(read(file("csv", "id,site\n1.50,a\n2,b\n"), columns, "float64")).toEqual([
      [1.5, ["a"]],
      [2, ["b"]],
    ]);
    expect(read(bucket({ "9007199254740993": '{"site":"a"}' }), columns, "int64")).toEqual([
      [9_007_199_254_740_993n, ["a"]],
    ]);
    expect(read(file("json", '{"true":{"site":"a"},"false":{"site":"b"}}'), columns, "bool")).toEqual([
      [1, ["a"]],
      [0, ["b"]],
    ]);
    // Two texts of one number: the later counts in a bucket, where no line could tell them apart.
    expect(read(bucket({ "1.0": '{"site":"a"}', "01": '{"site":"b"}' }), columns, "float64")).toEqual(
      read(bucket({ "1": '{"site":"b"}' }), columns, "float64"),
    );
  });

  test("every type of column", () => {
    const columns = { a: "int64", b: "bool", c: "time", d: "json" } as const;
    expect(
      read(file("ndjson", '{"id":"k","a":9007199254740993,"b":true,"c":5,"d":{"x":[1]}}'), columns),
    ).toEqual([["k", [9_007_199_254_740_993n, true, 5, '{"x":[1]}']]]);
  });
});

describe("mistakes name file, line and column", () => {
  test.each<[string, ReferenceContent, string]>([
    [
      "a text where a number belongs",
      file("csv", "id,site,limit\nr1,n,1\n\nr2,n,cold\n"),
      "devices.csv:4: column limit: expected float64, got other text",
    ],
    [
      "after a cell of two lines",
      file("csv", 'id,site,limit\nr1,"a\nb",1\nr2,n,cold\n'),
      "devices.csv:4: column limit: expected float64, got other text",
    ],
    ["too few cells", file("csv", "id,site,limit\nr1,n\n"), "devices.csv:2: expected 3 columns, got 2"],
    [
      "a quote that does not end",
      file("csv", 'id,site,limit\nr1,n,1\nr2,"n,1\n'),
      "devices.csv:3: expected a line of CSV, got one in which a quote is not closed",
    ],
    [
      "a column that is missing",
      file("csv", "id,place,limit\n"),
      "devices.csv:1: expected one column site, got id, place, limit",
    ],
    ["a column twice", file("csv", "id,site,site,limit\n"), "devices.csv:1: expected one column site, got 2"],
    ["no header", file("csv", ""), "devices.csv:1: expected a header line with the names of the columns"],
    [
      "a key twice",
      file("csv", "id,site,limit\na,,\nb,,\na,,\n"),
      'devices.csv:4: the key "a" stands in line 2 already',
    ],
    ["no key", file("csv", "id,site,limit\n,n,1\n"), "devices.csv:2: column id: expected a key, got null"],
    ["no key", file("ndjson", '{"site":"n"}\n'), "devices.ndjson:1: column id: expected a key, got null"],
    [
      "a number where a text belongs",
      file("ndjson", '{"id":"a"}\n{"id":"b","site":7}\n'),
      "devices.ndjson:2: column site: expected string, got number",
    ],
    ["no object in a line", file("ndjson", "[]\n"), "devices.ndjson:1: byte 0: expected an object"],
    [
      "neither list nor object",
      file("json", "7"),
      "devices.json:1: expected a list of objects, or an object with an object for each key",
    ],
    [
      "nothing at all",
      file("json", ""),
      "devices.json:1: expected a list of objects, or an object with an object for each key",
    ],
    ["a list of numbers", file("json", "[\n1]"), "devices.json:2: expected an object"],
    ["one record alone", file("json", '{"id":"r1"}'), "devices.json:1: expected an object"],
    ["no end", file("json", '[{"id":"a"}\n,{"id":"b"'), "devices.json:2: expected the end of an object"],
    ["no comma", file("json", '[{"id":"a"} {"id":"b"}]'), "devices.json:1: expected ',' or ']'"],
    ["more behind it", file("json", "[]\n[]"), "devices.json:2: expected nothing after the table"],
    ["no colon", file("json", '{"a" {}}'), "devices.json:1: expected ':' after a key"],
    ["a key with a line end", file("json", '{"a\n":{}}'), "devices.json:2: expected a key in quotes"],
    [
      "a broken record",
      file("json", '{\n"a":{},\n"b":{"site":nul}}'),
      'devices.json:3: key "b": byte 8: expected null',
    ],
    [
      "a key twice",
      file("json", '{"a":{},\n"a":{}}'),
      'devices.json:2: the key "a" stands in line 1 already',
    ],
    [
      "no UTF-8",
      file("csv", Uint8Array.of(105, 100, 10, 255)),
      "devices.csv: expected UTF-8 text, got other bytes",
    ],
    ["no object in a bucket", bucket({ r1: "17" }), 'devices: key "r1": byte 0: expected an object'],
    [
      "a wrong type in a bucket",
      bucket({ r1: '{"limit":"x"}' }),
      'devices: key "r1": column limit: expected float64, got string',
    ],
  ])("%s: %#", (_title, content, message) => {
    expect(() => read(content)).toThrow(message);
  });

  test("a key that is no number", () => {
    expect(() => read(bucket({ a: "{}" }), {}, "float64")).toThrow('devices: key "a": expected float64');
  });

  test("too many rows", () => {
    const text = `id,site,limit\n${"a,,\n".repeat(limits.lookup_rows_max + 1)}`;
    expect(() => read(file("csv", text))).toThrow(/^devices.csv: expected at most \d+ rows, got \d+$/);
  });
});

it("names that objects have of themselves are keys and columns like others", () => {
  const columns = { __proto__: "string", constructor: "string", toString: "float64" } as const;
  const named = Object.fromEntries([["__proto__", "string"], ...Object.entries(columns)]) as Record<
    string,
    ColumnType
  >;
  const text =
    '{"__proto__":{"constructor":"c","__proto__":"p"},"constructor":{"toString":1},"hasOwnProperty":{}}';
  expect(read(file("json", text), named)).toEqual([
    ["__proto__", ["p", "c", null]],
    ["constructor", [null, null, 1]],
    ["hasOwnProperty", [null, null, null]],
  ]);
  expect(read(file("csv", "id,__proto__,constructor,toString\n__proto__,p,c,1\n"), named)).toEqual([
    ["__proto__", ["p", "c", 1]],
  ]);
});

it("whatever the bytes are, there is a table or an error that says what to do", () => {
  const piece = fc.constantFrom(
    '{"id":"a"}',
    "{",
    "}",
    "[",
    "]",
    '"',
    "\\",
    ",",
    ":",
    "\n",
    "id,site,limit",
    "a,b,1",
    "7",
    " ",
  );
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.array(piece, { maxLength: 12 }).map((parts) => bytesOf(parts.join(""))),
  );
  fc.assert(
    fc.property(fc.constantFrom("csv", "json", "ndjson" as const), bytes, (format, hostile) => {
      try {
        read(file(format as ReferenceFormat, hostile));
      } catch (error) {
        expect(error).toBeInstanceOf(WeirError);
        expect((error as WeirError).remedy).not.toBe("");
      }
    }),
    { seed: 7, numRuns: 3000 },
  );
});
