// Rows to core NATS subjects. A row is published once; a round trip tells that the server has it, never
// that anybody listened; what this user may not publish there is counted as dropped. Waits while there is no
// connection; rows in flight at a cut are counted as unconfirmed, because to send them again could deliver them twice.

import type { Subscription as Watching } from "rxjs";
import { limits } from "../limits.ts";
import { Conditions } from "./conditions.ts";
import type { OutputRow, Sink, SinkStats } from "./connect.ts";
import type { ConnectorLog } from "./connector-log.ts";
import type { NatsLink } from "./nats-connection.ts";
import { headersSize } from "./row-headers.ts";
import { RowPublisher } from "./row-publisher.ts";
import { rowsOf, SinkCounts } from "./sink-counts.ts";
import { publishSubjectFault, shownSubject } from "./subject.ts";

export interface NatsSinkOptions {
  readonly link: NatsLink;
  readonly log: ConnectorLog;
}

export function natsSink(options: NatsSinkOptions): Sink {
  return new CoreSink(options);
}

class CoreSink implements Sink {
  readonly #link: NatsLink;
  readonly #log: ConnectorLog;
  readonly #publisher: RowPublisher;
  readonly #counts: SinkCounts = new SinkCounts();
  readonly #conditions: Conditions = new Conditions();
  /** Taken and not published: there is no connection, or too much is unconfirmed. */
  #queue: OutputRow[] = [];
  #queueBytes = 0;
  /** Published, and not answered for. */
  #sent: OutputRow[] = [];
  #sentRows = 0;
  #sentBytes = 0;
  /** Those of them that the server refused, and how many it has told of: it goes through them in order. */
  readonly #refused = new Set<OutputRow>();
  #toldOf = 0;
  #roundTrip = false;
  #watching: Watching | null = null;
  #closed = false;
  #toldSubject = false;

  constructor(options: NatsSinkOptions) {
    this.#link = options.link;
    this.#log = options.log;
    this.#publisher = new RowPublisher(options.link);
  }

  open(): Promise<void> {
    this.#watching = this.#link.status.subscribe((status) => {
      if (status.kind === "connected") this.#pump();
      else if (status.kind === "disconnected" || status.kind === "closed") this.#onCut();
    });
    this.#watching.add(this.#link.refused.subscribe((subject) => this.#onRefused(subject)));
    return Promise.resolve();
  }

  write(row: OutputRow): void {
    const rows = rowsOf(row);
    this.#counts.taken += rows;
    if (this.#closed) return this.#counts.drop("closed", rows);
    const fault = publishSubjectFault(row.subject);
    if (fault !== null) return this.#refuse(row, fault);
    if (row.payload.length + headersSize(row) > this.#payloadMax())
      return this.#counts.drop("oversize", rows);
    this.#queue.push(row);
    this.#queueBytes += row.payload.length;
    if (this.#queue.length === 1) queueMicrotask(() => this.#pump());
  }

  ready(): Promise<void> {
    return this.#conditions.until(
      () =>
        this.#closed ||
        (this.#counts.pending < limits.sink_queue_rows_max &&
          this.#queueBytes + this.#sentBytes < limits.sink_in_flight_bytes_max),
    );
  }

  flush(): Promise<void> {
    // Rows are settled in the order in which they were taken.
    const target = this.#counts.taken;
    return this.#conditions.until(() => this.#closed || this.#counts.taken - this.#counts.pending >= target);
  }

  stats(): SinkStats {
    return this.#counts.stats();
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#watching?.unsubscribe();
      this.#counts.drop("closed", this.#counts.pending);
      this.#queue = [];
      this.#forgetSent();
    }
    this.#conditions.check();
    return Promise.resolve();
  }

  #payloadMax(): number {
    return this.#link.nats.info?.max_payload ?? limits.payload_bytes_max;
  }

  #refuse(row: OutputRow, fault: string): void {
    this.#counts.drop("subject", rowsOf(row));
    if (this.#toldSubject) return;
    this.#toldSubject = true;
    this.#log.warn(
      `sink nats: cannot publish to ${shownSubject(row.subject)}: ${fault}; such rows are counted as dropped`,
    );
  }

  #pump(): void {
    if (!this.#link.connected || this.#closed) return;
    let sent = 0;
    for (const row of this.#queue) {
      if (this.#sentRows >= limits.nats_round_trip_rows) break;
      this.#publisher.add(row);
      this.#sent.push(row);
      this.#sentRows += rowsOf(row);
      this.#sentBytes += row.payload.length;
      this.#queueBytes -= row.payload.length;
      sent++;
    }
    this.#publisher.send();
    this.#queue = sent === this.#queue.length ? [] : this.#queue.slice(sent);
    if (this.#sentRows > 0 && !this.#roundTrip) void this.#confirm();
  }

  /** One round trip at a time: its answer confirms all that was published before it was asked. */
  async #confirm(): Promise<void> {
    this.#roundTrip = true;
    const { cuts } = this.#link;
    const asked = this.#sent.length;
    let confirmed = false;
    try {
      await this.#link.flush();
      confirmed = true;
    } catch {
      // The cut itself is told by the connection's status.
    }
    this.#roundTrip = false;
    if (confirmed && cuts === this.#link.cuts && !this.#closed) this.#settle(this.#sent.splice(0, asked));
    this.#conditions.check();
    this.#pump();
  }

  #settle(sent: readonly OutputRow[]): void {
    for (const row of sent) {
      const rows = rowsOf(row);
      this.#sentRows -= rows;
      this.#sentBytes -= row.payload.length;
      if (this.#refused.delete(row)) this.#counts.drop("not_permitted", rows);
      else this.#counts.confirm(rows, row.payload.length);
    }
    this.#toldOf = Math.max(0, this.#toldOf - sent.length);
  }

  /** The connection says it once for each message; another sink of it may have sent it. */
  #onRefused(subject: string): void {
    let place = this.#toldOf;
    while (place < this.#sent.length && this.#sent[place]!.subject !== subject) place++;
    const row = this.#sent[place];
    if (row === undefined) return;
    this.#refused.add(row);
    this.#toldOf = place + 1;
  }

  #forgetSent(): void {
    this.#sent = [];
    this.#sentRows = 0;
    this.#sentBytes = 0;
    this.#refused.clear();
    this.#toldOf = 0;
  }

  #onCut(): void {
    if (this.#sentRows === 0 || this.#closed) return;
    this.#log.warn(
      `sink nats: ${this.#sentRows} rows were in flight at the cut and are counted as unconfirmed`,
    );
    this.#counts.drop("unconfirmed", this.#sentRows);
    this.#forgetSent();
    this.#conditions.check();
  }
}
