// Plans: what is decoded, which columns stand where, what is forwarded, and each mistake with its place.

import { describe, expect, it } from "vitest";
import {
  type ColumnReference,
  ConfigurationError,
  defineOperator,
  field,
  type OperatorDefinition,
  table,
  z,
} from "../../operators/sdk/index.ts";
import { coldChain, operators } from "./cold-chain.fixture.ts";
import { explainPlan } from "./explain.ts";
import { type Loaded, loadPipeline } from "./load.ts";
import type { PipelinePlan } from "./pipeline.ts";

/** Refuses a setting in a way that its field specs cannot see, and closes what it lets pass. */
const strict: OperatorDefinition = defineOperator({
  name: "strict",
  summary: "Closes the columns.",
  rule: "All columns pass; nothing else does.",
  kind: "stateless",
  config: z.strictObject({ low: z.number(), high: z.number(), twice: z.boolean().default(false) }),
  examples: [],
  schema: (input, { low, high, twice }) => {
    if (low > high) throw new ConfigurationError(["high"], `high must be at least low, ${low}`);
    return { fields: twice ? [...input.fields, ...input.fields] : input.fields, rest: null };
  },
  create: () => ({
    onBatch(batch, out) {
      out.emit(batch);
    },
  }),
});

/** An operator whose author made every mistake there is. */
const faulty: OperatorDefinition = {
  ...strict,
  name: "faulty",
  config: z.string().transform((text) => {
    if (text === "settings") throw new Error("settings broke");
    return text;
  }),
  schema: (_input, config) => {
    if (config === "type") return { fields: [{ name: "x", type: "float" as "float64" }], rest: null };
    throw new Error("schema broke");
  },
};

/** Looks something up, though it may run on any thread. */
const anywhere: OperatorDefinition = {
  ...strict,
  name: "anywhere",
  config: z.strictObject({ on: field.column(["string"], "The key.") }),
  schema: (input) => input,
  references: (config) => ({
    table: {
      source: { kind: "file", path: "devices.csv" },
      on: (config as { on: ColumnReference }).on,
      key: "id",
      columns: {},
    },
  }),
};

/** Remembers something, though it may run on any thread. */
const forgetful: OperatorDefinition = {
  ...strict,
  name: "forgetful",
  config: z.strictObject({}),
  schema: (input) => input,
  state: () => ({ count: table.values([0]) }),
};

/** Compares the latest of several columns; a setting that is a list of maps. */
const pick: OperatorDefinition = defineOperator({
  name: "pick",
  summary: "Picks by rules.",
  rule: "The first rule whose column is set wins.",
  kind: "keyed",
  config: z.strictObject({
    rules: z.array(z.strictObject({ column: field.column(["float64", "int64"], "The column.") })),
  }),
  examples: [],
  create: () => ({
    onBatch(batch, out) {
      out.emit(batch);
    },
  }),
});

const catalogue = [...operators, strict, pick, faulty, anywhere, forgetful];

function load(text: string): Loaded {
  return loadPipeline({ file: "p.yaml", content: text, catalogue });
}

function planOf(text: string): PipelinePlan {
  const { plan, diagnostics } = load(text);
  expect(diagnostics).toEqual([]);
  return plan!;
}

function faultsOf(text: string): string[] {
  return load(text).diagnostics.map(
    ({ line, column, message, hint }) => `${line}:${column} ${message}${hint === null ? "" : ` | ${hint}`}`,
  );
}

function pipeline(source: string, steps: string): string {
  return `name: p\nsource:\n  nats: { subject: in }\n${source}steps:\n${steps}\n`;
}

const toStdout = "  - sink: { stdout: {} }";

function typesOf(plan: PipelinePlan): Readonly<Record<string, string>> {
  return Object.fromEntries(plan.inputs[0]!.fields.map(({ name, type }) => [name, type]));
}

describe("the design page's example", () => {
  const plan = planOf(coldChain);

  it("decodes what is read and nothing else", () => {
    expect(plan.inputs[0]!.fields).toEqual([
      { name: "device", type: "string" },
      { name: "ts", type: "time", unit: "ms" },
      { name: "temp", type: "float64" },
    ]);
    expect(plan.inputs[0]!.timeIndex).toBe(1);
    expect(plan.schema.rest).toEqual({ except: [] });
  });

  it("knows the columns at every edge", () => {
    const [condensed, alarms] = plan.branches;
    expect(condensed!.rows).toEqual({
      fields: [
        { name: "window_start", type: "time" },
        { name: "window_end", type: "time" },
        { name: "device", type: "string" },
        { name: "mean", type: "float64" },
        { name: "max", type: "float64" },
        { name: "p99", type: "float64" },
        { name: "n", type: "float64" },
      ],
      rest: null,
    });
    expect(condensed!.subject).toEqual({
      text: "cloud.reefer.{device}",
      parts: ["cloud.reefer.", { name: "device", type: "string", index: 2 }],
    });
    expect(alarms!.rows.fields.map(({ name }) => name)).toEqual(["device", "ts", "temp"]);
    expect(plan.branches.map(({ forwards }) => forwards)).toEqual([false, true]);
  });

  it("labels its steps and says where they run", () => {
    const explained = explainPlan(plan);
    expect(explained.steps.map(({ label, runs }) => [label, runs])).toEqual([["1 filter", "pool"]]);
    expect(
      explained.branches.flatMap((branch) => branch.steps.map(({ label, runs }) => [label, runs])),
    ).toEqual([
      ["condensed/1 window", "home"],
      ["alarms/1 hold", "home"],
    ]);
    expect(explained.sources).toMatchObject([
      {
        name: "source",
        kind: "nats",
        target: "sensors.reefer.*.temp on default (stream SENSORS)",
        format: "json",
      },
    ]);
    expect(structuredClone(explained)).toEqual(explained);
  });

  it("plans the same without its schema", () => {
    const inferred = planOf(coldChain.replace(/^ {2}schema:.*\n/m, ""));
    expect(typesOf(inferred)).toEqual({ ts: "time", temp: "float64", device: "string" });
    const [condensed, alarms] = inferred.branches;
    expect(condensed!.rows).toEqual(plan.branches[0]!.rows);
    // Columns come in the order in which they are met.
    expect(new Set(alarms!.rows.fields)).toEqual(new Set(plan.branches[1]!.rows.fields));
  });
});

describe("inference", () => {
  const cases: readonly (readonly [name: string, steps: string, fields: Readonly<Record<string, string>>])[] =
    [
      ["a comparison with a number", "  - filter: temp > 3", { temp: "float64" }],
      ["a comparison with text", '  - filter: site == "north"', { site: "string" }],
      ["a condition that is a column", "  - filter: door", { door: "bool" }],
      ["a use that tells nothing", "  - filter: has(x)", { x: "json" }],
      [
        "a type that a later step tells",
        "  - filter: a == b\n  - filter: a > 3\n  - filter: b > 3",
        { a: "float64", b: "float64" },
      ],
      ["a key", "  - window: { tumbling: 1m, by: device, select: { n: count() } }", { device: "string" }],
      [
        "a key that is a number elsewhere",
        "  - filter: id > 7\n  - window: { tumbling: 1m, by: id, select: { n: count() } }\n    keys: { max: 9 }",
        { id: "float64" },
      ],
      [
        "an argument of an aggregate",
        "  - window: { tumbling: 1m, select: { m: mean(temp) } }",
        { temp: "float64" },
      ],
      [
        "a column of numbers",
        "  - pick: { rules: [{ column: a }, { column: b }] }",
        { a: "float64", b: "float64" },
      ],
      ["a column that a step made", "  - set: { warm: temp > 3 }\n  - filter: warm", { temp: "float64" }],
      [
        "a column that a step replaced",
        '  - set: { temp: temp * 2 }\n  - filter: temp > 3\n  - set: { site: \'"x"\' }\n  - filter: site == "x"',
        { temp: "float64" },
      ],
      [
        "both sides of a comparison, one of them told",
        "  - filter: a > b && b > 3",
        { a: "float64", b: "float64" },
      ],
      ["a nested field", "  - filter: reading.value > 3", { "reading.value": "float64" }],
      [
        "a step that closes the columns",
        "  - select: [device, temp]\n  - filter: temp > 3",
        { device: "json", temp: "float64" },
      ],
      [
        "a field under another name",
        "  - select: { id: device, t: temp }\n  - set: { u: t }\n  - filter: u > 3",
        { device: "json", temp: "float64" },
      ],
      [
        "names that change places",
        '  - set: { a: b, b: a }\n  - filter: a > 3 && b == "x"',
        { b: "float64", a: "string" },
      ],
      ["nothing", "", {}],
    ];
  it.each(cases)("%s", (_name, steps, fields) => {
    expect(typesOf(planOf(pipeline("", `${steps}${steps === "" ? "" : "\n"}${toStdout}`)))).toEqual(fields);
  });

  it("takes columns of a sink's subject for text", () => {
    const plan = planOf(pipeline("", '  - sink: { nats: { subject: "out.{site}" } }'));
    expect(typesOf(plan)).toEqual({ site: "string" });
    expect(plan.branches[0]!.forwards).toBe(true);
  });

  it("takes the time field for a time", () => {
    const plan = planOf(pipeline("  time: { field: at, unit: iso }\n", toStdout));
    expect(plan.inputs[0]!.fields).toEqual([{ name: "at", type: "time", unit: "iso" }]);
    expect(plan.inputs[0]!.timeIndex).toBe(0);
  });

  it("reports uses that contradict each other, at the second", () => {
    expect(
      faultsOf(pipeline("", `  - filter: temp > 3\n  - filter: temp.startsWith("x")\n${toStdout}`)),
    ).toEqual([
      "6:13 temp is used as text here, and as a number at 5:13 | say what it is under source.schema",
    ]);
  });

  it("does not take back what a step dropped", () => {
    const [first] = faultsOf(pipeline("", `  - drop: [temp]\n  - filter: temp > 3\n${toStdout}`));
    expect(first).toMatch(/^6:13 .*temp/);
  });
});

describe("what is decoded", () => {
  const schema = "  schema: { device: string, ts: time, temp: float64, hum: float64 }\n";

  it("is only what some step, sink or the time needs", () => {
    expect(typesOf(planOf(pipeline(schema, `  - filter: temp > 3\n${toStdout}`)))).toEqual({
      temp: "float64",
    });
    expect(typesOf(planOf(pipeline(`${schema}  time: { field: ts }\n`, toStdout)))).toEqual({ ts: "time" });
  });

  it("is everything that a closed row holds", () => {
    expect(
      Object.keys(typesOf(planOf(pipeline(schema, `  - strict: { low: 1, high: 2 }\n${toStdout}`)))),
    ).toEqual(["device", "ts", "temp", "hum"]);
  });

  it("is every declared field of CSV that goes on in another format, where its cells have types", () => {
    const text = pipeline(schema, `  - drop: [hum]\n${toStdout}`).replace(
      /nats: \{.*\}/,
      "file: { path: a.csv }",
    );
    expect(typesOf(planOf(text))).toEqual({ device: "string", ts: "time", temp: "float64" });
  });

  it("binds steps to the columns that are left", () => {
    const plan = planOf(pipeline(schema, `  - filter: hum > 3\n${toStdout}`));
    expect(plan.steps[0]!.input).toBe(plan.schema);
    expect(plan.schema.fields).toEqual([{ name: "hum", type: "float64" }]);
  });

  it("is nothing where the bytes are passed on", () => {
    const plan = planOf(pipeline(schema, toStdout));
    expect(plan.inputs[0]!.fields).toEqual([]);
    expect(plan.branches[0]!.forwards).toBe(true);
  });

  it("adds a time field that the schema leaves out", () => {
    expect(
      typesOf(planOf(pipeline("  schema: { temp: float64 }\n  time: { field: at }\n", toStdout))),
    ).toEqual({ at: "time" });
  });
});

describe("forwarding", () => {
  it.each([
    ["a filter", "  - filter: temp > 3", "json", true],
    ["another format", "  - filter: temp > 3", "msgpack", false],
    ["a new column", "  - set: { f: temp * 2 }", "json", false],
    ["a column left out", "  - drop: [temp]", "json", false],
  ] as const)("%s", (_name, step, format, forwards) => {
    const plan = planOf(pipeline("", `${step}\n  - sink: { nothing: {}, format: ${format} }`));
    expect(plan.branches[0]!.forwards).toBe(forwards);
  });
});

describe("named tokens of the subject", () => {
  const source = (steps: string): string =>
    `name: p\nsource:\n  nats: { subject: "sensors.{site}.{device}.temp" }\nsteps:\n${steps}\n`;

  it("are text columns after the fields", () => {
    const plan = planOf(
      source(`  - filter: temp > 3 && site == "north"\n  - set: { f: temp * 2 }\n${toStdout}`),
    );
    expect(plan.inputs[0]!.fields.map(({ name }) => name)).toEqual(["temp"]);
    expect(plan.inputs[0]!.subjectFields).toEqual([
      { name: "site", token: 1 },
      { name: "device", token: 2 },
    ]);
    expect(plan.schema.fields.map(({ name, type }) => `${name}:${type}`)).toEqual([
      "temp:float64",
      "site:string",
      "device:string",
    ]);
  });

  it("are put into the row by a step that sets them", () => {
    const [branch] = planOf(source(`  - set: { site: site }\n${toStdout}`)).branches;
    expect(branch!.forwards).toBe(false);
    expect(branch!.rows.fields.map(({ name }) => name)).toEqual(["site", "device"]);
  });

  it("are left out where the bytes are passed on and nobody reads them", () => {
    const plan = planOf(source(`  - filter: site == "north"\n${toStdout}`));
    expect(plan.inputs[0]!.subjectFields).toEqual([{ name: "site", token: 1 }]);
  });
});

describe("mistakes", () => {
  const schema = "  schema: { device: string, temp: float64 }\n";
  it.each([
    [
      "an unknown column in an expression",
      pipeline(schema, `  - filter: tmp > 3\n${toStdout}`),
      /^6:13 .*tmp.* \| did you mean temp\?$/,
    ],
    ["a wrong type in an expression", pipeline(schema, `  - filter: device > 3\n${toStdout}`), /^6:(13|20) /],
    ["a result that is not asked for", pipeline(schema, `  - filter: temp + 3\n${toStdout}`), /^6:13 .*bool/],
    ["a broken expression", pipeline(schema, `  - filter: temp >\n${toStdout}`), /^6:1[3-9] /],
    [
      "in double quotes",
      pipeline(schema, `  - filter: "device == \\"a\\" && tmp > 3"\n${toStdout}`),
      /^6:33 .*tmp/,
    ],
    [
      "in single quotes",
      pipeline(schema, `  - filter: 'device == "a" && tmp > 3'\n${toStdout}`),
      /^6:31 .*tmp/,
    ],
    [
      "in a block",
      pipeline(schema, `  - filter: |\n      temp > 3\n      && tmp > 3\n${toStdout}`),
      /^8:10 .*tmp/,
    ],
    [
      "in a folded block",
      pipeline(schema, `  - filter: >-\n      temp > 3\n      && tmp > 3\n${toStdout}`),
      /^8:10 .*tmp/,
    ],
    [
      "an unknown aggregate",
      pipeline(schema, `  - window: { tumbling: 1m, select: { m: mena(temp) } }\n${toStdout}`),
      /^6:42 there is no aggregate mena \| did you mean mean\?$/,
    ],
    [
      "an unknown column in an aggregate",
      pipeline(schema, `  - window: { tumbling: 1m, select: { m: mean(tmp) } }\n${toStdout}`),
      /^6:47 .*tmp/,
    ],
    [
      "a wrong type in an aggregate",
      pipeline(schema, `  - window: { tumbling: 1m, select: { m: mean(device) } }\n${toStdout}`),
      /^6:47 .*mean/,
    ],
    [
      "an unknown key",
      pipeline(schema, `  - window: { tumbling: 1m, by: devcie, select: { n: count() } }\n${toStdout}`),
      /^6:33 there is no column devcie \| did you mean device\?$/,
    ],
    [
      "an unknown key in a list",
      pipeline(schema, `  - window: { tumbling: 1m, by: [device, x], select: { n: count() } }\n${toStdout}`),
      /^6:42 there is no column x/,
    ],
    [
      "a column of a wrong type",
      pipeline(schema, `  - pick: { rules: [{ column: temp }, { column: device }] }\n${toStdout}`),
      /^6:49 device is of type string; expected float64 or int64$/,
    ],
    [
      "an operator's own refusal",
      pipeline(schema, `  - strict: { low: 3, high: 2 }\n${toStdout}`),
      /^6:29 high must be at least low, 3$/,
    ],
    [
      "an operator that breaks over its settings",
      pipeline(schema, `  - faulty: settings\n${toStdout}`),
      /^6:13 these settings could not be read: settings broke \| this is a fault of the operator$/,
    ],
    [
      "an operator that breaks over its columns",
      pipeline(schema, `  - faulty: columns\n${toStdout}`),
      /^6:13 faulty failed while it was planned: schema broke/,
    ],
    [
      "an operator with a column of a type that there is not",
      pipeline(schema, `  - faulty: type\n${toStdout}`),
      /^6:13 faulty failed while it was planned: its column "x" is of type float, expected one of float64, int64,/,
    ],
    [
      "columns of one name",
      pipeline(schema, `  - strict: { low: 1, high: 2, twice: true }\n${toStdout}`),
      /^6:5 strict makes two columns called device/,
    ],
    [
      "a reference table of an operator that may run anywhere",
      pipeline(schema, `  - anywhere: { on: device }\n${toStdout}`),
      /^6:5 anywhere failed while it was planned: a stateless operator, which may run on any thread/,
    ],
    [
      "an operator that nobody has named a file of",
      pipeline(schema, `  - shelf_life: {}\n${toStdout}`),
      /^6:5 there is no operator shelf_life \| there is .*; one of your own is in a file under use: \[\.\/shelf_life\.ts\]$/,
    ],
    [
      "tables of an operator that may run anywhere",
      pipeline(schema, `  - forgetful: {}\n${toStdout}`),
      /^6:5 forgetful failed while it was planned: a stateless operator, .* keeps no tables: its kind is keyed/,
    ],
    [
      "an unknown column in a subject",
      pipeline(schema, '  - sink: { nats: { subject: "out.{devcie}.x" } }'),
      /^6:35 there is no column devcie \| did you mean device\?$/,
    ],
    [
      "a column that a window ends",
      pipeline(
        schema,
        '  - window: { tumbling: 1m, select: { n: count() } }\n  - sink: { nats: { subject: "out.{device}" } }',
      ),
      /^7:35 there is no column device/,
    ],
    [
      "csv of open rows",
      pipeline(schema, "  - sink: { stdout: {}, format: csv }"),
      /^6:33 csv needs columns that are known/,
    ],
    [
      "an expected field that no row has",
      `${pipeline(schema, `  - window: { tumbling: 1m, select: { mean: mean(temp) } }\n${toStdout}`)}tests: [{ name: t, input: [{ temp: 1 }], expect: { main: [{ maen: 1 }] } }]\n`,
      /^8:61 the rows of main have no maen \| did you mean mean\?$/,
    ],
  ])("%s", (_name, text, first) => {
    const faults = faultsOf(text);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(first);
  });

  it("are told all at once, those of the plan with those of the spec", () => {
    const text = `name: Bad Name
source:
  nats: { subject: in }
  schema: { device: string, temp: float64 }
steps:
  - filter: tmp > 3
  - branch:
      a:
        - fliter: temp > 3
        - filter: nothing > 3
        - sink: { stdout: {} }
      b:
        - set: { x: tepm }
        - sink: { nats: { subject: "out.{devise}" } }
tests: [{ name: t, input: [{ temp: 1 }], expect: { c: [] } }]
`;
    // A filter changes no columns, so that what follows it is judged all the same.
    expect(load(text).diagnostics.map(({ line }) => line)).toEqual([1, 6, 9, 13, 15]);
    expect(load(text.replace("tmp > 3", "temp >")).diagnostics.map(({ line }) => line)).toEqual([
      1, 6, 9, 13, 15,
    ]);
    // Where nothing is known of the columns, the expressions themselves are still read.
    const sourceless = text.replace("nats: {", "nast: {").replace("tepm", "temp >");
    expect(load(sourceless).diagnostics.map(({ line }) => line)).toEqual([1, 3, 9, 13, 15]);
    expect(load(text.replace("tmp > 3", "temp > 3")).diagnostics.map(({ line }) => line)).toEqual([
      1, 9, 13, 15,
    ]);
  });
});

it("reads times of expected rows as ms", () => {
  const plan =
    planOf(`${pipeline("  time: { field: ts }\n", `  - window: { tumbling: 1m, by: device, select: { n: count() } }\n${toStdout}`)}tests:
  - { name: t, input: [{ ts: 0s, device: 2m }], expect: { main: [{ window_end: 1m, device: 2m, n: 1 }] } }
`);
  expect(plan.spec.tests[0]!.expect).toEqual({ main: [{ window_end: 60_000, device: "2m", n: 1 }] });
});
