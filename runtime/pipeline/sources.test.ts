// Several sources in one file: the one stream that they make, and each mistake among them with its place.

import { describe, expect, it } from "vitest";
import { operators } from "./cold-chain.fixture.ts";
import { explainPlan } from "./explain.ts";
import { type Loaded, loadPipeline } from "./load.ts";

function load(text: string): Loaded {
  return loadPipeline({ file: "p.yaml", content: text, catalogue: operators });
}

function faultsOf(text: string): string[] {
  return load(text).diagnostics.map(
    ({ line, column, message, hint }) => `${line}:${column} ${message}${hint === null ? "" : ` | ${hint}`}`,
  );
}

const temp =
  'temp: { nats: { subject: "sensors.{device}.temp" }, schema: { ts: time, value: float64 }, time: { field: ts, lateness: 5s, idle: 10s } }';
const door =
  'door: { nats: { subject: "sensors.{room}.{device}.door" }, format: msgpack, schema: { open: bool }, time: { field: at, unit: s } }';
const toStdout = "  - sink: { stdout: {}, format: json }";

function withSources(sources: readonly string[], rest = `steps:\n${toStdout}`): string {
  return `name: p\nsources:\n${sources.map((each) => `  ${each}\n`).join("")}${rest}\n`;
}

describe("the stream of several sources", () => {
  it("has every column of any of them once, and the source's name; nothing else", () => {
    const { plan, diagnostics } = load(withSources([temp, door]));
    expect(diagnostics).toEqual([]);
    expect(plan!.schema).toEqual({
      fields: [
        { name: "ts", type: "time" },
        { name: "value", type: "float64" },
        { name: "device", type: "string" },
        { name: "open", type: "bool" },
        { name: "at", type: "time" },
        { name: "room", type: "string" },
        { name: "source", type: "string" },
      ],
      rest: null,
    });
    expect(plan!.branches[0]!.forwards).toBe(false);
    expect(plan!.inputs.map(({ places, timeIndex }) => ({ places, timeIndex }))).toEqual([
      { places: [0, 1, 2, -1, -1, -1, -1], timeIndex: 0 },
      { places: [-1, -1, 3, 0, 1, 2, -1], timeIndex: 1 },
    ]);
    expect(plan!.inputs[1]!.fields).toEqual([
      { name: "open", type: "bool" },
      { name: "at", type: "time", unit: "s" },
    ]);
  });

  it("reads of each what somebody uses", () => {
    const steps = `steps:\n  - window: { tumbling: 1m, by: [source, device], select: { mean: mean(value) } }\n${toStdout}`;
    const { plan, diagnostics } = load(withSources([temp, door], steps));
    expect(diagnostics).toEqual([]);
    expect(plan!.inputs.map(({ fields }) => fields.map(({ name }) => name))).toEqual([
      ["ts", "value"],
      ["at"],
    ]);
  });

  it("is explained source by source, and runs at home", () => {
    const { plan } = load(withSources([temp, door], `steps:\n  - filter: source == "temp"\n${toStdout}`));
    const { sources, steps } = explainPlan(plan!);
    expect(steps.map(({ runs }) => runs)).toEqual(["home"]);
    expect(sources.map(({ name, format, time }) => [name, format, time?.field, time?.idle_ms])).toEqual([
      ["temp", "json", "ts", 10_000],
      ["door", "msgpack", "at", null],
    ]);
    expect(sources[1]).toMatchObject({
      kind: "nats",
      target: "sensors.*.*.door on default (core NATS)",
      subject: [
        { name: "room", token: 1 },
        { name: "device", token: 2 },
      ],
    });
  });

  it("may have the machine's own measurements in it, whose fields are known", () => {
    const { plan, diagnostics } = load(withSources([temp, "host: { host: { every: 1s } }"]));
    expect(diagnostics).toEqual([]);
    expect(plan!.inputs[1]!.timeIndex).toBe(2);
  });
});

describe("mistakes among sources", () => {
  it.each([
    [[temp], ["2:1 expected two or more sources; write a single one under source"]],
    [
      Array.from({ length: 9 }, (_, place) => temp.replace("temp:", `s${place}:`)),
      ["2:1 expected at most 8 sources"],
    ],
    [
      [temp, "Door: { nats: { subject: a } }"],
      ["4:3 Door cannot be a name here | a source's name is lower-case letters, digits, - and _, at most 64"],
    ],
    [
      [temp, "door: { nats: { subject: a }, time: { field: ts } }"],
      [
        "4:3 door declares no schema | with several sources, each says what fields it has: schema: { ts: time, value: float64 }",
      ],
    ],
    [
      [temp, "door: { nats: { subject: a }, schema: { open: bool } }"],
      ["4:3 door has no time field, and temp has one | give each source time with its field, or none"],
    ],
    [
      [temp, "door: { nats: { subject: a }, schema: { value: bool }, time: { field: ts } }"],
      ["4:50 value is bool here, and float64 in temp at 3:82 | a column has one type in all sources"],
    ],
    [
      [temp, "door: { nats: { subject: a }, schema: { device: bool }, time: { field: ts } }"],
      ["4:51 device is bool here, and string in temp at 3:37 | a column has one type in all sources"],
    ],
    [
      [temp, "door: { nats: { subject: a }, schema: { open: bool }, time: { field: value } }"],
      ["4:72 value is time here, and float64 in temp at 3:82 | a column has one type in all sources"],
    ],
    [
      [temp, 'door: { nats: { subject: "a.{source}" }, schema: { source: string }, time: { field: ts } }'],
      ["4:31 source is a field of the schema as well | give the token another name"],
    ],
    [
      [temp, "door: { nats: { subject: a }, schema: { source: string }, time: { field: ts } }"],
      ["4:51 source is the column that holds the source's name | give the field another name"],
    ],
    [
      [temp, "door: { nats: { subject: 'a b' }, schema: { open: bool }, time: {} }"],
      [
        "4:29 a subject holds no spaces | remove them, or use - or _",
        "4:61 field is missing | name the field that holds the time",
      ],
    ],
    [
      ["temp: { nats: { subject: a }, schema: { ts: time }, time: { field: ts, idle: 0s } }", door],
      ["3:80 a source is idle after some silence: write a longer time, or leave idle out"],
    ],
  ])("%s", (sources, faults) => {
    expect(faultsOf(withSources(sources))).toEqual(faults);
  });

  it("are told beside source, in tests and in sinks", () => {
    expect(faultsOf(`source: { nats: { subject: a } }\n${withSources([temp, door])}`)).toEqual([
      "3:1 sources stands beside source | keep one of them",
    ]);
    const sink = "steps: [{ sink: { nats: { subject: sensors.a.b.door } } }]";
    expect(faultsOf(withSources([temp, door], sink))).toEqual([
      "5:36 the source door reads sensors.{room}.{device}.door, so these rows would come in again | send them to another subject",
    ]);
    const tests = `steps:\n${toStdout}\ntests:\n  - name: t\n    input:\n      - { ts: 1s }\n      - { source: dor, record: { at: 1s } }\n      - { source: door, at: 1s }`;
    expect(faultsOf(withSources([temp, door], tests))).toEqual([
      "10:11 this does not say which source it comes in by | write { source: temp, record: { … } }",
      "11:19 there is no source dor | did you mean door?",
      "12:11 this does not say which source it comes in by | write { source: temp, record: { … } }",
    ]);
  });

  it("do not hide that one of them has a setting that is wrong", () => {
    expect(faultsOf(withSources([temp, "door: { natz: { subject: a } }"]))).toEqual([
      "4:11 unknown setting natz | did you mean nats?",
    ]);
  });
});

it("a test's records say which source they come in by, with times in that one's unit", () => {
  const tests = `steps:\n${toStdout}\ntests:\n  - name: t\n    input:\n      - { source: temp, record: { ts: 1s, at: 1s } }\n      - { source: door, record: { at: 2s, source: x }, subject: sensors.hall.d1.door }\n      - { source: door, raw: x }\n      - { pause: 1s }`;
  const { plan, diagnostics } = load(withSources([temp, door], tests));
  expect(diagnostics).toEqual([]);
  expect(plan!.spec.tests[0]!.input).toEqual([
    { kind: "record", source: "temp", subject: null, record: { ts: 1_000, at: "1s" } },
    { kind: "record", source: "door", subject: "sensors.hall.d1.door", record: { at: 2, source: "x" } },
    { kind: "raw", source: "door", subject: null, text: "x" },
    { kind: "pause", ms: 1_000 },
  ]);
});
