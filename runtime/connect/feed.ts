// Plays the devices: puts the lines of a file, or this machine's own readings, onto NATS subjects or MQTT
// topics, at a rate or in the recording's own time. For demonstrations, tests and benchmarks; it decodes
// rows to choose and place them, which no source or sink does.

import { payloadAt, type PayloadBatch } from "../batch/payloads.ts";
import { parseCsvLine } from "../codec/csv/line.ts";
import { sleep, stopwatch, wallClock, type Clock } from "../clock.ts";
import { WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import { batchSink } from "./batch-sink.ts";
import type { ReadLimits, Source } from "./connect.ts";
import type { ConnectorLog } from "./connector-log.ts";
import {
  csvRow,
  fillTemplate,
  jsonRow,
  madeTime,
  matches,
  templateFields,
  timeOf,
  tokenFault,
  type FeedRow,
  type MadeTime,
  type Where,
} from "./feed-rows.ts";
import { checkFile, checkRecord } from "./feed-fields.ts";
import { mqttTarget, sinkTarget, type FeedTarget } from "./feed-target.ts";
import { fileSource } from "./file-source.ts";
import { hostSource } from "./host-source.ts";
import type { HostSensor } from "./host-sampler.ts";
import { jetstreamSink } from "./jetstream-sink.ts";
import type { StreamSpec } from "./jetstream-stream.ts";
import type { NatsLink } from "./nats-connection.ts";
import { natsSink } from "./nats-sink.ts";

/** What is fed. */
export type FeedInput =
  | { readonly kind: "file"; readonly path: string; readonly format: "ndjson" | "csv" }
  | { readonly kind: "host"; readonly every: number; readonly sensors: readonly HostSensor[] };

/** Where to. With a `stream` each row is confirmed by JetStream, and the stream is created when it does not exist. */
export type FeedOutput =
  | { readonly kind: "nats"; readonly link: NatsLink; readonly stream?: StreamSpec }
  | { readonly kind: "mqtt"; readonly url: string };

export interface FeedOptions {
  readonly from: FeedInput;
  readonly to: FeedOutput;
  /** Rows of one message at most; NATS only. Default: 1. */
  readonly batch?: number;
  /** Subject or topic of a row: `sensors.{mote_id}.climate`. */
  readonly subject: string;
  /** Rows a second. Neither `rate` nor `speed`: as fast as the other side takes them. */
  readonly rate?: number;
  /** How many times faster than the recording; needs `time` or `timeField`. */
  readonly speed?: number;
  /** When the first row is due, wall clock ms, so that several feeds keep one pace. Default: at once. */
  readonly begin?: number;
  /** The field with the row's own time, ms since the epoch or an ISO date. */
  readonly timeField?: string;
  /** Adds a time to rows that have none. */
  readonly time?: MadeTime;
  readonly where?: readonly Where[];
  /** Leaves out what comes earlier than this many ms after the first row's own time. */
  readonly skip?: number;
  /** Rows to send at most. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
  /** Told about once a second, and at the end. */
  readonly onProgress?: (progress: FeedProgress) => void;
  readonly log: ConnectorLog;
  readonly clock?: Clock;
}

export interface FeedProgress {
  /** Lines or readings read. */
  readonly read: number;
  /** Given to the other side. */
  readonly sent: number;
  /** Confirmed by it. */
  readonly confirmed: number;
  /** Left out by `where` or `skip`. */
  readonly skipped: number;
  /** Lines that are no record. */
  readonly bad: number;
  /** Taken and never confirmed, or too long to be read. */
  readonly lost: number;
  readonly elapsed_ms: number;
}

/** Feeds until the input ends, `limit` is reached or `signal` fires; resolves when all is confirmed. */
export async function feed(options: FeedOptions): Promise<FeedProgress> {
  if (options.speed !== undefined && options.time === undefined && options.timeField === undefined) {
    throw new WeirError("WEIR_USAGE", "a speed needs the rows' own time, and no time field was named", {
      remedy: "Name the field with the time, or give start and step for rows without one.",
    });
  }
  if (options.from.kind === "file") await checkFile(options.from.path, options.from.format, options);
  const { signal, clock = wallClock } = options;
  const source = inputOf(options);
  await source.open();
  let target: FeedTarget | null = null;
  let feeder: Feeder | null = null;
  let cancel = (): void => undefined;
  // What the other side has not confirmed a while after an interrupt is not waited for any longer, and counts as lost.
  const giveUp = (): void => {
    feeder?.tellOfWaiting();
    cancel = clock.after(limits.drain_ms_max, () => void target?.close());
  };
  try {
    target = await outputOf(options);
    feeder = new Feeder(options, source, target);
    whenAborted(signal, giveUp);
    return await feeder.run();
  } finally {
    signal?.removeEventListener("abort", giveUp);
    cancel();
    await source.close();
    await target?.close();
  }
}

function whenAborted(signal: AbortSignal | undefined, what: () => void): void {
  if (signal?.aborted === true) what();
  else signal?.addEventListener("abort", what, { once: true });
}

function inputOf({ from, clock }: FeedOptions): Source & { readonly header?: string | null } {
  const timed = clock === undefined ? {} : { clock };
  return from.kind === "host"
    ? hostSource({ every: from.every, sensors: from.sensors, ...timed })
    : fileSource({ path: from.path, format: from.format === "csv" ? "csv" : "lines", ...timed });
}

async function outputOf({ to, batch = 1, signal, log, clock }: FeedOptions): Promise<FeedTarget> {
  if (to.kind === "mqtt") return mqttTarget(to.url);
  const timed = clock === undefined ? {} : { clock };
  const sink =
    to.stream === undefined
      ? natsSink({ link: to.link, log })
      : jetstreamSink({ link: to.link, stream: to.stream, log, ...timed });
  const endOpening = (): void => void sink.close();
  whenAborted(signal, endOpening);
  await sink.open().finally(() => signal?.removeEventListener("abort", endOpening));
  if (batch === 1) return sinkTarget(sink);
  const { sink_batch_bytes_default: bytes, sink_batch_wait_ms_default: wait } = limits;
  return sinkTarget(batchSink(sink, { format: "json", rows: batch, bytes, wait, ...timed }));
}

/** Short waits, so that an interrupt and the progress are prompt. */
const reading: ReadLimits = { rows: 512, bytes: limits.batch_bytes_max, wait_ms: 200, age_ms: 0 };

class Feeder {
  readonly #options: FeedOptions;
  readonly #source: Source;
  readonly #target: FeedTarget;
  readonly #columns: readonly string[] | null;
  /** Those of the subject. */
  readonly #fields: readonly string[];
  readonly #clock: Clock;
  readonly #started = stopwatch();
  readonly #startedAt: number;
  #read = 0;
  #sent = 0;
  #skipped = 0;
  #bad = 0;
  #firstTime = Number.NaN;
  #firstSentTime = Number.NaN;
  #told = 0;

  constructor(
    options: FeedOptions,
    source: Source & { readonly header?: string | null },
    target: FeedTarget,
  ) {
    this.#options = options;
    this.#source = source;
    this.#target = target;
    this.#fields = templateFields(options.subject);
    this.#columns =
      source.header == null ? null : (parseCsvLine(source.header) ?? []).map((name) => name.trim());
    this.#clock = options.clock ?? wallClock;
    this.#startedAt = options.begin ?? this.#clock.now();
  }

  async run(): Promise<FeedProgress> {
    for (;;) {
      if (this.#isDone()) break;
      const delivery = await this.#source.read(reading);
      if (delivery === "end") break;
      if (delivery !== null) await this.#feedAll(delivery.payloads);
      this.#report();
    }
    await this.#target.flush();
    const progress = this.#progress();
    this.#options.onProgress?.(progress);
    return progress;
  }

  async #feedAll(payloads: PayloadBatch): Promise<void> {
    for (let row = 0; row < payloads.count && !this.#isDone(); row++) {
      await this.#feed(payloadAt(payloads, row));
    }
  }

  #isDone(): boolean {
    return this.#sent >= (this.#options.limit ?? Infinity) || this.#options.signal?.aborted === true;
  }

  async #feed(line: Uint8Array): Promise<void> {
    const text = Buffer.from(line.buffer, line.byteOffset, line.length).toString("utf8");
    const row = this.#columns === null ? jsonRow(text) : csvRow(this.#columns, text);
    const number = this.#read++;
    if (row === null) {
      this.#bad++;
      return;
    }
    const { where, skip, subject, time: made } = this.#options;
    this.#check(row, number);
    if (made !== undefined) row[made.field] = madeTime(row, made, number);
    const time = this.#timeOf(row);
    if (Number.isNaN(this.#firstTime)) this.#firstTime = time;
    const isEarly = skip !== undefined && !(time - this.#firstTime >= skip);
    if (isEarly || (where !== undefined && !matches(row, where))) {
      this.#skipped++;
      return;
    }
    await this.#untilDue(time);
    if (this.#options.signal?.aborted === true) return;
    // A line that is JSON already, and to which nothing was added, goes out as it came.
    const payload =
      this.#columns === null && made === undefined ? line.slice() : Buffer.from(JSON.stringify(row));
    this.#sent++;
    const room = this.#target.send(fillTemplate(subject, row), payload, this.#clock.now(), null);
    if (room !== undefined) await room;
  }

  /** Refuses a record that no subject can be made of. */
  #check(row: FeedRow, number: number): void {
    if (number === 0 && this.#options.from.kind === "host")
      checkRecord(row, this.#options, "this machine's sensors");
    const field = this.#fields.find((each) => tokenFault(row, each) === "a list or a map");
    if (field === undefined) return;
    throw new WeirError("WEIR_USAGE", `--to: ${field} of record ${number + 1} is a list or a map`, {
      remedy: "name a field that is a text, a number, or true or false",
    });
  }

  #timeOf(row: FeedRow): number {
    const { time, timeField } = this.#options;
    const field = time?.field ?? timeField;
    return field === undefined ? Number.NaN : timeOf(row, field);
  }

  async #untilDue(time: number): Promise<void> {
    const { rate, speed } = this.#options;
    let due = this.#startedAt;
    if (rate !== undefined) due += (this.#sent * 1000) / rate;
    else if (speed !== undefined && !Number.isNaN(time)) {
      if (Number.isNaN(this.#firstSentTime)) this.#firstSentTime = time;
      due += (time - this.#firstSentTime) / speed;
    } else return;
    for (;;) {
      const wait = due - this.#clock.now();
      // A timer is not finer than a millisecond; what is due within one goes out now.
      if (wait < 1 || this.#options.signal?.aborted === true) return;
      await sleep(this.#clock, Math.min(wait, reading.wait_ms));
      this.#report();
    }
  }

  /** It was interrupted: what was sent is waited for. */
  tellOfWaiting(): void {
    const rows = this.#sent - this.#target.confirmed - this.#target.lost;
    if (rows <= 0) return;
    this.#options.log.info(
      `interrupted: ${rows} rows are not confirmed yet, and waited for up to ${limits.drain_ms_max / 1000} s; a second interrupt ends at once`,
    );
  }

  #report(): void {
    const seconds = Math.floor((stopwatch() - this.#started) / 1000);
    if (seconds <= this.#told) return;
    this.#told = seconds;
    this.#options.onProgress?.(this.#progress());
  }

  #progress(): FeedProgress {
    const oversize = Object.values(this.#source.stats().dropped).reduce((sum, count) => sum + count, 0);
    return {
      read: this.#read,
      sent: this.#sent,
      confirmed: this.#target.confirmed,
      skipped: this.#skipped,
      bad: this.#bad,
      lost: this.#target.lost + oversize,
      elapsed_ms: stopwatch() - this.#started,
    };
  }
}
