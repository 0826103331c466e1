// Specs: what a file says when it is right, and each mistake with its place, message and hint.

import { describe, expect, it } from "vitest";
import { coldChain } from "./cold-chain.fixture.ts";
import { faultsOf, read } from "./spec.fixture.ts";

/** A whole file around one part. */
function withSource(source: string): string {
  return `name: p\nsource: ${source}\nsteps: [{ sink: { stdout: {} } }]\n`;
}

function withSteps(steps: string): string {
  return `name: p\nsource: { nats: { subject: a } }\nsteps:\n${steps}\n`;
}

describe("the design page's example", () => {
  const { spec, diagnostics } = read(coldChain);

  it("is read without a mistake", () => {
    expect(diagnostics).toEqual([]);
  });

  it("says what it says", () => {
    expect(spec).toMatchObject({
      name: "cold-chain",
      inputs: [
        {
          name: "source",
          path: ["source"],
          source: {
            kind: "nats",
            to: "default",
            subject: "sensors.reefer.*.temp",
            stream: "SENSORS",
            consumer: null,
          },
          format: "json",
          schema: { device: "string", ts: "time", temp: "float64", door: "bool" },
          time: { field: "ts", unit: "ms", lateness: 30_000, idle: 10_000, ahead: 300_000 },
        },
      ],
      deadLetter: { sink: { kind: "nats", subject: "dlq.cold-chain", stream: "DLQ" } },
    });
    expect(spec!.steps.map(({ operator, path }) => ({ operator, path }))).toEqual([
      { operator: "filter", path: ["steps", 0, "filter"] },
    ]);
    expect(spec!.branches.map(({ name, format, path }) => ({ name, format, path }))).toEqual([
      { name: "condensed", format: "msgpack", path: ["steps", 1, "branch", "condensed", 1, "sink"] },
      { name: "alarms", format: "json", path: ["steps", 1, "branch", "alarms", 1, "sink"] },
    ]);
    expect(spec!.branches[1]!.steps[0]!.path).toEqual(["steps", 1, "branch", "alarms", 0, "hold"]);
  });

  it("has times of its test in ms since the epoch", () => {
    expect(spec!.tests).toEqual([
      {
        name: "a warm reefer raises one alarm",
        lookups: {},
        input: [
          { kind: "record", record: { device: "r1", ts: 0, temp: -10 }, subject: null, source: null },
          { kind: "record", record: { device: "r1", ts: 660_000, temp: -10 }, subject: null, source: null },
        ],
        expect: { alarms: [{ device: "r1" }] },
        deadLetter: null,
      },
    ]);
  });
});

describe("defaults", () => {
  it("of a file: the format of its ending", () => {
    for (const [path, format] of [
      ["a.ndjson", "json"],
      ["a.JSONL", "json"],
      ["x/a.json", "json"],
      ["a.csv", "csv"],
    ]) {
      expect(read(withSource(`{ file: { path: ${path} } }`)).spec?.inputs[0]).toMatchObject({
        format,
        source: { rate: null, speed: null },
      });
    }
  });

  it("of the host: its fields, its time, all sensors", () => {
    const { spec, diagnostics } = read(withSource("{ host: { every: 100ms } }"));
    expect(diagnostics).toEqual([]);
    expect(spec?.inputs[0]).toMatchObject({
      source: {
        kind: "host",
        every: 100,
        sensors: ["cpu", "load", "memory", "disk", "network", "temperature"],
      },
      format: "json",
      schema: { sensor: "string", name: "string", ts: "time", value: "float64", unit: "string" },
      time: { field: "ts", unit: "ms", lateness: 0, idle: null, ahead: 300_000 },
    });
  });

  it("of a pipeline without branches: main", () => {
    const { spec } = read(withSteps("  - filter: a > 1\n  - sink: { file: { path: out.ndjson } }"));
    expect(spec!.branches).toMatchObject([
      { name: "main", steps: [], sink: { kind: "file", path: "out.ndjson" }, format: "json" },
    ]);
    expect(spec!.steps).toHaveLength(1);
  });
});

describe("mistakes at the top", () => {
  it.each([
    ["", ["1:1 the file is empty | a pipeline file begins with name:, source: and steps:"]],
    ["- a", ["1:1 expected a map of settings | a pipeline file begins with name:, source: and steps:"]],
    [
      `${withSource("{ nats: { subject: a } }")}sorce: 1`,
      ["4:1 unknown setting sorce | did you mean source?"],
    ],
    [
      `${withSource("{ nats: { subject: a } }")}sink: { stdout: {} }`,
      ["4:1 unknown setting sink | sink is the last of the steps: - sink: …"],
    ],
    [
      "name: p\nsource: { nats: { subject: a } }",
      ["1:1 steps is missing | a pipeline has at least one step: a sink"],
    ],
    [
      "name: p\nsteps: [{ sink: { stdout: {} } }]",
      [
        "1:1 source is missing | say where records come from, as in source: { nats: { subject: sensors.temp } }",
      ],
    ],
    [
      "name: p\nsources: { nats: { subject: a } }\nsteps: [{ sink: { stdout: {} } }]",
      [
        "2:1 sources holds the settings of one source | write source: for one; of several, each stands under a name of its own",
      ],
    ],
    [
      "source: { nats: { subject: a } }\nsteps: [{ sink: { stdout: {} } }]",
      ["1:1 name is missing | expected text"],
    ],
    [
      "name: Cold Chain\nsource: { nats: { subject: a } }\nsteps: [{ sink: { stdout: {} } }]",
      ["1:7 a pipeline's name is lower-case letters, digits, - and _, at most 64; write cold-chain"],
    ],
    [
      "name: 12\nsource: { nats: { subject: a } }\nsteps: [{ sink: { stdout: {} } }]",
      ['1:7 expected text, got 12 | write it in quotes: "12"'],
    ],
    [
      "name: ../../etc\nsource: { nats: { subject: a } }\nsteps: [{ sink: { stdout: {} } }]",
      ["1:7 a pipeline's name is lower-case letters, digits, - and _, at most 64; write etc"],
    ],
    ...["constructor", "__proto__"].map((name): [string, string[]] => [
      `name: ${name}\nsource: { nats: { subject: a } }\nsteps: [{ sink: { stdout: {} } }]`,
      [`1:7 ${name} cannot be a name here; choose another name`],
    ]),
  ])("%j", (text, faults) => {
    expect(faultsOf(text)).toEqual(faults);
  });
});

describe("mistakes in the source", () => {
  it.each([
    ["{ }", ["2:1 source needs one of nats, file, host"]],
    [
      "{ nats: { subject: a }, file: { path: a.csv } }",
      ["2:33 file stands beside nats | keep one of nats, file, host"],
    ],
    [
      "{ file: { path: 'drop/*.csv' } }",
      [
        "2:25 a source reads one file, not those of a pattern: weir feed FILE puts each onto subjects, which nats reads",
      ],
    ],
    [
      '{ file: { path: "C:\\new\\a.csv" } }',
      [
        "2:25 a path holds no tab and no line end: between double quotes a backslash begins an escape; write '…' around it",
      ],
    ],
    ["{ nats: { stream: S } }", ["2:11 subject is missing | write it like sensors.{site}.{device}.temp"]],
    [
      "{ nats: { subject: $SYS.> } }",
      ["2:28 $SYS is reserved | subjects that begin with $ or _INBOX belong to the server"],
    ],
    ['{ nats: { subject: "a..b" } }', ["2:31 an empty token | a subject has text on both sides of each dot"]],
    ["{ nats: { subject: a, strem: S } }", ["2:31 unknown setting strem | did you mean stream?"]],
    ["{ nats: { subject: a, consumer: c } }", ["2:31 a consumer belongs to a stream | add stream"]],
    [
      "{ nats: { subject: a }, framing: values }",
      ["2:42 a message cannot hold values of json | json has message, lines, array, lane, senml, influx"],
    ],
    [
      "{ nats: { subject: a }, format: msgpack, framing: lines }",
      ["2:59 a message cannot hold lines of msgpack | msgpack has message, values, lane"],
    ],
    ["{ file: { path: a.csv }, framing: lines }", ["2:43 framing is for messages of nats | remove framing"]],
    [
      "{ nats: { subject: a }, format: csv }",
      [
        "2:33 no message of csv names its columns | declare them in their order: schema: { device: string, temp: float64 }",
      ],
    ],
    [
      "{ nats: { subject: a, stream: S, journal: true } }",
      ["2:42 a stream keeps its messages itself | remove journal, or stream"],
    ],
    [
      "{ nats: { subject: a, journal: { sequence: n } }, format: msgpack }",
      ["2:52 no numbers are read from msgpack | remove sequence"],
    ],
    [
      "{ nats: { subject: a, journal: { bytes: 1MiB, age: 10ms } } }",
      ["2:49 is at least 16MiB", "2:60 is at least 1s"],
    ],
    [
      "{ nats: { subject: a, stream: S, overflow: drop_newest } }",
      ["2:42 a stream waits and never overflows | remove overflow, or stream"],
    ],
    [
      "{ nats: { subject: a, overflow: drop } }",
      ['2:41 expected drop_oldest or drop_newest, got the text "drop"'],
    ],
    [
      "{ nats: { subject: a, stream: a.b } }",
      ["2:39 a stream's or consumer's name holds no space, dot, slash or wildcard"],
    ],
    [
      "{ nats: { subject: a }, format: jsn }",
      ['2:41 expected json, msgpack, csv or protobuf, got the text "jsn" | did you mean json?'],
    ],
    [
      "{ nats: { subject: a }, schema: { temp: flaot64 } }",
      [
        '2:49 expected float64, int64, bool, string, time or json, got the text "flaot64" | did you mean float64?',
      ],
    ],
    [
      "{ nats: { subject: a }, schema: { ts: float64 }, time: { field: ts } }",
      [
        "2:47 ts is the time field and must be of type time, not float64 | declare ts: time, and say what it is written in with unit",
      ],
    ],
    [
      "{ nats: { subject: a }, schema: { stamp: time }, time: { field: stmp } }",
      ["2:73 the schema has no field stmp | did you mean stamp?"],
    ],
    [
      "{ nats: { subject: a }, time: { unit: ms } }",
      ["2:33 field is missing | name the field that holds the time"],
    ],
    [
      "{ nats: { subject: a }, time: { field: ts, lateness: 30 } }",
      ["2:62 expected text, got 30 | write it like 10s or 1m30s"],
    ],
    [
      "{ nats: { subject: a }, time: { field: ts, lateness: 30x } }",
      ['2:62 expected a duration such as 500ms, 10s, 1m30s or 2h, got "30x"'],
    ],
    [
      "{ nats: { subject: a }, time: { field: ts, unit: sec } }",
      ['2:58 expected s, ms, us, ns or iso, got the text "sec" | did you mean s?'],
    ],
    [
      '{ nats: { subject: "a.{ts}" }, time: { field: ts } }',
      ["2:31 ts is the time field; a token is text | give the token another name"],
    ],
    [
      '{ nats: { subject: "a.{x}" }, schema: { x: string } }',
      ["2:31 x is a field of the schema as well | give the token another name"],
    ],
    [
      "{ file: { path: a.bin } }",
      ["2:25 the format of a.bin does not show in its name | add format: json, csv"],
    ],
    [
      "{ file: { path: a.bin }, format: msgpack }",
      ["2:42 msgpack has no line ends, so it is read from nats only | write them as json"],
    ],
    ["{ file: { path: a.csv, speed: 2 } }", ["2:32 speed needs the file's own time | add time with field"]],
    [
      "{ file: { path: a.csv, rate: fast } }",
      ['2:38 expected a number, got the text "fast" | write a number, such as 5'],
    ],
    ["{ file: { path: a.csv, rate: 0 } }", ["2:38 expected at least 0.001, got 0"]],
    ["{ host: { every: 1ms } }", ["2:26 measures at most every 100ms"]],
    [
      "{ host: { every: 1s, sensors: [cpu, dsk] } }",
      [
        '2:45 expected cpu, load, memory, disk, network or temperature, got the text "dsk" | did you mean disk?',
      ],
    ],
    [
      "{ host: { every: 1s }, schema: { a: string } }",
      ["2:32 the fields of host are known | remove it; they are sensor, name, ts, value, unit"],
    ],
    [
      "{ nats: { subject: a/b } }",
      [
        "2:28 a subject's tokens are parted by dots, not slashes | what devices publish to an MQTT topic of this name is the subject a.b",
      ],
    ],
    ["{ nats: { subject: a/+ } }", ["2:28 a/+ is an MQTT topic | as a subject it is a.*"]],
    [
      "{ mqtt: {} }",
      [
        "2:11 unknown setting mqtt | use nats: nats-server takes MQTT itself, and what devices publish to a/b is the subject a.b",
      ],
    ],
    [
      "{ nats: { subject: a }, schema: { t: timestamp } }",
      [
        '2:46 expected float64, int64, bool, string, time or json, got the text "timestamp" | did you mean time?',
      ],
    ],
    [
      "nats",
      [
        '2:9 expected a map, got the text "nats" | write its settings under it: nats, file, host, format, proto, framing, schema, time',
      ],
    ],
  ])("%s", (source, faults) => {
    expect(faultsOf(withSource(source))).toEqual(faults);
  });
});

it("no rows are written into the file that is read", () => {
  const text = (sink: string): string =>
    `name: a\nsource: { file: { path: data/in.ndjson } }\nsteps:\n  - sink: { file: { path: ${sink} } }\n`;
  expect(faultsOf(text("./data/in.ndjson"))).toEqual([
    "4:27 the source reads data/in.ndjson, so these rows would stand in what is read | write them to another file",
  ]);
  expect(faultsOf(text("data/out.ndjson"))).toEqual([]);
});

describe("mistakes in the steps", () => {
  it.each([
    [
      "  - fliter: a > 1\n  - sink: { stdout: {} }",
      ["4:5 there is no operator fliter | did you mean filter?"],
    ],
    ["  - filter: a > 1", ["4:5 the pipeline ends without a sink | add a last step: - sink: { … }"]],
    [
      "  - sink: { stdout: {} }\n  - filter: a > 1",
      ["5:5 a step after the sink | the sink comes last in the pipeline"],
    ],
    [
      "  - filter:a > 1",
      [
        "4:5 expected a step: the name of an operator and its settings | a space follows the colon: - filter: a > 1",
        "4:5 the pipeline ends without a sink | add a last step: - sink: { … }",
      ],
    ],
    [
      "  - filter",
      [
        "4:5 expected a step: the name of an operator and its settings | write - filter: with its settings",
        "4:5 the pipeline ends without a sink | add a last step: - sink: { … }",
      ],
    ],
    [
      "  - filter: a > 1\n    set: { b: a }\n  - sink: { stdout: {} }",
      [
        "5:5 set stands beside filter in one step | begin it with a dash of its own, or indent it as a setting",
      ],
    ],
    [
      "  - window:\n    tumbling: 1m\n    select: { n: count() }\n  - sink: { stdout: {} }",
      [
        "5:5 window has no settings under it: tumbling, select stand beside it | indent what belongs to window further than window",
      ],
    ],
    [
      "  - filter: true\n  - sink:\n    stdout: {}",
      [
        '4:13 expected text, got true | write it in quotes: "true"',
        "6:5 sink has no settings under it: stdout stands beside it | indent what belongs to sink further than sink",
      ],
    ],
    [
      "  - hold:\n    filter: a > 1\n  - sink: { stdout: {} }",
      [
        "5:5 filter stands beside hold in one step | begin it with a dash of its own, or indent it as a setting",
        "4:5 expected a map, got nothing | a map without settings is {}",
      ],
    ],
    [
      "  - filter: true\n  - sink: { stdout: {} }",
      ['4:13 expected text, got true | write it in quotes: "true"'],
    ],
    [
      "  - window: { tumbling: 1x, select: { n: count() } }\n  - sink: { stdout: {} }",
      ['4:25 expected a duration such as 500ms, 10s, 1m30s or 2h, got "1x"'],
    ],
    [
      "  - window: { tumbling: 1m, slect: { n: count() } }\n  - sink: { stdout: {} }",
      ["4:29 unknown setting slect | did you mean select?"],
    ],
    [
      "  - window: { session: 10s, max: 1h, select: { n: count() } }\n  - sink: { stdout: {} }",
      [
        '4:24 expected a map, got the text "10s" | write its settings under it: gap, max',
        "4:29 unknown setting max | write it under session, whose settings are gap, max",
      ],
    ],
    [
      "  - reorder: { within: 5s }\n  - sink: { stdout: {} }",
      ["4:16 unknown setting within | it has no settings: {}"],
    ],
    [
      "  - absence: { for: 1m, returns: 'true' }\n  - sink: { stdout: {} }",
      ['4:34 expected true or false, got the text "true" | write it without quotes'],
    ],
    [
      "  - swinging_door: { value: x, band: 5% }\n  - sink: { stdout: {} }",
      ['4:38 expected a number, got the text "5%" | write a number, such as 5'],
    ],
    ["  - select: 5\n  - sink: { stdout: {} }", ["4:13 expected a list or a map, got 5"]],
    ["  - sink: { nothing: {} }", []],
    ["  - sink: {}", ["4:5 sink needs one of nats, file, stdout, nothing"]],
    [
      "  - sink: { stdout: {}, file: { path: a } }",
      ["4:25 file stands beside stdout | keep one of nats, file, stdout, nothing"],
    ],
    [
      "  - sink: { nats: { subject: a.*, stream: S } }",
      [
        "4:32 a subject that is sent to holds no wildcard | write the token out, or take it from a column: {device}",
      ],
    ],
    [
      "  - sink: { nats: { subject: a } }",
      ["4:30 the source reads a, so these rows would come in again | send them to another subject"],
    ],
    [
      "  - sink: { stdout: {}, format: yaml }",
      ['4:33 expected json, msgpack, csv or protobuf, got the text "yaml"'],
    ],
    [
      "  - sink: { file: { path: a.bin }, format: msgpack }",
      ["4:44 msgpack has no line ends, so it is sent to nats only | write json or csv"],
    ],
    ["  - sink: { nothing: {}, format: msgpack }", []],
    [
      "  - sink: { file: { path: a.csv }, batch: { rows: 10 } }",
      ["4:36 batch is for messages of nats | remove batch"],
    ],
    [
      "  - sink: { nats: { subject: b, delivery: subject } }",
      [
        "4:33 delivery is for a stream: core NATS cannot tell what it has | name the stream, or remove delivery",
      ],
    ],
    [
      "  - sink: { nats: { subject: b, stream: S, delivery: twice } }",
      ['4:54 expected exclusive, subject, lane, bucket or message_id, got the text "twice"'],
    ],
    [
      "  - sink: { nats: { subject: b, stream: S, delivery: bucket }, batch: {} }",
      ["4:64 the value of a key is one row | remove batch"],
    ],
    [
      "  - sink: { nats: { subject: b, stream: S, delivery: lane }, batch: {} }",
      ["4:62 a lane packs rows by itself | remove batch"],
    ],
    [
      "  - sink: { nats: { subject: b }, format: protobuf, proto: { file: a.proto, message: A }, batch: {} }",
      [
        "4:68 there is no file a.proto that may be read | ",
        "4:91 protobuf does not tell where a record ends, so a message holds one | remove batch",
      ],
    ],
    [
      "  - sink: { nats: { subject: a }, batch: { rows: 1, bytes: 2MiB, wait: x } }",
      [
        "4:50 expected at least 2, got 1",
        "4:60 a message holds at most 1048576 bytes",
        '4:72 expected a duration such as 500ms, 10s, 1m30s or 2h, got "x"',
      ],
    ],
    [
      "  - branch:\n      A b: [{ sink: { stdout: {} } }]",
      ["5:7 A b cannot be a branch's name | lower-case letters, digits, - and _, at most 64"],
    ],
    ["  - branch: {}", ["4:5 a branch step without branches | name at least one"]],
    [
      "  - branch:\n      a: []",
      ["5:7 the branch a has no steps | end it with a sink: - sink: { stdout: {} }"],
    ],
    [
      "  - branch:\n      a: [{ filter: x > 1 }]",
      ["5:13 the branch a ends without a sink | add a last step: - sink: { … }"],
    ],
    [
      "  - branch:\n      a:\n        - branch: { b: [{ sink: { stdout: {} } }] }",
      [
        "6:11 a branch inside a branch | write the inner branches beside the outer ones, with their steps repeated",
      ],
    ],
    [
      "  - branch:\n      a: [{ sink: { stdout: {} } }]\n  - sink: { stdout: {} }",
      ["6:5 a step after the branch | the branch comes last in the pipeline"],
    ],
  ])("%s", (steps, faults) => {
    expect(faultsOf(withSteps(steps))).toEqual(faults);
  });

  it("has a bound on steps and on branches", () => {
    const many = Array(300).fill("  - filter: a > 1").join("\n");
    expect(faultsOf(withSteps(`${many}\n  - sink: { stdout: {} }`))[0]).toBe(
      "260:5 more than 256 steps | split the pipeline",
    );
    const branches = Array.from({ length: 65 }, (_, i) => `      b${i}: [{ sink: { stdout: {} } }]`).join(
      "\n",
    );
    expect(faultsOf(withSteps(`  - branch:\n${branches}`))).toEqual([
      "4:5 65 branches; the most is 64 | split the pipeline",
    ]);
  });
});

it("reports mistakes of every part at once", () => {
  const text = `name: Bad Name
source: { nats: { subject: "a b" }, format: xml }
steps:
  - fliter: a
  - sink: { nats: { sbject: x } }
dead_letter: { nats: { subject: ">" } }
tests: [{ name: t }]
`;
  expect(read(text).diagnostics.map(({ line }) => line)).toEqual([1, 2, 4, 5, 6, 7]);
});
