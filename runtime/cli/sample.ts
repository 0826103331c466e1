// weir init --from: a pipeline begun from what a file holds, or from what comes on a subject just now. Looks at some
// hundred records and decides nothing about them.

import { existsSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, relative, resolve } from "node:path";
import { payloadAt } from "../batch/payloads.ts";
import { wallClock } from "../clock.ts";
import { otherSeparator } from "../codec/csv/header.ts";
import { parseCsvLine } from "../codec/csv/line.ts";
import { cutOf, type Framing } from "../codec/framing.ts";
import type { ReadLimits, Source } from "../connect/connect.ts";
import { fileSource } from "../connect/file-source.ts";
import { natsSource } from "../connect/nats-source.ts";
import { durationText } from "../engine/waiting.ts";
import { WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import { makeLog } from "../log.ts";
import { type SampledRecords, sampleFields } from "../pipeline/sampled-fields.ts";
import { framingOf } from "../pipeline/sampled-framing.ts";
import { pipelineText, type Sampled } from "../pipeline/sampled-pipeline.ts";
import { sampleSubject } from "../pipeline/sampled-subject.ts";
import { subjectFault, subjectOfTopic, subscriptionOf } from "../pipeline/subject.ts";
import { withLink } from "./apply.ts";
import { durationOption } from "./duration-option.ts";
import { print } from "./terminal.ts";

export interface SampleOptions {
  /** A file of NDJSON or CSV, or a subject. */
  readonly from: string;
  /** How long a subject is listened to. */
  readonly for?: string;
  readonly nats: readonly string[];
  readonly config: string;
  readonly json?: boolean;
}

interface Message {
  readonly payload: Uint8Array;
  readonly subject: string;
  /** Wall clock ms. */
  readonly arrived: number;
}

/** Writes the pipeline to `file`, or prints what was found. */
export async function initFrom(file: string, options: SampleOptions): Promise<number> {
  const sampled = isFile(options.from) ? await ofFile(file, options.from) : await ofSubject(file, options);
  const { found, from } = sampled;
  if (options.json === true) {
    print(JSON.stringify({ from: from.kind === "nats" ? from.subject : from.path, ...found }));
    return 0;
  }
  writeFileSync(file, pipelineText(sampled));
  const fields = `${found.fields.length} ${found.fields.length === 1 ? "field" : "fields"}`;
  const odd = found.fields.filter(({ refused, missing }) => refused + missing > 0).length;
  const said = odd === 0 ? "" : `; what is odd about ${odd} of them stands beside them`;
  print(`wrote ${file}: ${fields} of ${found.records - found.broken} records${said}`);
  // What was typed may hold a password.
  const nats = from.kind === "nats" && options.nats.length > 0 ? " --nats …" : "";
  print(`  weir lint ${file} && weir explain ${file} && weir run ${file}${nats}`);
  return 0;
}

/** What looks like a file is one, or it is missing. */
function isFile(from: string): boolean {
  if (existsSync(from)) return true;
  // A topic with + or # is told apart where subjects are judged.
  if (!/\.(ndjson|jsonl|json|csv)$/i.test(from) && !/^[^+#]*\/[^+#]*$/.test(from)) return false;
  throw new WeirError("WEIR_FILE", `there is no ${from}`, {
    remedy: `name a file of NDJSON or CSV, or a subject; an MQTT topic has its levels between dots: ${subjectOfTopic(from)}`,
  });
}

function nameOf(file: string): string {
  const name = basename(file)
    .replace(/\.ya?ml$/i, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/g, "-");
  return name.slice(0, limits.config_name_length_max) || "pipeline";
}

async function ofFile(file: string, from: string): Promise<Sampled> {
  if (statSync(from).isDirectory())
    throw new WeirError("WEIR_USAGE", `${from} is a folder`, { remedy: "name one file of it" });
  const format = /\.csv$/i.test(from) ? "csv" : "json";
  const source = fileSource({ path: from, format: format === "csv" ? "csv" : "lines" });
  await source.open();
  const messages = await gather(source, Number.POSITIVE_INFINITY);
  await source.close();
  const header = format === "csv" ? parseCsvLine(source.header ?? "") : null;
  const separator = header === null ? null : otherSeparator(source.header, header);
  if (separator !== null)
    throw new WeirError("WEIR_FILE", `${from} has its columns separated by ${separator}`, {
      remedy: "separate its columns by commas, and write decimals with a point",
    });
  const path = relative(dirname(resolve(file)), resolve(from));
  return sampledOf(
    { name: nameOf(file), from: { kind: "file", path } },
    { format, header, framing: "message" },
    messages,
    {
      what: from,
      remedy: "a file holds one JSON object on each line, or CSV with a first line that names the columns",
    },
  );
}

async function ofSubject(file: string, options: SampleOptions): Promise<Sampled> {
  const { from: pattern, nats, config } = options;
  const listen_ms =
    options.for === undefined ? limits.sample_ms_default : durationOption(options.for, "--for", 1);
  const fault = subjectFault(pattern, "source");
  if (fault !== null) throw new WeirError("WEIR_USAGE", `--from: ${fault.message}`, { remedy: fault.hint });
  const messages = await withLink({ nats, config, to: "default" }, async (link) => {
    const subject = subscriptionOf(pattern);
    const source = natsSource({ link, subject, overflow: "drop_newest", log: makeLog("text") });
    await source.open();
    const gathered = await gather(source, listen_ms);
    await source.close();
    return gathered;
  });
  if (messages.length === 0) throw silentSubject(pattern, listen_ms);
  const framing = framingOf(messages.map(({ payload }) => payload));
  const cut = cutOf(framing);
  const records = messages.flatMap((message) => (cut === null ? [message] : cutOne(message, cut)));
  const what = {
    what: `what comes on ${pattern}`,
    remedy:
      'records are JSON objects, such as {"temp": 21.5}: have the sensors publish such, or for msgpack and protobuf write the pipeline by hand (weir init)',
  };
  return sampledOf(
    { name: nameOf(file), from: { kind: "nats", subject: pattern, tokens: [], fixed: [] } },
    { format: "json", header: null, framing },
    records.slice(0, limits.sample_records_max),
    what,
  );
}

/** Nothing came on a subject that was listened to. */
export function silentSubject(pattern: string, listen_ms: number): WeirError {
  const wider = pattern.endsWith(">") ? "" : ` ('${pattern.split(".")[0]}.>' takes all that begin so)`;
  return new WeirError("WEIR_USAGE", `no record came on ${pattern} within ${durationText(listen_ms)}`, {
    remedy: `check that sensors publish to this server (--nats) and under that subject${wider}, or listen longer: --for 1m`,
  });
}

function cutOne(message: Message, cut: NonNullable<ReturnType<typeof cutOf>>): Message[] {
  const { bytes, starts, ends, count } = cut(message.payload, message.arrived);
  return Array.from({ length: count }, (_, record) => ({
    ...message,
    payload: bytes.slice(starts[record], ends[record]),
  }));
}

function sampledOf(
  { name, from }: Pick<Sampled, "name" | "from">,
  { format, header, framing }: Pick<SampledRecords, "format" | "header"> & { readonly framing: Framing },
  messages: readonly Message[],
  { what, remedy }: { readonly what: string; readonly remedy: string },
): Sampled {
  const payloads = messages.map(({ payload }) => payload);
  const now = wallClock.now();
  const found = sampleFields({ format, header, payloads }, now);
  if (found.records === found.broken)
    throw new WeirError(
      "WEIR_USAGE",
      `${what} has no record${found.breakage === null ? "" : ` that can be read: ${found.breakage}`}`,
      { remedy },
    );
  const fields = new Set(found.fields.map((field) => field.name));
  const subjects = messages.map(({ subject }) => subject);
  const source =
    from.kind === "nats" ? { kind: from.kind, ...sampleSubject(from.subject, subjects, fields) } : from;
  return { name, from: source, format, framing, found, now };
}

const reading: ReadLimits = {
  rows: limits.sample_records_max,
  bytes: limits.batch_bytes_max,
  wait_ms: 100,
  age_ms: 0,
};

/** The first records of a source, until there are enough or the time is over. */
async function gather(source: Source, listen_ms: number): Promise<readonly Message[]> {
  const messages: Message[] = [];
  const end = wallClock.now() + listen_ms;
  let bytes = 0;
  const hasRoom = (): boolean =>
    messages.length < limits.sample_records_max && bytes < limits.sample_bytes_max;
  while (hasRoom() && wallClock.now() < end) {
    const delivery = await source.read({ ...reading, rows: limits.sample_records_max - messages.length });
    if (delivery === "end") break;
    if (delivery === null) continue;
    const { payloads } = delivery;
    for (let row = 0; row < payloads.count && hasRoom(); row++) {
      const payload = payloadAt(payloads, row).slice();
      const subject = payloads.subjects[payloads.subject[row]!]!;
      messages.push({ payload, subject, arrived: payloads.arrived[row]! });
      bytes += payload.length;
    }
  }
  return messages;
}
