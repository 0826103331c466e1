// Many rows in one message of another sink: as lines, or msgpack values one after the other. Rows of one subject alone share
// a message. Keeps no row longer than `wait`, and none at a flush, so that a commit covers what was taken.

import type { Format } from "../codec/codec.ts";
import { wallClock, type Clock } from "../clock.ts";
import { limits } from "../limits.ts";
import type { OutputRow, Sink, SinkStats } from "./connect.ts";

export interface BatchSinkOptions {
  /** What the rows are written in. */
  readonly format: Format;
  /** The most rows of one message. */
  readonly rows: number;
  /** The most bytes of one message; a larger row goes alone. */
  readonly bytes: number;
  /** How long a row may wait for others, ms. */
  readonly wait: number;
  readonly clock?: Clock;
}

export function batchSink(sink: Sink, options: BatchSinkOptions): Sink {
  return new BatchSink(sink, options);
}

/** Rows of one subject that wait, oldest first. */
interface Gathered {
  readonly rows: OutputRow[];
  bytes: number;
  readonly due: number;
}

const lineFeed = 10;
const carriageReturn = 13;
const space = 32;

class BatchSink implements Sink {
  readonly #sink: Sink;
  readonly #options: BatchSinkOptions;
  readonly #clock: Clock;
  /** By subject, in the order in which they are due. */
  readonly #gathered = new Map<string, Gathered>();
  #waiting = 0;
  #waitingBytes = 0;
  #cancel: (() => void) | null = null;
  #closed = false;

  constructor(sink: Sink, options: BatchSinkOptions) {
    this.#sink = sink;
    this.#options = options;
    this.#clock = options.clock ?? wallClock;
  }

  open(): Promise<void> {
    return this.#sink.open();
  }

  write(row: OutputRow): void {
    if (this.#closed) return this.#sink.write(row);
    const { rows, bytes, wait } = this.#options;
    const size = row.payload.length + 1;
    let gathered = this.#gathered.get(row.subject);
    if (gathered !== undefined && gathered.bytes + size > bytes) {
      this.#send(row.subject, gathered);
      gathered = undefined;
    }
    if (gathered === undefined) {
      gathered = { rows: [], bytes: 0, due: this.#clock.elapsed() + wait };
      this.#gathered.set(row.subject, gathered);
    }
    gathered.rows.push(row);
    gathered.bytes += size;
    this.#waiting++;
    this.#waitingBytes += size;
    if (gathered.rows.length >= rows || gathered.bytes >= bytes) this.#send(row.subject, gathered);
    else if (this.#isTooMuch()) this.#sendAll();
    this.#cancel ??= this.#clock.after(wait, () => this.#onDue());
  }

  ready(): Promise<void> {
    return this.#sink.ready();
  }

  flush(): Promise<void> {
    this.#sendAll();
    return this.#sink.flush();
  }

  stats(): SinkStats {
    const stats = this.#sink.stats();
    return { ...stats, pending: stats.pending + this.#waiting };
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#sendAll();
    this.#cancel?.();
    this.#cancel = null;
    return this.#sink.close();
  }

  /** With many subjects, what waits could be more than a sink may hold. */
  #isTooMuch(): boolean {
    return (
      this.#waiting >= limits.sink_queue_rows_max || this.#waitingBytes >= limits.sink_in_flight_bytes_max
    );
  }

  #sendAll(): void {
    for (const [subject, gathered] of this.#gathered) this.#send(subject, gathered);
  }

  #onDue(): void {
    const now = this.#clock.elapsed();
    this.#cancel = null;
    for (const [subject, gathered] of this.#gathered) {
      if (gathered.due > now) {
        this.#cancel = this.#clock.after(gathered.due - now, () => this.#onDue());
        return;
      }
      this.#send(subject, gathered);
    }
  }

  #send(subject: string, { rows, bytes }: Gathered): void {
    this.#gathered.delete(subject);
    this.#waiting -= rows.length;
    this.#waitingBytes -= bytes;
    const [first, last] = [rows[0]!, rows.at(-1)!];
    if (rows.length === 1) return this.#sink.write(first);
    this.#sink.write({
      subject,
      payload: joined(rows, this.#options.format),
      // The same rows have the same id.
      id: first.id === null || last.id === null ? null : `${first.id}..${last.id}`,
      caused: last.caused,
      rows: rows.length,
    });
  }
}

/** The payload of many rows. */
function joined(rows: readonly OutputRow[], format: Format): Uint8Array {
  const gap = format === "msgpack" ? 0 : 1;
  const size = rows.reduce((total, { payload }) => total + payload.length + gap, -gap);
  const bytes = new Uint8Array(size);
  let end = 0;
  for (const { payload } of rows) {
    if (gap > 0 && end > 0) bytes[end++] = lineFeed;
    bytes.set(payload, end);
    if (format === "json") unbreak(bytes, end, end + payload.length);
    end += payload.length;
  }
  return bytes;
}

/** A line end inside a record of JSON is white space, and would cut it in two. */
function unbreak(bytes: Uint8Array, start: number, end: number): void {
  const text = Buffer.from(bytes.buffer, start, end - start);
  if (!text.includes(lineFeed)) return;
  for (let place = start; place < end; place++)
    if (bytes[place] === lineFeed || bytes[place] === carriageReturn) bytes[place] = space;
}
