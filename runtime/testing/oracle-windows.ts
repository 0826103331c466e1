// Each kind of window as one would explain it, over records that are all kept. Part of the oracle that
// tests hold the engine to; shares no code with it, keeps no aggregate and is never fast.

import type { Arrival } from "./oracle-aggregate.ts";

export type OracleWindow =
  | { readonly kind: "tumbling"; readonly size: number; readonly offset: number }
  | { readonly kind: "hopping"; readonly size: number; readonly every: number; readonly offset: number }
  | { readonly kind: "cumulate"; readonly step: number; readonly max: number; readonly offset: number }
  | { readonly kind: "early"; readonly size: number; readonly early: number; readonly offset: number }
  | { readonly kind: "session"; readonly gap: number; readonly max: number }
  | { readonly kind: "count"; readonly n: number; readonly every: number }
  | { readonly kind: "sliding"; readonly length: number }
  | {
      readonly kind: "state";
      readonly opens: (record: Arrival["record"]) => boolean;
      readonly closes: (record: Arrival["record"]) => boolean;
    };

/** What one row is made of: a window, and the records of one key that it holds, as they came. */
export interface OracleRow {
  readonly start: number;
  readonly end: number;
  readonly group: readonly Arrival[];
}

export interface OracleKind {
  /** False when the record is late. */
  take(arrival: Arrival): boolean;
  /** The rows that are sent as the watermark gets there, in order, and how many records turned out to be in no window. */
  advance(watermark: number): { readonly rows: readonly OracleRow[]; readonly filtered: number };
  /** Records in no window that is still to come. */
  out(): number;
}

export function windowsOf(window: OracleWindow): OracleKind {
  switch (window.kind) {
    case "tumbling":
      return new Spans((time) => multiples(time, window.size, window.size, window.offset));
    case "hopping":
      return new Spans((time) => multiples(time, window.size, window.every, window.offset));
    case "cumulate":
      return new Spans((time) => growing(time, window.step, window.max, window.offset), window.max);
    case "early": {
      const { size, early, offset } = window;
      const sent = (time: number): Span[] =>
        growing(time, early, size, offset).map(([start, at]) => [start, start + size, at]);
      return new Spans(sent, size);
    }
    case "session":
      return new OracleSessions(window.gap, window.max);
    case "count":
      return new Counted(window.n, window.every);
    case "sliding":
      return new InOrder((taken, at) => slid(taken, at, window.length));
    case "state":
      return new InOrder((taken, at, keys) => stated(taken, at, keys, window.opens, window.closes));
  }
}

/** A window, and when it is sent. */
type Span = readonly [start: number, end: number, at: number];

/** Every window of `size` that holds `time`, one beginning at each multiple of `every` plus `offset`. */
function multiples(time: number, size: number, every: number, offset: number): Span[] {
  const spans: Span[] = [];
  for (let start = Math.floor((time - offset) / every) * every + offset; start > time - size; start -= every)
    spans.push([start, start + size, start + size]);
  return spans;
}

/** Every step at which the window that holds `time` is sent with it. */
function growing(time: number, step: number, max: number, offset: number): Span[] {
  const start = Math.floor((time - offset) / max) * max + offset;
  const spans: Span[] = [];
  for (let end = start + step; end <= start + max; end += step) if (end > time) spans.push([start, end, end]);
  return spans;
}

/** Groups by key, in the order in which the keys came. */
function byKey(arrivals: readonly Arrival[]): Arrival[][] {
  const groups = new Map<string, Arrival[]>();
  for (const arrival of arrivals) groups.set(arrival.key, [...(groups.get(arrival.key) ?? []), arrival]);
  return [...groups.values()];
}

class Spans implements OracleKind {
  readonly #spansOf: (time: number) => readonly Span[];
  readonly #full: number | null;
  readonly #taken: { readonly arrival: Arrival; readonly open: readonly Span[] }[] = [];
  readonly #sent = new Set<string>();

  /** `full`: where windows grow, the length of one that is full. */
  constructor(spansOf: (time: number) => readonly Span[], full: number | null = null) {
    this.#spansOf = spansOf;
    this.#full = full;
  }

  take(arrival: Arrival): boolean {
    const open = this.#spansOf(arrival.time).filter(([, , at]) => at > arrival.inForce);
    if (open.length > 0) this.#taken.push({ arrival, open });
    return open.length > 0;
  }

  advance(watermark: number): { rows: OracleRow[]; filtered: number } {
    const due = new Map<string, Span>();
    for (const { open } of this.#taken) {
      const first = Math.min(...open.map(([, , at]) => at));
      for (const span of open) {
        const [start, , at] = span;
        // At the end of the stream a growing window is sent where it has grown, and in full.
        const shows =
          this.#full === null || watermark < Infinity || at === first || at - start === this.#full;
        if (at <= watermark && shows && !this.#sent.has(String(span))) due.set(String(span), span);
      }
    }
    const rows: OracleRow[] = [];
    for (const span of [...due.values()].sort(([a, , b], [c, , d]) => b - d || a - c)) {
      this.#sent.add(String(span));
      const inside = this.#taken.filter(({ open }) => open.some((each) => String(each) === String(span)));
      for (const group of byKey(inside.map(({ arrival }) => arrival)))
        rows.push({ start: span[0], end: span[1], group });
    }
    return { rows, filtered: 0 };
  }

  out(): number {
    return this.#taken.filter(({ open }) => {
      const last = open.reduce((a, b) => (b[2] > a[2] ? b : a));
      return this.#sent.has(String(last));
    }).length;
  }
}

class OracleSessions implements OracleKind {
  readonly #gap: number;
  readonly #max: number;
  #open: Arrival[][] = [];
  readonly #keys: string[] = [];
  #out = 0;

  constructor(gap: number, max: number) {
    this.#gap = gap;
    this.#max = max;
  }

  take(arrival: Arrival): boolean {
    if (!this.#keys.includes(arrival.key)) this.#keys.push(arrival.key);
    const near = this.#open.filter(
      (session) =>
        session[0]!.key === arrival.key &&
        this.#isNear(session, arrival) &&
        this.#fits([...session, arrival]),
    );
    const [first, second] = near.sort((a, b) => startOf(a) - startOf(b));
    if (first === undefined) {
      if (arrival.time + this.#gap < arrival.inForce) return false;
      this.#open.push([arrival]);
    } else if (second !== undefined && this.#fits([...first, ...second])) {
      this.#open = this.#open.filter((session) => session !== first && session !== second);
      this.#open.push([...first, ...second, arrival]);
    } else first.push(arrival);
    return true;
  }

  advance(watermark: number): { rows: OracleRow[]; filtered: number } {
    const due = this.#open.filter((session) => this.#endOf(session) < watermark);
    this.#open = this.#open.filter((session) => !due.includes(session));
    const place = (session: Arrival[]): number => this.#keys.indexOf(session[0]!.key);
    due.sort((a, b) => this.#endOf(a) - this.#endOf(b) || place(a) - place(b));
    for (const session of due) this.#out += session.length;
    const rows = due.map((group) => ({ start: startOf(group), end: this.#endOf(group), group }));
    return { rows, filtered: 0 };
  }

  out(): number {
    return this.#out;
  }

  #isNear(session: readonly Arrival[], { time }: Arrival): boolean {
    return time >= startOf(session) - this.#gap && time <= lastOf(session) + this.#gap;
  }

  #fits(session: readonly Arrival[]): boolean {
    return lastOf(session) - startOf(session) < this.#max;
  }

  #endOf(session: readonly Arrival[]): number {
    return Math.min(lastOf(session) + this.#gap, startOf(session) + this.#max);
  }
}

function startOf(group: readonly Arrival[]): number {
  return Math.min(...group.map(({ time }) => time));
}

function lastOf(group: readonly Arrival[]): number {
  return Math.max(...group.map(({ time }) => time));
}

class Counted implements OracleKind {
  readonly #n: number;
  readonly #every: number;
  readonly #keys = new Map<string, Arrival[]>();
  #ready: OracleRow[] = [];
  #ended = false;

  constructor(n: number, every: number) {
    this.#n = n;
    this.#every = every;
  }

  take(arrival: Arrival): boolean {
    const all = [...(this.#keys.get(arrival.key) ?? []), arrival];
    this.#keys.set(arrival.key, all);
    const start = all.length - this.#n;
    if (start >= 0 && start % this.#every === 0) this.#ready.push(rowOf(all.slice(start)));
    return true;
  }

  advance(watermark: number): { rows: OracleRow[]; filtered: number } {
    const rows = this.#ready;
    this.#ready = [];
    if (watermark === Infinity && !this.#ended) {
      this.#ended = true;
      for (const all of this.#keys.values()) {
        const rest = all.slice(this.#firstOpen(all.length));
        if (rest.length > 0) rows.push(rowOf(rest));
      }
    }
    return { rows, filtered: 0 };
  }

  out(): number {
    const counts = [...this.#keys.values()].map(({ length }) =>
      this.#ended ? length : this.#firstOpen(length),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** Where the oldest window begins that is not complete. */
  #firstOpen(length: number): number {
    let start = 0;
    while (start + this.#n <= length) start += this.#every;
    return start;
  }
}

function rowOf(group: readonly Arrival[]): OracleRow {
  return { start: startOf(group), end: lastOf(group), group };
}

/** What the record that has its turn brings about; `null` in place of a record at the end of the stream. Keys are in the order in which they came. */
type Turn = (
  taken: readonly Arrival[],
  at: Arrival | null,
  keys: readonly string[],
) => { readonly rows: readonly OracleRow[]; readonly filtered: number; readonly told: number };

/** Kinds that take records in event time, each when the watermark reaches it. */
class InOrder implements OracleKind {
  readonly #turn: Turn;
  #waiting: Arrival[] = [];
  readonly #taken: Arrival[] = [];
  readonly #keys = new Set<string>();
  #out = 0;

  constructor(turn: Turn) {
    this.#turn = turn;
  }

  take(arrival: Arrival): boolean {
    this.#keys.add(arrival.key);
    if (arrival.time < arrival.inForce) return false;
    this.#waiting.push(arrival);
    return true;
  }

  advance(watermark: number): { rows: OracleRow[]; filtered: number } {
    const due = this.#waiting.filter(({ time }) => time <= watermark).toSorted((a, b) => a.time - b.time);
    this.#waiting = this.#waiting.filter(({ time }) => time > watermark);
    const rows: OracleRow[] = [];
    let filtered = 0;
    const turn = (at: Arrival | null): void => {
      const brought = this.#turn(this.#taken, at, [...this.#keys]);
      rows.push(...brought.rows);
      filtered += brought.filtered;
      this.#out += brought.told;
    };
    for (const arrival of due) {
      this.#taken.push(arrival);
      turn(arrival);
    }
    if (watermark === Infinity) turn(null);
    return { rows, filtered };
  }

  out(): number {
    return this.#out;
  }
}

function slid(taken: readonly Arrival[], at: Arrival | null, length: number): ReturnType<Turn> {
  if (at === null) return { rows: [], filtered: 0, told: 0 };
  const group = taken.filter(({ key, time }) => key === at.key && time > at.time - length);
  return { rows: [rowOf(group)], filtered: 0, told: 1 };
}

type Condition = (record: Arrival["record"]) => boolean;

/** The window that is open after `records` of one key, all but empty when none is; `closed` when the last one closed it. */
function openAfter(
  records: readonly Arrival[],
  opens: Condition,
  closes: Condition,
): { group: Arrival[]; closed: boolean } {
  let group: Arrival[] = [];
  let closed = false;
  for (const arrival of records) {
    if (closed) group = [];
    closed = false;
    if (group.length === 0 && !opens(arrival.record)) continue;
    group.push(arrival);
    closed = closes(arrival.record);
  }
  return { group, closed };
}

function stated(
  taken: readonly Arrival[],
  at: Arrival | null,
  keys: readonly string[],
  opens: Condition,
  closes: Condition,
): ReturnType<Turn> {
  const after = (own: string): ReturnType<typeof openAfter> =>
    openAfter(
      taken.filter(({ key }) => key === own),
      opens,
      closes,
    );
  if (at === null) {
    const open = keys.map(after).filter(({ group, closed }) => group.length > 0 && !closed);
    const told = open.reduce((sum, { group }) => sum + group.length, 0);
    return { rows: open.map(({ group }) => rowOf(group)), filtered: 0, told };
  }
  const { group, closed } = after(at.key);
  if (group.length === 0) return { rows: [], filtered: 1, told: 0 };
  return closed
    ? { rows: [rowOf(group)], filtered: 0, told: group.length }
    : { rows: [], filtered: 0, told: 0 };
}
