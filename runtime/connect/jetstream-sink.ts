// Rows to a JetStream stream: pipelined, each confirmed by the stream. A passing fault is retried for ever
// under the row's own id, so that a repeat is stored once. Rows keep their order except around a fault,
// where those behind a failed row may have been stored already.

import type { JetStreamManager } from "@nats-io/jetstream";
import type { Subscription as Watching } from "rxjs";
import { wallClock, type Clock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import { limits } from "../limits.ts";
import { backOff } from "./back-off.ts";
import { Conditions } from "./conditions.ts";
import type { OutputRow, Sink, SinkStats } from "./connect.ts";
import { awayText, type ConnectorLog } from "./connector-log.ts";
import { JetStreamPublisher, type Outcome } from "./jetstream-publisher.ts";
import { asker, managerOf, type Asker } from "./jetstream-requests.ts";
import { ensureStream, type StreamSpec } from "./jetstream-stream.ts";
import type { NatsLink } from "./nats-connection.ts";
import { headersSize, headerText } from "./row-headers.ts";
import { rowsOf, SinkCounts } from "./sink-counts.ts";
import { publishSubjectFault, shownSubject } from "./subject.ts";

export interface JetStreamSinkOptions {
  readonly link: NatsLink;
  readonly stream: StreamSpec;
  /** Another JetStream domain for the stream's own requests. */
  readonly domain?: string;
  readonly log: ConnectorLog;
  readonly clock?: Clock;
  /** Default: `sink_in_flight_max`. */
  readonly inFlightMax?: number;
}

export function jetstreamSink(options: JetStreamSinkOptions): Sink {
  return new StreamSink(options);
}

/** A row with its place in the order of writing. */
interface Outgoing {
  readonly row: OutputRow;
  readonly order: number;
}

/** "message size exceeds maximum allowed": the stream's own limit, which may be below the server's. */
const messageTooLarge = 10_054;

class StreamSink implements Sink {
  readonly #options: JetStreamSinkOptions;
  readonly #link: NatsLink;
  readonly #clock: Clock;
  readonly #asker: Asker;
  readonly #counts: SinkCounts = new SinkCounts();
  readonly #conditions: Conditions = new Conditions();
  readonly #inFlightMax: number;
  #manager!: JetStreamManager;
  #publisher: JetStreamPublisher<Outgoing> | null = null;
  #queue: Outgoing[] = [];
  #head = 0;
  /** Messages taken so far. */
  #order = 0;
  /** Failed, to be sent before anything new. */
  #failed: Outgoing[] = [];
  /** Orders of rows that were published, ascending. */
  readonly #inFlight = new Set<number>();
  /** As many as allowed were published, and less than half of them answered. */
  #full = false;
  #scheduled = false;
  #bytes = 0;
  #holding = false;
  #attempt = 0;
  /** Faults that were told since a row was stored last. */
  readonly #told = new Set<string>();
  /** The last of them, without whose it is. */
  #hindrance: string | null = null;
  #watching: Watching | null = null;
  #closed = false;

  constructor(options: JetStreamSinkOptions) {
    this.#options = options;
    this.#link = options.link;
    this.#clock = options.clock ?? wallClock;
    this.#asker = asker(
      `sink stream ${options.stream.name}`,
      { ...options, log: this.#logOf(options) },
      () => this.#closed,
    );
    this.#inFlightMax = options.inFlightMax ?? limits.sink_in_flight_max;
  }

  async open(): Promise<void> {
    this.#manager = await managerOf(this.#link, this.#options.domain ?? null);
    await ensureStream(this.#asker, this.#manager, this.#options.stream);
    this.#publisher = new JetStreamPublisher(this.#link, this.#clock, (outgoing, outcome) =>
      this.#settle(outgoing, outcome),
    );
    this.#watching = this.#link.status.subscribe((status) => {
      if (status.kind === "disconnected") this.#publisher?.loseAll();
      if (status.kind === "connected") this.#pump();
    });
  }

  write(row: OutputRow): void {
    const rows = rowsOf(row);
    this.#counts.taken += rows;
    if (this.#closed) return this.#counts.drop("closed", rows);
    const fault = publishSubjectFault(row.subject);
    if (fault !== null) {
      this.#tell(
        `cannot publish to ${shownSubject(row.subject)}: ${fault}; such rows are counted as dropped`,
      );
      return this.#counts.drop("subject", rows);
    }
    const most = this.#link.nats.info?.max_payload ?? limits.payload_bytes_max;
    if (row.payload.length + headersSize(row) > most) return this.#counts.drop("oversize", rows);
    this.#queue.push({ row, order: this.#order++ });
    this.#bytes += row.payload.length;
    this.#schedule();
  }

  ready(): Promise<void> {
    return this.#conditions.until(
      () =>
        this.#closed ||
        (this.#counts.pending < limits.sink_queue_rows_max && this.#bytes < limits.sink_in_flight_bytes_max),
    );
  }

  flush(): Promise<void> {
    const target = this.#order;
    return this.#conditions.until(() => this.#closed || this.#oldestPending() >= target);
  }

  stats(): SinkStats {
    const stats = this.#counts.stats();
    const hindrance = this.#link.connected ? this.#hindrance : awayText(this.#link.name);
    return stats.pending === 0 || hindrance === null ? stats : { ...stats, hindrance };
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#watching?.unsubscribe();
      this.#publisher?.close();
      this.#counts.drop("closed", this.#counts.pending);
    }
    this.#conditions.check();
    return Promise.resolve();
  }

  /** The place of the oldest message that is not settled; the number of messages when all are. */
  #oldestPending(): number {
    let oldest = this.#queue[this.#head]?.order ?? this.#order;
    for (const order of this.#inFlight) {
      oldest = Math.min(oldest, order);
      break;
    }
    for (const { order } of this.#failed) oldest = Math.min(oldest, order);
    return oldest;
  }

  #pump(): void {
    const publisher = this.#publisher;
    if (publisher === null || this.#holding || this.#closed || !this.#link.connected) return;
    // A row for each answer would be a write to the socket for each; half of them go together.
    if (this.#full && this.#inFlight.size > this.#inFlightMax / 2) return;
    while (this.#inFlight.size < this.#inFlightMax) {
      const next = this.#failed.shift() ?? this.#next();
      if (next === undefined) break;
      this.#inFlight.add(next.order);
      publisher.add(next.row.subject, headerText(next.row), next.row.payload, next);
    }
    this.#full = this.#inFlight.size >= this.#inFlightMax;
    publisher.send();
  }

  #next(): Outgoing | undefined {
    const next = this.#queue[this.#head];
    if (next === undefined) return undefined;
    this.#head++;
    if (this.#head > 1_024 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    return next;
  }

  #settle(outgoing: Outgoing, outcome: Outcome): void {
    this.#inFlight.delete(outgoing.order);
    const size = outgoing.row.payload.length;
    if (outcome.kind === "stored") {
      this.#bytes -= size;
      this.#counts.confirm(rowsOf(outgoing.row), size);
      this.#attempt = 0;
      this.#told.clear();
      this.#hindrance = null;
    } else if (outcome.kind === "refused" && outcome.code === messageTooLarge) {
      this.#bytes -= size;
      this.#counts.drop("oversize", rowsOf(outgoing.row));
    } else {
      this.#failed.push(outgoing);
      this.#hold(outcome);
    }
    if (this.#holding && this.#inFlight.size === 0) this.#retryLater();
    this.#schedule();
  }

  /** Rows that are written and answers that come together are handled together. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#pump();
      this.#conditions.check();
    });
  }

  /** Sends nothing more until what is in flight is settled, so that the failed rows go first. */
  #hold(outcome: Exclude<Outcome, { kind: "stored" }>): void {
    this.#holding = true;
    if (outcome.kind === "absent")
      this.#tell("no stream takes the row, or JetStream is away; trying again for ever");
    if (outcome.kind === "refused") this.#tell(`refused: ${outcome.reason}; trying again for ever`);
    if (outcome.kind === "lost" && this.#link.connected) this.#tell("no answer; trying again for ever");
  }

  #retryLater(): void {
    this.#failed.sort((a, b) => a.order - b.order);
    this.#clock.after(backOff(this.#attempt++, Math.random()), () => {
      if (this.#closed) return;
      // The stream may have been deleted, or the store lost with its server.
      ensureStream(this.#asker, this.#manager, this.#options.stream)
        .catch((fault: unknown) => this.#tell(messageOf(fault)))
        .finally(() => {
          this.#holding = false;
          this.#pump();
        });
    });
  }

  #tell(message: string): void {
    this.#asker.log.warn(`${this.#asker.name}: ${message}`);
  }

  /** One line for each new fault: what is tried again for ever meets the same ones. */
  #logOf({ log }: JetStreamSinkOptions): ConnectorLog {
    return {
      info: (message) => log.info(message),
      warn: (message) => {
        this.#hindrance = message.replace(`${this.#asker.name}: `, "");
        if (this.#told.has(message) || this.#told.size >= limits.nats_errors_told_max) return;
        this.#told.add(message);
        log.warn(message);
      },
      waits: (who, what) => log.waits?.(who, what),
    };
  }
}
