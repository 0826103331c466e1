// Windows that begin and end with records as one would explain them: sessions, counts, and those that take
// records in event time. Part of the oracle that tests hold the engine to; shares no code with it.

import type { Arrival } from "./oracle-aggregate.ts";
import type { OracleKind, OracleRow } from "./oracle-windows.ts";

export interface OracleSessionRules {
  readonly gap: number;
  readonly max: number;
  /** When sessions are sent before they end: at each multiple; null for never. */
  readonly early: number | null;
  /** How long a session takes late records after its end; null when it is sent once. */
  readonly updates: number | null;
}

interface Session {
  group: Arrival[];
  /** The watermark in force when it last changed; null when that was sent. */
  changed: number | null;
  sent: number;
  /** When it is due early; Infinity when it is not. */
  due: number;
}

export class OracleSessions implements OracleKind {
  readonly #rules: OracleSessionRules;
  #open: Session[] = [];
  readonly #keys: string[] = [];
  readonly #told = new Set<Arrival>();

  constructor(rules: OracleSessionRules) {
    this.#rules = rules;
  }

  take(arrival: Arrival): boolean {
    const { gap, max, updates, early } = this.#rules;
    if (!this.#keys.includes(arrival.key)) this.#keys.push(arrival.key);
    const own = this.#open
      .filter(({ group }) => group[0]!.key === arrival.key)
      .sort((a, b) => startOf(a.group) - startOf(b.group));
    // The one that began last before it, and the next one.
    const before = own.findLast(({ group }) => startOf(group) <= arrival.time);
    const after = own.find(({ group }) => startOf(group) > arrival.time);
    const [first, second] = [before, after].filter(
      (each) =>
        each !== undefined && this.#isNear(each.group, arrival) && this.#fits([...each.group, arrival]),
    );
    let session = first;
    if (session === undefined) {
      if (arrival.time + Math.min(gap, max) + (updates ?? 0) < arrival.inForce) return false;
      session = { group: [], changed: null, sent: 0, due: Infinity };
      this.#open.push(session);
    } else if (second !== undefined && this.#fits([...session.group, ...second.group])) {
      session.group.push(...second.group);
      session.sent = Math.max(session.sent, second.sent);
      session.due = Math.min(session.due, second.due);
      this.#open = this.#open.filter((each) => each !== second);
    }
    session.group.push(arrival);
    session.changed = arrival.inForce;
    if (early !== null)
      session.due = Math.min(session.due, multipleAfter(Math.max(arrival.time, arrival.inForce), early));
    return true;
  }

  advance(watermark: number): { rows: OracleRow[]; filtered: number } {
    const rows: OracleRow[] = [];
    for (;;) {
      const next = this.#open
        .map((session) => ({ session, ...this.#nextOf(session) }))
        .filter(({ at, isEarly }) => (isEarly ? at <= watermark : at < watermark))
        .sort(
          (a, b) => a.at - b.at || Number(b.isEarly) - Number(a.isEarly) || this.#order(a.session, b.session),
        )[0];
      if (next === undefined) return { rows, filtered: 0 };
      rows.push(...this.#act(next.session, next.isEarly));
    }
  }

  out(): number {
    return this.#told.size;
  }

  /** Something is done with a session early at a time, or else when event time has passed it. */
  #nextOf({ group, changed, due }: Session): { at: number; isEarly: boolean } {
    const end = this.#endOf(group);
    const at = changed === null ? end + (this.#rules.updates ?? 0) : Math.max(end, changed);
    return due <= at ? { at: due, isEarly: true } : { at, isEarly: false };
  }

  #act(session: Session, isEarly: boolean): OracleRow[] {
    const { early, updates } = this.#rules;
    const { group } = session;
    const row = { start: startOf(group), end: this.#endOf(group), group: [...group] };
    if (isEarly) {
      session.due = Infinity;
      return [{ ...row, labels: { window_final: false } }];
    }
    const isSent = session.changed === null;
    if (updates === null || isSent) this.#open = this.#open.filter((each) => each !== session);
    if (isSent) return [];
    session.changed = null;
    for (const arrival of group) this.#told.add(arrival);
    if (updates !== null) return [{ ...row, labels: { window_revision: session.sent++ } }];
    return [{ ...row, labels: early === null ? {} : { window_final: true } }];
  }

  #order(a: Session, b: Session): number {
    const place = ({ group }: Session): number => this.#keys.indexOf(group[0]!.key);
    return place(a) - place(b) || startOf(a.group) - startOf(b.group);
  }

  #isNear(group: readonly Arrival[], { time }: Arrival): boolean {
    return time >= startOf(group) - this.#rules.gap && time <= lastOf(group) + this.#rules.gap;
  }

  #fits(group: readonly Arrival[]): boolean {
    return lastOf(group) - startOf(group) < this.#rules.max;
  }

  #endOf(group: readonly Arrival[]): number {
    return Math.min(lastOf(group) + this.#rules.gap, startOf(group) + this.#rules.max);
  }
}

function multipleAfter(time: number, length: number): number {
  return (Math.floor(time / length) + 1) * length;
}

function startOf(group: readonly Arrival[]): number {
  return Math.min(...group.map(({ time }) => time));
}

function lastOf(group: readonly Arrival[]): number {
  return Math.max(...group.map(({ time }) => time));
}

export class Counted implements OracleKind {
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

function rowOf(group: readonly Arrival[], labels: OracleRow["labels"] = {}): OracleRow {
  return { start: startOf(group), end: lastOf(group), group, labels };
}

/** What the record that has its turn brings about; `null` in place of a record at the end of the stream. Keys are in the order in which they came. */
export type Turn = (
  taken: readonly Arrival[],
  at: Arrival | null,
  keys: readonly string[],
) => { readonly rows: readonly OracleRow[]; readonly filtered: number; readonly told: number };

/** What is sent at a time besides, of the records before it. */
export type Showing = (
  taken: readonly Arrival[],
  at: number,
  keys: readonly string[],
) => readonly OracleRow[];

/** Kinds that take records in event time, each when the watermark reaches it. */
export class InOrder implements OracleKind {
  readonly #turn: Turn;
  readonly #early: { readonly every: number; readonly show: Showing } | null;
  /** Until when what is sent early was sent. */
  #shown = Number.NEGATIVE_INFINITY;
  #waiting: Arrival[] = [];
  readonly #taken: Arrival[] = [];
  readonly #keys = new Set<string>();
  #out = 0;

  constructor(turn: Turn, early: { readonly every: number; readonly show: Showing } | null = null) {
    this.#turn = turn;
    this.#early = early;
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
      rows.push(...this.#showUntil(arrival.time));
      this.#taken.push(arrival);
      turn(arrival);
    }
    rows.push(...this.#showUntil(watermark));
    if (watermark === Infinity) turn(null);
    return { rows, filtered };
  }

  out(): number {
    return this.#out;
  }

  /** At each multiple up to `time` that follows a record, what has grown since the multiple before. */
  #showUntil(time: number): OracleRow[] {
    if (this.#early === null) return [];
    const { every, show } = this.#early;
    const all = new Set(this.#taken.map((arrival) => multipleAfter(arrival.time, every)));
    const due = [...all].filter((at) => at > this.#shown && at <= time).sort((a, b) => a - b);
    this.#shown = Math.max(this.#shown, ...due);
    return due.flatMap((at) => show(this.#taken, at, [...this.#keys]));
  }
}

/** For every record the last while of its key. */
export function slid(taken: readonly Arrival[], at: Arrival | null, length: number): ReturnType<Turn> {
  if (at === null) return { rows: [], filtered: 0, told: 0 };
  const group = taken.filter(({ key, time }) => key === at.key && time > at.time - length);
  return { rows: [rowOf(group)], filtered: 0, told: 1 };
}

export type Condition = (record: Arrival["record"]) => boolean;

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

/** From a record that opens a window to one that closes it, both among `conditions`. */
export function stated(
  taken: readonly Arrival[],
  at: Arrival | null,
  keys: readonly string[],
  { opens, closes, labels }: Conditions,
): ReturnType<Turn> {
  const after = (own: string): ReturnType<typeof openAfter> => openAfter(of(taken, own), opens, closes);
  if (at === null) {
    const open = keys.map(after).filter(({ group, closed }) => group.length > 0 && !closed);
    const told = open.reduce((sum, { group }) => sum + group.length, 0);
    return { rows: open.map(({ group }) => rowOf(group, labels)), filtered: 0, told };
  }
  const { group, closed } = after(at.key);
  if (group.length === 0) return { rows: [], filtered: 1, told: 0 };
  return closed
    ? { rows: [rowOf(group, labels)], filtered: 0, told: group.length }
    : { rows: [], filtered: 0, told: 0 };
}

/** The windows that are open at `at` and have grown in the `every` before it. */
export function growing(
  taken: readonly Arrival[],
  at: number,
  keys: readonly string[],
  every: number,
  { opens, closes }: Conditions,
): OracleRow[] {
  return keys
    .map((own) => openAfter(of(taken, own), opens, closes))
    .filter(({ group, closed }) => !closed && group.some(({ time }) => time >= at - every))
    .map(({ group }) => rowOf(group, { window_final: false }));
}

export interface Conditions {
  readonly opens: Condition;
  readonly closes: Condition;
  /** What stands in the row of a window that is complete. */
  readonly labels: OracleRow["labels"];
}

function of(taken: readonly Arrival[], own: string): Arrival[] {
  return taken.filter(({ key }) => key === own);
}
