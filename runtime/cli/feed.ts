// weir feed: plays the devices. A file or this machine's own sensors, onto NATS subjects or MQTT topics.

import type { FeedOptions, FeedOutput, FeedProgress } from "../connect/feed.ts";
import { feed as feedInto } from "../connect/feed.ts";
import { checkFile } from "../connect/feed-fields.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { WeirError } from "../errors.ts";
import { durationOption } from "./duration-option.ts";
import { makeLog } from "../log.ts";
import { streamSubjectOf, subjectFault } from "../pipeline/subject.ts";
import { print } from "./terminal.ts";

/** What the command line gives; see `weir feed --help`. */
export interface FeedSettings {
  readonly to: string;
  readonly url: string;
  readonly stream?: string;
  readonly batch?: number;
  readonly rate?: number;
  readonly speed?: number;
  readonly begin?: string;
  readonly every: string;
  readonly timeField?: string;
  readonly start?: string;
  readonly step?: string;
  readonly index?: string;
  readonly from?: string;
  readonly where: readonly string[];
  readonly limit?: number;
  readonly json?: boolean;
}

function usage(message: string, remedy: string): WeirError {
  return new WeirError("WEIR_USAGE", message, { remedy });
}

function momentOf(text: string, option: string): number {
  const ms = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isNaN(ms))
    throw usage(`${option}: expected a time, got ${text}`, "such as 2010-05-10T00:00:00Z");
  return ms;
}

function conditionOf(text: string): { field: string; equal: boolean; value: string } {
  const match = /^([^=!]+)(!?=)(.*)$/.exec(text);
  if (match === null)
    throw usage(`--where: expected field=value or field!=value, got ${text}`, "such as mote_id=3");
  return { field: match[1]!, equal: match[2] === "=", value: match[3]! };
}

/** The stream's subjects, if it has to be created: the template with its fields as wildcards. */
function streamOf(name: string, subject: string): { name: string; subjects: string[] } {
  return { name, subjects: [streamSubjectOf(subject)] };
}

/** The time to add, when the settings say how it is computed. */
function madeTime(settings: FeedSettings): Partial<FeedOptions> {
  const { timeField, step, start, index } = settings;
  if (step === undefined) return timeField === undefined ? {} : { timeField };
  if (timeField === undefined || start === undefined) {
    throw usage("--step needs --time-field and --start", "the time of a row is start + (index - 1) × step");
  }
  return {
    time: {
      field: timeField,
      start: momentOf(start, "--start"),
      step: durationOption(step, "--step"),
      index: index ?? null,
    },
  };
}

/** Refuses a template that no record makes a subject or topic of. */
function checkSubject({ to, url }: FeedSettings): void {
  const filled = to.replaceAll(/\{[^{}]+\}/g, "_");
  if (/[{}]/.test(filled))
    throw usage(`--to ${to}: a brace has no other`, "a field stands between two: sensors.{device}");
  const fault = /^mqtts?:/.test(url) ? null : subjectFault(filled, "fixed");
  if (fault !== null) throw usage(`--to ${to}: ${fault.message}`, fault.hint);
}

function inputOf(what: string, settings: FeedSettings): FeedOptions["from"] {
  if (what === "host") return { kind: "host", every: durationOption(settings.every, "--every"), sensors: [] };
  return { kind: "file", path: what, format: /\.csv$/i.test(what) ? "csv" : "ndjson" };
}

function progressText({ read, sent, confirmed, skipped, bad, lost, elapsed_ms }: FeedProgress): string {
  const rate = elapsed_ms > 0 ? Math.round((sent * 1000) / elapsed_ms) : sent;
  return `${sent} sent (${rate}/s), ${confirmed} confirmed, ${read} read, ${skipped} skipped, ${bad} bad, ${lost} lost`;
}

/** What is fed and when, from what the command line says; a mistake in it is told before anything is opened. */
function playOf(what: string, settings: FeedSettings): Omit<FeedOptions, "to" | "log"> {
  const { batch, rate, speed, begin, from, limit } = settings;
  if (batch !== undefined && /^mqtts?:/.test(settings.url))
    throw usage("--batch is for messages of NATS", "leave it out for MQTT");
  return {
    from: inputOf(what, settings),
    subject: settings.to,
    where: settings.where.map(conditionOf),
    ...madeTime(settings),
    ...(batch === undefined ? {} : { batch }),
    ...(rate === undefined ? {} : { rate }),
    ...(speed === undefined ? {} : { speed }),
    ...(begin === undefined ? {} : { begin: momentOf(begin, "--begin") }),
    ...(from === undefined ? {} : { skip: durationOption(from, "--from") }),
    ...(limit === undefined ? {} : { limit }),
  };
}

function outputOf({ url, stream, to }: FeedSettings, link: NatsLink | null): FeedOutput {
  if (link === null) return { kind: "mqtt", url };
  return { kind: "nats", link, ...(stream === undefined ? {} : { stream: streamOf(stream, to) }) };
}

export async function feed(what: string, settings: FeedSettings): Promise<number> {
  const play = playOf(what, settings);
  checkSubject(settings);
  // A mistake in what was typed is told before anything waits for a server.
  if (play.from.kind === "file") await checkFile(play.from.path, play.from.format, play);
  const log = makeLog(process.stderr.isTTY ? "text" : "json");
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupted.abort());
  const link = /^mqtts?:/.test(settings.url)
    ? null
    : await connectNats({ name: "feed", servers: settings.url, signal: interrupted.signal }, log);
  const live = process.stderr.isTTY;
  const progress = await feedInto({
    ...play,
    to: outputOf(settings, link),
    signal: interrupted.signal,
    onProgress: (now) => {
      if (live) process.stderr.write(`\r${progressText(now)}\x1b[K`);
    },
    log,
  });
  await link?.close();
  if (live) process.stderr.write("\n");
  print(settings.json === true ? JSON.stringify(progress) : progressText(progress));
  if (progress.read > 0 && progress.bad === progress.read)
    throw new WeirError("WEIR_FILE", `${what} has no record that can be read`, {
      remedy: "a file holds one JSON object on each line, or CSV with a first line that names the columns",
    });
  return progress.lost === 0 ? 0 : 74;
}
