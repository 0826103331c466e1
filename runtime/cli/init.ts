// weir init: a commented pipeline to start from, one begun from records (sample.ts), or an operator. Whatever is written
// lints, and passes the tests that it has, as it is.

import { existsSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, isAbsolute, join, normalize } from "node:path";
import { WeirError } from "../errors.ts";
import { makeFolder } from "../folder.ts";
import type { SampleOptions } from "./sample.ts";
import { print } from "./terminal.ts";

const template = `# A weir pipeline: source, steps, sink. "weir lint" checks it, "weir test" runs the tests at its
# end, "weir explain" shows the plan, "weir run" runs it.
name: first-pipeline
about: One row per device and minute.

source:
  # Core NATS; add "stream: NAME" to read a JetStream stream, or try "file: { path: readings.ndjson }"
  # or "host: { every: 1s }" (this machine's own sensors). {device} takes that token of the subject as
  # a column.
  nats: { subject: "sensors.{device}.temp" }
  format: json                        # json, msgpack or csv
  schema: { ts: time, temp: float64 } # what is read; further fields pass through untouched
  time: { field: ts, unit: ms, lateness: 5s, idle: 10s }

steps:
  # Expressions are CEL: && || !, in [..], cond ? a : b, has(x), text.startsWith("x").
  - filter: temp > -60 && temp < 60
  - set: { temp_f: temp * 1.8 + 32 }
  - window:
      tumbling: 1m
      by: device
      select: { mean: mean(temp), max: max(temp), p99: quantile(temp, 0.99), fahrenheit: mean(temp_f), n: count() }
    keys: { max: 1000 }               # devices that are remembered at a time; "weir explain" shows what they take
    # Records that come too late for their window can go somewhere, instead of only being counted:
    # late: [{ sink: { file: { path: late.ndjson } } }]
  - sink: { stdout: {}, format: json }
  # To the cloud instead ("cloud" is a connection of weir.yaml or --nats cloud=nats://host:4222):
  # - sink: { nats: { to: cloud, subject: "cloud.{device}.temp", stream: FLEET }, format: msgpack }

# Records that are broken, of a wrong type, without time or too far ahead, with their reason.
dead_letter: { file: { path: dead-letter.ndjson } }

tests:
  - name: a row per device and minute
    input:
      - { subject: sensors.a.temp, record: { ts: 0s, temp: 20 } }
      - { subject: sensors.a.temp, record: { ts: 30s, temp: 22 } }
      - { subject: sensors.b.temp, record: { ts: 40s, temp: 850 } }
      - { subject: sensors.a.temp, raw: "not json" }
    expect:
      main: [{ device: a, mean: 21, max: 22, n: 2 }]
    dead_letter: 1
`;

/** Words that no constant of TypeScript may be called, and what an operator's file imports. */
const taken = new Set(
  `arguments await break case catch class const continue debugger default delete do else enum eval export extends false
  field finally for function if implements import in instanceof interface let new null package private protected public
  return static super switch this throw true try typeof var void while with yield z`.split(/\s+/),
);
/** Files that hold an operator: TypeScript, and JavaScript. */
const operatorFile = /\.(m?ts|m?js)$/;

/** An operator's name, from that of its file. */
async function operatorName(file: string): Promise<string> {
  const name = basename(file).replace(operatorFile, "").replaceAll("-", "_");
  const refusal = (message: string, remedy: string): WeirError =>
    new WeirError("WEIR_USAGE", message, { remedy });
  if (!/^[a-z][a-z0-9_]*$/.test(name) || taken.has(name))
    throw refusal(
      `${basename(file)} would not name an operator`,
      "a name is lower-case letters, digits and _, and no word of TypeScript, as in spike.ts",
    );
  const { catalog } = await import("../../operators/catalog.ts");
  const { stepWords } = await import("../engine/operator-file.ts");
  if (stepWords.has(name) || catalog.some((each) => each.name === name))
    throw refusal(`weir has a step ${name} already`, "give the file another name, and the operator with it");
  return name;
}

const operatorTemplate = (
  name: string,
): string => `// A step for pipelines that say "use:" and name this file. TypeScript runs as it is.
// defineFilter keeps records or leaves them out; defineMap adds columns, defineKeyed remembers something of
// each key, defineOperator works on whole columns, with time and rows of its own: weir's operators/README.md.

import { defineFilter, field, type OperatorDefinition, z } from "weir/sdk";

export const ${name}: OperatorDefinition = defineFilter({
  name: "${name}",
  summary: "Keeps readings inside a range.",
  // Settings: checked with line and column, and typed below.
  config: z.strictObject({
    value: field.column(["float64"], "Column to check."),
    min: field.number({}, "Lowest reading that is kept."),
    max: field.number({}, "Highest reading that is kept."),
  }),
  // Tests as well: expect(conformanceFaults(${name})).toEqual([]), with conformanceFaults of "weir/testing".
  examples: [
    {
      title: "A sensor that is broken",
      config: { value: "temp", min: -40, max: 85 },
      schema: { device: "string", temp: "float64" },
      input: [
        { device: "a", temp: 20 },
        { device: "b", temp: 850 },
      ],
      output: [{ device: "a", temp: 20 }],
    },
  ],
  // First the settings, once; then every record. Read from a record inside the call and do not keep it.
  keep:
    ({ value, min, max }) =>
    (record) => {
      const reading = record.number(value);
      return reading >= min && reading <= max;
    },
});
`;

/** The same in JavaScript. */
function withoutTypes(text: string): string {
  return text
    .replace(" TypeScript runs as it is.", "")
    .replace(", type OperatorDefinition", "")
    .replace(": OperatorDefinition", "");
}

/** How the operator in a file is used, in the lines of a pipeline that lies in the present folder. */
function operatorUse(file: string, name: string): string {
  const path = isAbsolute(file) ? file : `./${normalize(file)}`.replace(/^\.\/(?=\.\.\/)/, "");
  return [
    `  in a pipeline: use: [${path}]   (the path goes from the pipeline's file to this one)`,
    `                 steps: [{ ${name}: { value: temp, min: -40, max: 85 } }, …]`,
  ].join("\n");
}

export interface InitOptions extends Partial<SampleOptions> {
  readonly force?: boolean;
}

/** Refuses what would be left unheeded, and places that are for something else. */
function checkOptions(file: string, { from, json, for: listens }: InitOptions): void {
  const refuse = (message: string, remedy: string): never => {
    throw new WeirError("WEIR_USAGE", message, { remedy });
  };
  const idle = json === true ? "--json" : listens === undefined ? null : "--for";
  if (from === undefined && idle !== null)
    refuse(`${idle} is for what --from shows`, "name a file or a subject with --from, or leave it out");
  if (/\.c[jt]s$/.test(file))
    refuse(`${file} would be CommonJS`, "an operator that is begun here ends in .ts, .mts, .js or .mjs");
  if (basename(file) === "weir.yaml")
    refuse("weir.yaml is where a device's settings are", "give the pipeline a file of another name");
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true)
    refuse(`${file} is a folder`, `name a file in it: ${join(file, "pipeline.yaml")}`);
}

export async function init(file: string, options: InitOptions): Promise<number> {
  const { from, force = false, json = false } = options;
  checkOptions(file, options);
  const isWritten = from === undefined || !json;
  if (isWritten && existsSync(file) && !force) {
    throw new WeirError("WEIR_USAGE", `${file} exists`, { remedy: "name another file, or add --force" });
  }
  const name = from === undefined && operatorFile.test(file) ? await operatorName(file) : null;
  if (isWritten) makeFolder(dirname(file));
  if (from !== undefined) {
    const { initFrom } = await import("./sample.ts");
    return initFrom(file, { nats: [], config: "weir.yaml", ...options, from });
  }
  if (name !== null) {
    const text = operatorTemplate(name);
    writeFileSync(file, file.endsWith("ts") ? text : withoutTypes(text));
    print(`wrote ${file}\n${operatorUse(file, name)}`);
    return 0;
  }
  writeFileSync(file, template);
  print(`wrote ${file}\n  weir lint ${file} && weir test ${file} && weir run ${file}`);
  return 0;
}
