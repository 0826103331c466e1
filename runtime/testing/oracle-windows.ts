// Windows of time as one would explain them, over records that are all kept. Part of the oracle that tests
// hold the engine to; shares no code with it, keeps no aggregate and is never fast.

import type { Arrival } from "./oracle-aggregate.ts";
import type { OracleSpan } from "./oracle-calendar.ts";

/** What one row is made of: a window, and the records of one key that it holds, as they came. */
export interface OracleRow {
  readonly start: number;
  readonly end: number;
  readonly group: readonly Arrival[];
  /** What stands beside the window's end. */
  readonly labels: Readonly<Record<string, string | number | boolean>>;
  /** For a row without records: what is made of the results of `group`. */
  readonly filled?: "zero" | "null" | "last" | { readonly to: readonly Arrival[]; readonly share: number };
}

export interface OracleKind {
  /** False when the record is late. */
  take(arrival: Arrival): boolean;
  /** The rows that are sent as the watermark gets there, in order, and how many records turned out to be in no window. */
  advance(watermark: number): { readonly rows: readonly OracleRow[]; readonly filtered: number };
  /** Records in no window that is still to come. */
  out(): number;
}

/** Where windows stand that begin one after the other. */
export interface OracleSteps {
  /** The windows that hold a time, by their beginnings. */
  holding(time: number): readonly OracleSpan[];
  after(span: OracleSpan): OracleSpan;
}

export function evenSteps(size: number, every: number, offset: number): OracleSteps {
  const at = (start: number): OracleSpan => ({ start, end: start + size, name: null });
  return {
    holding(time) {
      const spans: OracleSpan[] = [];
      for (
        let start = Math.floor((time - offset) / every) * every + offset;
        start > time - size;
        start -= every
      )
        spans.unshift(at(start));
      return spans;
    },
    after: ({ start }) => at(start + every),
  };
}

export function listedSteps(spans: readonly OracleSpan[]): OracleSteps {
  return {
    holding: (time) => spans.filter(({ start, end }) => time >= start && time < end),
    after: ({ end }) => spans.find(({ start }) => start === end)!,
  };
}

/** Groups by key, in the order in which the keys came. */
function byKey(arrivals: readonly Arrival[]): Arrival[][] {
  const groups = new Map<string, Arrival[]>();
  for (const arrival of arrivals) groups.set(arrival.key, [...(groups.get(arrival.key) ?? []), arrival]);
  return [...groups.values()];
}

const named = ({ name }: OracleSpan): Record<string, string> => (name === null ? {} : { shift: name });
const textOf = ({ start, end }: OracleSpan): string => `${start} ${end}`;

/** When windows are sent before they end: at each multiple. */
export interface OracleEarly {
  readonly every: number;
  readonly offset: number;
  /** True where a row's window ends when it is sent; false for rows that show the window to come, and say whether they are the last. */
  readonly cumulates: boolean;
  /** True where a window is shown at the end of the stream though it has not grown. */
  readonly repeats: boolean;
}

/** A window at one moment at which it is sent. */
interface Showing {
  readonly span: OracleSpan;
  readonly at: number;
}

/** Windows that are sent when they end, and perhaps as they grow. */
export class Spans implements OracleKind {
  readonly #steps: OracleSteps;
  readonly #early: OracleEarly | null;
  readonly #taken: { readonly arrival: Arrival; readonly open: readonly Showing[] }[] = [];
  readonly #sent = new Set<string>();

  constructor(steps: OracleSteps, early: OracleEarly | null) {
    this.#steps = steps;
    this.#early = early;
  }

  take(arrival: Arrival): boolean {
    const open = this.#steps
      .holding(arrival.time)
      .flatMap((span) => this.#showings(span))
      .filter(({ at }) => at > arrival.time && at > arrival.inForce);
    if (open.length > 0) this.#taken.push({ arrival, open });
    return open.length > 0;
  }

  advance(watermark: number): { rows: OracleRow[]; filtered: number } {
    const due = new Map<string, Showing>();
    for (const { open } of this.#taken)
      for (const showing of open) {
        const { at, span } = showing;
        // At the end of the stream a growing window is sent where it has grown, and in full.
        const shows =
          watermark < Infinity ||
          this.#early?.repeats === true ||
          at === span.end ||
          !open.some((each) => each.span === span && each.at < at);
        if (at <= watermark && shows && !this.#sent.has(placeOf(showing))) due.set(placeOf(showing), showing);
      }
    const rows: OracleRow[] = [];
    for (const showing of [...due.values()].sort((a, b) => a.at - b.at || a.span.start - b.span.start)) {
      this.#sent.add(placeOf(showing));
      const inside = this.#taken.filter(({ open }) =>
        open.some((each) => placeOf(each) === placeOf(showing)),
      );
      for (const group of byKey(inside.map(({ arrival }) => arrival))) rows.push(this.#row(showing, group));
    }
    return { rows, filtered: 0 };
  }

  out(): number {
    return this.#taken.filter(({ open }) => this.#sent.has(placeOf(open.at(-1)!))).length;
  }

  #row({ span, at }: Showing, group: readonly Arrival[]): OracleRow {
    const isShort = this.#early?.cumulates === true;
    const labels =
      this.#early === null || isShort ? named(span) : { ...named(span), window_final: at === span.end };
    return { start: span.start, end: isShort ? at : span.end, group, labels };
  }

  #showings(span: OracleSpan): Showing[] {
    const showings: Showing[] = [];
    if (this.#early !== null) {
      const { every, offset } = this.#early;
      for (let at = Math.floor((span.start - offset) / every) * every + offset; at < span.end; at += every)
        if (at > span.start) showings.push({ span, at });
    }
    return [...showings, { span, at: span.end }];
  }
}

function placeOf({ span, at }: Showing): string {
  return `${textOf(span)} ${at}`;
}

/** Windows that are sent when they end, and again for each key for which records come late. */
export class Updated implements OracleKind {
  readonly #steps: OracleSteps;
  readonly #after: number;
  readonly #taken: Arrival[] = [];
  readonly #revisions = new Map<string, number>();
  readonly #told = new Set<Arrival>();
  #changed: { readonly span: OracleSpan; readonly arrival: Arrival }[] = [];
  #advanced = Number.NEGATIVE_INFINITY;

  constructor(steps: OracleSteps, after: number) {
    this.#steps = steps;
    this.#after = after;
  }

  take(arrival: Arrival): boolean {
    const spans = this.#steps.holding(arrival.time).filter((span) => this.#takes(span, arrival));
    for (const span of spans) if (span.end <= arrival.inForce) this.#changed.push({ span, arrival });
    if (spans.length > 0) this.#taken.push(arrival);
    return spans.length > 0;
  }

  advance(watermark: number): { rows: OracleRow[]; filtered: number } {
    const changed = this.#changed.filter(({ arrival }) => arrival.inForce < watermark);
    this.#changed = this.#changed.filter((each) => !changed.includes(each));
    const again = new Map(
      changed.map(({ span, arrival }) => [`${textOf(span)} ${arrival.key}`, { span, key: arrival.key }]),
    );
    const rows = [...again.values()]
      .sort((a, b) => a.span.start - b.span.start)
      .map(({ span, key }) =>
        this.#row(
          span,
          this.#inside(span).filter((arrival) => arrival.key === key),
        ),
      );
    const ended = new Map<string, OracleSpan>();
    for (const arrival of this.#taken)
      for (const span of this.#steps.holding(arrival.time))
        if (span.end > this.#advanced && span.end <= watermark) ended.set(textOf(span), span);
    for (const span of [...ended.values()].sort((a, b) => a.end - b.end))
      for (const group of byKey(this.#inside(span))) rows.push(this.#row(span, group));
    this.#advanced = Math.max(this.#advanced, watermark);
    return { rows, filtered: 0 };
  }

  out(): number {
    return this.#told.size;
  }

  #takes({ end }: OracleSpan, { inForce }: Arrival): boolean {
    return inForce < end + this.#after;
  }

  #inside(span: OracleSpan): Arrival[] {
    return this.#taken.filter(
      (arrival) => arrival.time >= span.start && arrival.time < span.end && this.#takes(span, arrival),
    );
  }

  /** A record is told with a row of the last window that holds it. */
  #row(span: OracleSpan, group: readonly Arrival[]): OracleRow {
    for (const arrival of group)
      if (this.#steps.holding(arrival.time).at(-1)!.end === span.end) this.#told.add(arrival);
    const place = `${textOf(span)} ${group[0]!.key}`;
    const revision = this.#revisions.get(place) ?? 0;
    this.#revisions.set(place, revision + 1);
    return { ...span, group, labels: { ...named(span), window_revision: revision } };
  }
}

/** Windows that are sent when they end, with rows for keys that had records before and have none. */
export class Gapped implements OracleKind {
  readonly #steps: OracleSteps;
  readonly #policy: "zero" | "null" | "last" | "interpolate";
  readonly #most: number;
  readonly #taken: { readonly arrival: Arrival; readonly open: readonly OracleSpan[] }[] = [];
  readonly #known = new Map<string, { since: OracleSpan; group: readonly Arrival[]; empty: number }>();
  #last: OracleSpan | null = null;

  constructor(steps: OracleSteps, policy: "zero" | "null" | "last" | "interpolate", most: number) {
    this.#steps = steps;
    this.#policy = policy;
    this.#most = most;
  }

  take(arrival: Arrival): boolean {
    const open = this.#steps.holding(arrival.time).filter(({ end }) => end > arrival.inForce);
    if (open.length > 0) this.#taken.push({ arrival, open });
    return open.length > 0;
  }

  advance(watermark: number): { rows: OracleRow[]; filtered: number } {
    const rows: OracleRow[] = [];
    for (;;) {
      const coming = this.#taken
        .flatMap(({ open }) => open)
        .filter(({ end }) => this.#last === null || end > this.#last.end)
        .sort((a, b) => a.end - b.end)[0];
      const next = this.#known.size > 0 ? this.#steps.after(this.#last!) : coming;
      if (next === undefined || next.end > watermark) break;
      // When the stream has ended, there is no window after the last record.
      if (watermark === Infinity && coming === undefined) break;
      rows.push(...this.#pass(next));
      this.#last = next;
    }
    return { rows, filtered: 0 };
  }

  out(): number {
    return this.#taken.filter(({ open }) => this.#last !== null && open.at(-1)!.end <= this.#last.end).length;
  }

  #pass(span: OracleSpan): OracleRow[] {
    const inside = this.#taken.filter(({ open }) => open.some(({ end }) => end === span.end));
    const groups = byKey(inside.map(({ arrival }) => arrival));
    const rows: OracleRow[] = [];
    for (const [key, known] of this.#known) {
      const group = groups.find(([first]) => first!.key === key);
      if (group !== undefined && this.#policy === "interpolate") rows.push(...this.#line(known, span, group));
      if (group !== undefined) continue;
      known.empty++;
      if (known.empty > this.#most) this.#known.delete(key);
      else if (this.#policy !== "interpolate") rows.push(filledRow(span, known.group, this.#policy));
    }
    for (const group of groups) {
      this.#known.set(group[0]!.key, { since: span, group, empty: 0 });
      rows.push({ ...span, group, labels: { ...named(span), window_filled: false } });
    }
    return rows;
  }

  #line(
    { since, group }: { since: OracleSpan; group: readonly Arrival[] },
    now: OracleSpan,
    to: readonly Arrival[],
  ): OracleRow[] {
    const rows: OracleRow[] = [];
    for (let at = this.#steps.after(since); at.start < now.start; at = this.#steps.after(at)) {
      const share = (at.start - since.start) / (now.start - since.start);
      rows.push(filledRow(at, group, { to, share }));
    }
    return rows;
  }
}

function filledRow(
  span: OracleSpan,
  group: readonly Arrival[],
  filled: NonNullable<OracleRow["filled"]>,
): OracleRow {
  return { ...span, group, labels: { ...named(span), window_filled: true }, filled };
}
