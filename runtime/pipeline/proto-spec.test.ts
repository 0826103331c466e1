// `proto` beside `format: protobuf`: what columns a message gives, and every mistake at its place.

import { describe, expect, test } from "vitest";
import { catalog } from "../../operators/catalog.ts";
import { readProto } from "../codec/protobuf/proto-file.ts";
import { type Loaded, loadPipeline } from "./load.ts";

const files: Readonly<Record<string, string>> = {
  "a.proto": `syntax = "proto3"; package plant; import "units/b.proto"; message A { int64 ts = 1; }`,
  "press.proto": `syntax = "proto3"; package plant; import "shared.proto"; import "google/protobuf/timestamp.proto";
    message Press { string machine = 1; int64 ts = 2; double force = 3; Mode mode = 4; Oil oil = 5; bytes raw = 6;
      google.protobuf.Timestamp at = 7; Press next = 8; repeated double list = 9; fixed32 n = 10; }
    message Out { string machine = 1; float force = 2; Oil oil = 3; }`,
  "shared.proto": `syntax = "proto3"; package plant; enum Mode { IDLE = 0; } message Oil { optional float temp = 1; }`,
  "broken.proto": `syntax = "proto3";\nmessage A {\n  double x 1;\n}`,
  "missing.proto": `syntax = "proto3"; import "gone.proto"; message A { double x = 1; }`,
  "unresolved.proto": `syntax = "proto3"; message A { Nothing x = 1; }`,
  "loop.proto": `syntax = "proto3"; import "loop.proto"; message A { double x = 1; }`,
  "lists.proto": `syntax = "proto3"; message A { ${Array.from({ length: 9 }, (_, i) => `repeated B b${i} = ${i + 1};`).join(" ")} }
    message B { ${Array.from({ length: 200 }, (_, i) => `double x${i} = ${i + 1};`).join(" ")} repeated B again = 201; }`,
  "wide.proto": `syntax = "proto3"; message A { ${Array.from({ length: 9 }, (_, i) => `B b${i} = ${i + 1};`).join(" ")} }
    message B { ${Array.from({ length: 200 }, (_, i) => `double x${i} = ${i + 1};`).join(" ")} }`,
};

function load(source: string, steps = "[{ sink: { stdout: {} } }]"): Loaded {
  const content = `name: p\nsource:\n  nats: { subject: in }\n  ${source}\nsteps: ${steps}\n`;
  const read = new Map<string, ReturnType<typeof readProto>>();
  const protos = (path: string): ReturnType<typeof readProto> => {
    if (!read.has(path))
      read.set(
        path,
        readProto(path, (each) => files[each] ?? null),
      );
    return read.get(path)!;
  };
  return loadPipeline({ file: "p.yaml", content, catalogue: catalog, protos });
}

function faults(source: string, steps?: string): string[] {
  return load(source, steps).diagnostics.map(
    ({ line, column, message, hint }) => `${line}:${column} ${message} | ${hint}`,
  );
}

const press = "{ format: protobuf, proto: { file: press.proto, message: plant.Press } }".slice(2, -2);
const lines = (text: string): string =>
  text.replaceAll(", proto:", "\n  proto:").replaceAll(", time:", "\n  time:");

test("every scalar of the message is a column, and there are no others", () => {
  const { plan, diagnostics } = load(lines(`${press}, time: { field: ts }`));
  expect(diagnostics).toEqual([]);
  expect(plan!.schema.rest).toBe(null);
  expect(Object.fromEntries(plan!.schema.fields.map(({ name, type }) => [name, type]))).toEqual({
    machine: "string",
    ts: "time",
    force: "float64",
    mode: "string",
    "oil.temp": "float64",
    "at.seconds": "int64",
    "at.nanos": "float64",
    n: "float64",
  });
});

test("records that nothing changed are sent on as they are, to the same message only", () => {
  const to = (message: string): string =>
    `[{ filter: force > 1 }, { sink: { nats: { subject: out }, format: protobuf, proto: { file: press.proto, message: ${message} } } }]`;
  const { plan } = load(lines(press), to("Press"));
  expect(plan!.branches[0]!.forwards).toBe(true);
  expect(plan!.inputs[0]!.fields.map(({ name }) => name)).toEqual(["force"]);
  expect(faults(lines(press), to("plant.Out"))).toEqual([
    "6:121 the rows have a column ts of type int64: plant.Out has no scalar field ts | expected machine, force or oil.temp",
  ]);
});

describe("mistakes", () => {
  const of = (file: string, message = "A"): string =>
    lines(`format: protobuf, proto: { file: ${file}, message: ${message} }`);
  test.each([
    [of("none.proto"), "5:18 there is no file none.proto that may be read"],
    [of("broken.proto"), "5:18 broken.proto: illegal token '1', '=' expected (line 3)"],
    [of("missing.proto"), "5:18 there is no file gone.proto that may be read"],
    [of("a.proto"), '5:18 a.proto: import "units/b.proto" leads elsewhere | only files beside it are read'],
    [of("unresolved.proto"), "5:18 unresolved.proto: no such Type or Enum 'Nothing' in Type .A"],
    [of("press.proto", "Pres"), "5:40 press.proto has no message Pres | expected plant.Press or plant.Out"],
    [of("wide.proto"), "5:39 A and the messages in it have more than 1000 fields"],
    ["format: protobuf", "4:11 protobuf needs a .proto file | add proto: { file"],
    ["proto: { file: a.proto, message: A }", "4:3 proto belongs to format: protobuf"],
    [lines(`${press}, time: { field: tss }`), "6:18 plant.Press has no field tss | did you mean ts?"],
    [lines(`${press}, time: { field: mode }`), "6:18 plant.Press.mode is enum, not time | expected string"],
    [`${lines(press)}\n  schema: { force: string }`, "6:13 plant.Press.force is double, not string"],
    [
      `${lines(press)}\n  schema: { raw: string }`,
      "6:13 plant.Press.raw is bytes, not string | expected json",
    ],
    [
      `${lines(press)}\n  schema: { list: float64 }`,
      "6:13 plant.Press.list is a list, not float64 | expected json",
    ],
    [`${lines(press)}\n  schema: { lst: json }`, "6:13 plant.Press has no field lst | did you mean list?"],
    [`${lines(press)}\n  schema: { next: json }`, "6:13 plant.Press has no field next"],
  ])("%s", (source, fault) => {
    expect(faults(source)[0]).toContain(fault);
  });

  test("a file that imports itself is read once, and a field may be declared as another type that it can be", () => {
    expect(faults(of("loop.proto"))).toEqual([]);
    expect(
      faults(
        `${lines(press)}\n  schema: { ts: float64, at.seconds: float64, n: int64, list: json, raw: json }`,
      ),
    ).toEqual([]);
    expect(faults(`${of("lists.proto")}\n  schema: { b0: json, b8: json }`)).toEqual([]);
  });

  test("rows without line ends go to no file", () => {
    const sink = "[{ sink: { stdout: {}, format: protobuf, proto: { file: press.proto, message: Press } } }]";
    expect(faults(lines(press), sink)).toEqual([
      "6:39 protobuf has no line ends, so it is sent to nats only | write json or csv",
    ]);
  });
});
