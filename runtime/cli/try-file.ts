// Records of a file in place of a source: plain ones, in NDJSON or CSV, or recorded ones, each line of which holds a payload as
// it came and where it came (what dead letters in a file are). Says what they are written in; decodes none.

import { PayloadBuilder, payloadAt } from "../batch/payloads.ts";
import { wallClock } from "../clock.ts";
import type { Format } from "../codec/codec.ts";
import type { Delivery, ReadLimits, Source } from "../connect/connect.ts";
import { csvRow, type FeedRow, fillTemplate, jsonRow, tokenFault } from "../connect/feed-rows.ts";
import { type FileSource, fileSource } from "../connect/file-source.ts";
import type { InputSpec } from "../pipeline/pipeline.ts";
import { exampleSubject, namedTokens } from "../pipeline/subject.ts";
import { headerIn } from "../worker/open.ts";

/** What is read of a source. */
export type Reads = Pick<Source, "read" | "stats" | "close">;

export interface FileRecords {
  readonly source: Reads;
  /** The columns that a CSV file names. */
  readonly header: readonly string[] | null;
  /** What they are written in; null: what the pipeline says. */
  readonly format: Format | null;
  /** What somebody has to know of those that were read. */
  readonly notes?: () => readonly string[];
}

/** A payload with where and when it came. */
interface Recorded {
  readonly payload: Uint8Array;
  readonly subject: string;
  readonly arrived: number;
}

const firstOnly: ReadLimits = { rows: 1, bytes: 1, wait_ms: 0, age_ms: 0 };

/** Opens the records of a file for a source. */
export async function openFileRecords(
  path: string,
  input: InputSpec,
  fields: readonly string[],
): Promise<FileRecords> {
  const isCsv = /\.csv$/i.test(path);
  const lines = fileSource({ path, format: isCsv ? "csv" : "lines" });
  const isRecorded = !isCsv && (await firstIsRecorded(path, input));
  await lines.open();
  if (isRecorded) {
    const source = new Mapped(lines, (line) => recordedOf(line, input) ?? plain(line, placeOf(input, path)));
    return { source, header: null, format: null };
  }
  const header = isCsv ? await headerIn(lines, path, fields) : null;
  const tokens = new Tokens(path, input);
  const source = new Mapped(lines, plainRecords(path, input, header, tokens));
  return { source, header, format: isCsv ? "csv" : "json", notes: () => tokens.notes() };
}

async function firstIsRecorded(path: string, input: InputSpec): Promise<boolean> {
  const lines = fileSource({ path, format: "lines" });
  await lines.open();
  const delivery = await lines.read(firstOnly);
  const isRecorded =
    delivery !== null && delivery !== "end" && recordedOf(payloadAt(delivery.payloads, 0), input) !== null;
  await lines.close();
  return isRecorded;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What a line holds; null where it is a record itself. A dead letter says when it arrived, and has the payload as text or in base64. */
function recordedOf(line: Uint8Array, input: InputSpec): Recorded | null {
  const row = jsonRow(decoder.decode(line));
  if (row === null || typeof row["arrived"] !== "number" || typeof row["subject"] !== "string") return null;
  const { arrived, subject, payload, payload_base64: base64 } = row;
  if (typeof payload !== "string" && typeof base64 !== "string") return null;
  const bytes = typeof payload === "string" ? encoder.encode(payload) : Buffer.from(String(base64), "base64");
  return { payload: bytes, subject: subject === "" ? placeOf(input, "") : subject, arrived };
}

function plain(payload: Uint8Array, subject: string): Recorded {
  return { payload, subject, arrived: wallClock.now() };
}

/** The subject of a record that says none, with x for tokens that nobody knows. */
function placeOf({ source }: InputSpec, path: string): string {
  return source.kind === "nats" ? exampleSubject(source.subject) : path;
}

/** Records as they are, on the subject that weir feed would give them: a token that has a name is the field of that name. */
function plainRecords(
  path: string,
  input: InputSpec,
  header: readonly string[] | null,
  tokens: Tokens,
): (line: Uint8Array) => Recorded {
  const { source } = input;
  const place = placeOf(input, path);
  if (source.kind !== "nats" || namedTokens(source.subject).length === 0) return (line) => plain(line, place);
  const template = source.subject.replaceAll(/\*|>/g, "x");
  const rowOf = (line: string): FeedRow | null => (header === null ? jsonRow(line) : csvRow(header, line));
  return (line) => {
    const row = rowOf(decoder.decode(line));
    if (row !== null) tokens.count(row);
    return plain(line, row === null ? place : fillTemplate(template, row));
  };
}

/** Counts records that do not have a field that the subject is to take a token from. */
class Tokens {
  readonly #path: string;
  readonly #subject: string;
  readonly #missing = new Map<string, number>();
  #records = 0;

  constructor(path: string, { source }: InputSpec) {
    this.#path = path;
    this.#subject = source.kind === "nats" ? source.subject : "";
    for (const { name } of namedTokens(this.#subject)) this.#missing.set(name, 0);
  }

  count(row: FeedRow): void {
    this.#records++;
    for (const [name, count] of this.#missing)
      if (tokenFault(row, name) !== null) this.#missing.set(name, count + 1);
  }

  notes(): readonly string[] {
    return [...this.#missing].flatMap(([name, count]) => {
      if (count === 0) return [];
      const which = count === this.#records ? "no record" : `${count} of ${this.#records} records`;
      const has = count === this.#records ? "has" : "do not have";
      return [
        `${this.#path}: ${which} ${has} ${name} as a text or a number, which ${this.#subject} takes from the subject: ${name} is "_" there`,
      ];
    });
  }
}

/** The lines of a file, each made into what it stands for. */
class Mapped implements Reads {
  readonly #lines: FileSource;
  readonly #mapped: (line: Uint8Array) => Recorded;
  readonly #builder = new PayloadBuilder(undefined, Number.POSITIVE_INFINITY);

  constructor(lines: FileSource, mapped: (line: Uint8Array) => Recorded) {
    this.#lines = lines;
    this.#mapped = mapped;
  }

  async read(wanted: ReadLimits): Promise<Delivery | null | "end"> {
    const delivery = await this.#lines.read(wanted);
    if (delivery === null || delivery === "end") return delivery;
    const { payloads, position } = delivery;
    this.#builder.reset();
    for (let row = 0; row < payloads.count; row++) {
      const { payload, subject, arrived } = this.#mapped(payloadAt(payloads, row));
      this.#builder.add(payload, subject, arrived);
    }
    return { payloads: this.#builder.view(), position };
  }

  stats(): ReturnType<Source["stats"]> {
    return this.#lines.stats();
  }

  close(): Promise<void> {
    return this.#lines.close();
  }
}
