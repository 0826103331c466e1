// The reference page, made from what the operators, aggregates and functions declare. Makes text only.

import { stringify } from "yaml";
import type { AggregateDefinition, Example, OperatorDefinition } from "../../operators/sdk/index.ts";
import type { FunctionEntry } from "../expression/overload.ts";
import { limits } from "../limits.ts";
import { keysSetting, limitsSetting } from "./limits-spec.ts";
import { outboxSetting } from "./outbox-spec.ts";
import { placementSetting } from "./placement-spec.ts";
import { settingSchema } from "./json-schema.ts";
import { fileSection } from "./file-reference.ts";
import { settingsTable, table } from "./reference-tables.ts";

/** Markdown for every operator of `catalogue`, every aggregate, and every function of expressions. */
export function operatorReference(
  catalogue: readonly OperatorDefinition[],
  functions: readonly FunctionEntry[],
  aggregates: readonly AggregateDefinition[] = [],
  /** The part about a device's settings, which are read elsewhere. */
  device = "",
): string {
  const parts = [
    "# Reference",
    "",
    "What a pipeline file may hold: its sections, the operators of its steps, aggregates and expressions; and what the device's `weir.yaml` may. Made from their own declarations.",
    "",
    ...fileSection(),
    ...stepSection(),
    device,
    "## Operators",
    "",
    table(
      ["operator", "what it does"],
      catalogue.map(({ name, summary }) => [`[${name}](#${name})`, summary]),
    ),
    ...catalogue.flatMap(operatorSection),
  ];
  if (aggregates.length > 0) parts.push("## Aggregates", "", aggregateTable(aggregates));
  if (functions.length > 0) parts.push("## Expressions", "", functionTable(functions));
  return `${parts.join("\n").trimEnd()}\n`;
}

const stepExample = `limits: { rate: 500/s }
steps:
  - window: { tumbling: 1m, by: device, select: { mean: mean(temp) } }
    keys: { max: 5000, ttl: 1d, when_full: forget_oldest }
    late:
      - sink: { file: { path: late.ndjson } }`;

const outboxExample = `outbox:
  bytes: 4GiB
  when_full: condense
  tiers: [{ keep: 2h }, { every: 10s, keep: 1d }, { every: 1m, keep: 30d }]`;

/** What every step may have, and what the whole pipeline may. */
function stepSection(): readonly string[] {
  return [
    "## Steps and limits",
    "",
    "A step is an operator's word with its settings under it. Beside the word of a keyed operator may stand `keys` and `late`.",
    "",
    "```yaml",
    stepExample,
    "```",
    "",
    "### keys",
    "",
    "Without it, or for what it leaves out, `limits.keys` holds. Where a key is a number or a time, which may take any value, one of them has to say `max`.",
    "",
    settingsTable(settingSchema(keysSetting)),
    "### late",
    "",
    "A chain of steps that ends in a sink. It gets the records that this step counts as `late`, as they came to the step, and is one more branch: `late`, or `x-late` inside a branch x; one step of a chain may have one. The step's ledger counts those records all the same, and for the late branch they are what came in. A window in it finds them late as well, because the watermark has passed them.",
    "",
    "### limits",
    "",
    `A section of the file, beside \`steps\`. From it, the keys, the windows and the lateness \`weir lint\` computes what the state of each step may take at most, and refuses what has no bound or takes more than \`memory\`; \`weir explain\` shows the figures. A text is taken for ${limits.state_text_bytes} B there, and a record that is kept for ${limits.state_record_bytes} B beside its columns.`,
    "",
    settingsTable(settingSchema(limitsSetting)),
    "### outbox",
    "",
    "A section of the file, beside `steps`, or of the device's `weir.yaml`, which holds for pipelines that say nothing. Rows wait in the outbox, on the disk where memory has no room, until the sink has them. Where a limit is met, only rows are dropped or condensed that were certainly never sent, and each is counted: `expired`, `overflow`. The next row says in `Weir-Skipped` how many numbers are left out right before it.",
    "",
    "```yaml",
    outboxExample,
    "```",
    "",
    settingsTable(settingSchema(outboxSetting)),
    "",
    "### placement",
    "",
    `A section of the file, beside \`steps\`, for \`weir supervise\`; \`weir run\` does not need it. Pipelines share workers unless one asks for its own. Without a figure a pipeline is taken for ${limits.pipeline_processors_default} processors and ${limits.pipeline_memory_bytes_default / 1024 ** 2} MiB.`,
    "",
    settingsTable(settingSchema(placementSetting)),
  ];
}

function operatorSection({
  name,
  summary,
  rule,
  kind,
  config,
  examples,
}: OperatorDefinition): readonly string[] {
  const order =
    kind === "keyed" ? "Keyed: it sees the records in order." : "Stateless: it may run on any thread.";
  return [
    `### ${name}`,
    "",
    `${summary} ${order}`,
    "",
    rule === summary ? "" : `${rule}\n`,
    settingsTable(settingSchema(config)),
    ...examples.flatMap((example) => exampleSection(name, example)),
  ].filter((part, place, all) => part !== "" || all[place - 1] !== "");
}

function exampleSection(
  operator: string,
  { title, config, lateness, lookups = {}, input, output }: Example,
): readonly string[] {
  const yaml = stringify([{ [operator]: config }], { lineWidth: 100 }).trimEnd();
  return [
    `**${title}**`,
    "",
    "```yaml",
    yaml,
    "```",
    "",
    ...Object.entries(lookups).map(([name, rows]) =>
      recordTable(
        name,
        Object.entries(rows).map(([key, row]) => ({ key, ...row })),
      ),
    ),
    recordTable(lateness === undefined ? "in" : `in (lateness ${lateness})`, input),
    recordTable("out", output),
  ];
}

function recordTable(caption: string, records: readonly Readonly<Record<string, unknown>>[]): string {
  const names = [...new Set(records.flatMap((record) => Object.keys(record)))];
  if (names.length === 0) return `${caption}: nothing\n`;
  return table(
    [`${caption}: ${names[0]}`, ...names.slice(1)],
    records.map((record) => names.map((name) => (record[name] === undefined ? "" : cellOf(record[name])))),
  );
}

function cellOf(value: unknown): string {
  return typeof value === "string"
    ? value
    : JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? String(each) : each));
}

function aggregateTable(aggregates: readonly AggregateDefinition[]): string {
  const rows = aggregates.map(({ name, summary, input, inputOptional, second, parameters }) => {
    const takes = input.length === 0 ? [] : [inputOptional === true ? "[x]" : "x"];
    if (second !== undefined) takes.push(second.name);
    const literals = parameters.map((each) => (each.repeats === true ? `${each.name}, …` : each.name));
    const types = [input, second?.input ?? []].filter((each) => each.length > 0);
    return [
      `\`${name}(${[...takes, ...literals].join(", ")})\``,
      types.map((each) => each.join(", ")).join("; "),
      summary,
    ];
  });
  return table(["aggregate", "of", "result"], rows);
}

function functionTable(functions: readonly FunctionEntry[]): string {
  const rows = functions.map((entry) => [
    code(entry.written ?? entry.name),
    [...new Set(entry.overloads.map(({ takes, gives }) => `(${takes.join(", ")}) → ${gives}`))].join("; "),
    entry.summary,
    entry.examples.map(({ text }) => code(text))[0] ?? "",
  ]);
  return table(["written", "types", "meaning", "example"], rows);
}

function code(text: string): string {
  return text.includes("`") ? `\`\` ${text} \`\`` : `\`${text}\``;
}
