// A pipeline to start from, made of what some records show: a window per key with the means of their numbers. What is odd
// is said beside the field. Pure: what was found in, YAML out.

import { parse } from "../expression/parse.ts";
import type { Framing } from "../codec/framing.ts";
import type { SampledField, SampledFields } from "./sampled-fields.ts";
import { freeName, type SampledSubject } from "./sampled-subject.ts";

export interface Sampled {
  /** The pipeline's name. */
  readonly name: string;
  /** Where the records are from: a file, by its path from the pipeline's file, or a subject. */
  readonly from:
    | { readonly kind: "file"; readonly path: string }
    | ({ readonly kind: "nats" } & SampledSubject);
  readonly format: "json" | "csv";
  readonly framing: Framing;
  readonly found: SampledFields;
  /** When the sample was taken, ms since the epoch. */
  readonly now: number;
}

/** Values of a key that a comment names. */
const shownMax = 4;
const plainKey = /^[A-Za-z_][\w.]*$/;
const namedKey = /(^|[._-])(id|name|key|device|sensor|station|machine|mote|node|host|site|serial|mac|tag)$/i;
const namedId = /[a-z]I[dD]$/;
/** Columns that every row of a window has. */
const ofWindows = ["window_start", "window_end", "window_filled"];

export function pipelineText(sampled: Sampled): string {
  const { name, found } = sampled;
  const keys = keysOf(sampled);
  const numbers = found.fields.filter(
    ({ name: field, type }) =>
      (type === "float64" || type === "int64") && isReadable(field) && !keys.includes(field),
  );
  const many = `${found.records} ${found.records === 1 ? "record" : "records"}`;
  return [
    `# Begun from ${many}. "weir lint" checks it, "weir explain" shows the plan, "weir run" runs it.`,
    `name: ${name}`,
    `about: One row per ${keys.length === 0 ? "minute" : `${keys.join(", ")} and minute`}.`,
    "",
    ...sourceLines(sampled),
    "",
    ...stepLines(keys, numbers),
    "",
    "# Records that are broken, of a wrong type, without time or too far ahead, with their reason.",
    "dead_letter: { file: { path: dead-letter.ndjson } }",
    "",
  ].join("\n");
}

/** What the window goes by: tokens of the subject, else the text that most probably says whose record it is. */
function keysOf({ from, found }: Sampled): readonly string[] {
  if (from.kind === "nats" && from.tokens.length > 0) return from.tokens.map(({ name }) => name);
  const read = found.records - found.broken;
  const scored = found.fields.flatMap(({ name, type, missing, refused, distinct, nearly }) => {
    const isNamed = namedKey.test(name) || namedId.test(name);
    const isKey = missing + refused === 0 && isReadable(name) && nearly !== "time" && read > 1;
    if (!isKey || (type === "float64" ? !isNamed : type !== "string")) return [];
    // What is another in nearly every record says nothing of whose it is.
    if (distinct !== null && (distinct > read / 2 || (distinct === 1 && !isNamed))) return [];
    return [{ name, score: (isNamed ? 2 : 0) + (type === "string" ? 1 : 0) }];
  });
  const best = scored.reduce((most, { score }) => Math.max(most, score), 0);
  return scored
    .filter(({ score }) => score === best)
    .slice(0, 1)
    .map(({ name }) => name);
}

/** Whether an expression can name the field. */
function isReadable(name: string): boolean {
  return name !== "" && !name.includes("`");
}

/** The field as an expression names it. */
function inExpression(name: string): string {
  const parsed = plainKey.test(name) ? parse(name) : null;
  return parsed?.ok === true && parsed.value.kind === "name" ? name : `\`${name}\``;
}

/** An expression as the value of a key. */
function valueText(expression: string): string {
  return /^[\w.()]+$/.test(expression) ? expression : quoted(expression);
}

function sourceLines({ from, format, framing, found, now }: Sampled): readonly string[] {
  const { fields, time, leftOut } = found;
  const lines = [
    "source:",
    ...(from.kind === "nats" ? natsLines(from) : [`  file: { path: ${quoted(from.path)} }`]),
  ];
  lines.push(`  format: ${format}`);
  if (framing !== "message") lines.push(`  framing: ${framing}`);
  if (found.broken > 0)
    lines.push(
      `  # ${found.broken} of ${found.records} records cannot be read: ${comment(found.breakage ?? "")}`,
    );
  const used = fields.filter((field) => !isEmpty(field, found));
  if (used.length > 0)
    lines.push(
      "  schema:",
      ...beside(used.map((field) => [`    ${keyText(field.name)}: ${field.type}`, noteOf(field, found)])),
    );
  else lines.push("  # no record has a field with a value");
  const without = [...fields.filter((field) => isEmpty(field, found)).map(({ name }) => name), ...leftOut];
  if (without.length > 0)
    lines.push(
      `  # not read: ${without.map(comment).join(", ")} (never a value, no name for a column, or too many)`,
    );
  const silent = from.kind === "nats" ? ", idle: 10s" : "";
  if (time === null)
    return [...lines, "  # no field looks like the records' time: windows go by when records arrive"];
  lines.push(`  time: { field: ${keyText(time.name)}, unit: ${time.unit}, lateness: 5s${silent} }`);
  const latest = fields.find(({ name }) => name === time.name)?.range?.[1] ?? now;
  if (latest > now + ahead_ms)
    lines.push("  # some are more than 5m ahead of this clock: they go to the dead letter");
  return lines;
}

/** What `time.ahead` is where the file says nothing. */
const ahead_ms = 300_000;

function natsLines({ subject, tokens, fixed }: SampledSubject): readonly string[] {
  const lines = tokens.map(({ name, values }) => {
    const shown = values.slice(0, shownMax).map(comment).join(", ");
    return `  # ${name}: ${shown}${values.length > shownMax ? ` and ${values.length - shownMax} more` : ""}`;
  });
  if (fixed.length > 0)
    lines.push(
      `  # only ${fixed.map(comment).join(", ")} came; write * or {name} in its place for whatever may come`,
    );
  lines.push(
    '  # core NATS; with "stream: NAME" from a JetStream stream, which keeps what comes while nothing runs',
  );
  return [...lines, `  nats: { subject: ${quoted(subject)} }`];
}

/** Lines with what is to be said beside them, in one column. */
function beside(lines: readonly (readonly [text: string, note: string])[]): readonly string[] {
  const width = Math.min(40, Math.max(...lines.map(([text]) => text.length)));
  return lines.map(([text, note]) => (note === "" ? text : `${text.padEnd(width)} # ${note}`));
}

function isEmpty({ missing }: SampledField, { records, broken }: SampledFields): boolean {
  return missing === records - broken;
}

/** What is odd about a field. */
function noteOf(field: SampledField, { records, time }: SampledFields): string {
  const { missing, refused, refusal, nearly, type, name } = field;
  const notes: string[] = [];
  if (refused > 0) notes.push(`${refused} of ${records} records do not fit: ${comment(refusal ?? "")}`);
  if (missing > 0) {
    const without = name === time?.name ? ", which go to the dead letter" : "";
    notes.push(`missing in ${missing} of ${records} records${without}`);
  }
  if (type === "json") notes.push("lists, of whose elements unnest makes rows, or values of several types");
  if (nearly === "number" && isReadable(name))
    notes.push(`numbers written as text: double(${comment(inExpression(name))}) is the number`);
  if (nearly === "time") notes.push("a time without its zone: 2026-01-31T12:00:00Z would be one");
  if (!isReadable(name)) notes.push("no expression can name it");
  return notes.join("; ");
}

function stepLines(keys: readonly string[], numbers: readonly SampledField[]): readonly string[] {
  const by =
    keys.length === 0 ? null : keys.length === 1 ? keyText(keys[0]!) : `[${keys.map(keyText).join(", ")}]`;
  const taken = new Set([...keys, ...ofWindows]);
  const select = numbers.map(({ name, type }): readonly [string, string] => {
    const column = freeName(name.replaceAll(".", "_"), taken);
    taken.add(column);
    const figure = `${type === "int64" ? "max" : "mean"}(${inExpression(name)})`;
    return [`        ${keyText(column)}: ${valueText(figure)}`, ""];
  });
  const [first] = numbers;
  const inBand = `value: ${keyText(first?.name ?? "")}${by === null ? "" : `, by: ${by}`}, band: "2%", every: 1m`;
  return [
    "steps:",
    ...(first === undefined
      ? []
      : [
          "  # Only what has moved by more than 2 %, and a sign of life each minute:",
          `  # - deadband: { ${inBand} }`,
        ]),
    "  - window:",
    "      tumbling: 1m",
    ...(by === null ? [] : [`      by: ${by}`]),
    "      select:",
    ...beside([...select, [`        ${freeName("n", taken)}: count()`, ""]]),
    ...(by === null ? [] : ["    keys: { max: 1000 }   # that are remembered at a time"]),
    "  - sink: { stdout: {}, format: json }",
    '  # To the cloud instead ("cloud" is a connection of weir.yaml or --nats cloud=nats://host:4222):',
    '  # - sink: { nats: { to: cloud, subject: "cloud.rows", stream: FLEET }, format: msgpack }',
  ];
}

function keyText(name: string): string {
  return plainKey.test(name) && !/^(true|false|null)$/i.test(name) ? name : quoted(name);
}

/** A text as a pipeline file has it: every text of JSON is one of YAML, and stands for nothing else. */
function quoted(text: string): string {
  return JSON.stringify(text.replaceAll("${", () => "$${"));
}

/** A text of a stranger's, for a comment: on one line, and short. */
function comment(text: string): string {
  const line = text.replaceAll(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, " ");
  return line.length > 80 ? `${line.slice(0, 79)}…` : line;
}
