// What the streams of the cloud hold, held against what was published: lost, twice, out of order per key, wrong. Pure counting;
// reads from nowhere.

import { type NumberedRecord, sampledBelow, type WindowSum, windowKey, Windows } from "./records.ts";

/** A message of a stream in the cloud. */
export interface CloudMessage {
  readonly subject: string;
  readonly chain: string | null;
  /** Its number in the chain; null where it has none. */
  readonly number: number | null;
  readonly payload: string;
}

/** All of the three streams, each in its order. */
export interface CloudContent {
  readonly raw: readonly CloudMessage[];
  readonly windows: readonly CloudMessage[];
  readonly samples: readonly CloudMessage[];
}

export interface Expectation {
  /** Records that were published; the last is the probe. */
  readonly published: number;
  /** True for a record that the source's own server lost: it may be there or not. */
  readonly mayLack: (seq: number) => boolean;
}

export interface Counts {
  records: number;
  lost: number;
  duplicated: number;
  out_of_order: number;
  wrong: number;
}

export interface Verdict extends Counts {
  /** The first of what is not as it must be. */
  readonly notes: readonly string[];
}

const notesMax = 8;

class Tally implements Counts {
  records = 0;
  lost = 0;
  duplicated = 0;
  out_of_order = 0;
  wrong = 0;
  readonly notes: string[] = [];

  count(what: "lost" | "duplicated" | "out_of_order" | "wrong", note: string): void {
    this[what]++;
    if (this.notes.length < notesMax) this.notes.push(`${what}: ${note}`);
  }
}

/** Judges a run that has come to rest. */
export function judge({ raw, windows, samples }: CloudContent, expected: Expectation): Verdict {
  const tally = new Tally();
  const { arrived, sums } = judgeRaw(raw, expected, tally);
  judgeWindows(windows, sums, tally);
  judgeSamples(samples, arrived, tally);
  for (const [name, messages] of Object.entries({ raw, windows })) judgeChain(name, messages, tally);
  judgeChain("samples", [...samples].sort(byNumber), tally);
  const { records, lost, duplicated, out_of_order, wrong, notes } = tally;
  return { records, lost, duplicated, out_of_order, wrong, notes };
}

export function isClean({ lost, duplicated, out_of_order, wrong }: Counts): boolean {
  return lost + duplicated + out_of_order + wrong === 0;
}

function byNumber(a: CloudMessage, b: CloudMessage): number {
  return (a.number ?? 0) - (b.number ?? 0);
}

/** The rows of a message. */
export function rowsOf<Row>(message: CloudMessage): Row[] {
  return message.payload
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Row);
}

function judgeRaw(
  messages: readonly CloudMessage[],
  { published, mayLack }: Expectation,
  tally: Tally,
): { readonly arrived: ReadonlyMap<number, NumberedRecord>; readonly sums: Windows } {
  const arrived = new Map<number, NumberedRecord>();
  const lastOf = new Map<string, number>();
  const sums = new Windows();
  for (const record of messages.flatMap((message) => rowsOf<NumberedRecord>(message))) {
    const { seq, device } = record;
    const isKnown = seq >= 0 && seq < published;
    if (!isKnown) tally.count("wrong", `record ${seq} was never published`);
    else if (arrived.has(seq)) tally.count("duplicated", `record ${seq}`);
    else {
      arrived.set(seq, record);
      sums.add(record);
      tally.records++;
    }
    const before = lastOf.get(device) ?? -1;
    if (seq < before) tally.count("out_of_order", `record ${seq} of ${device} behind ${before}`);
    lastOf.set(device, Math.max(before, seq));
  }
  for (let seq = 0; seq < published; seq++)
    if (!arrived.has(seq) && !mayLack(seq)) tally.count("lost", `record ${seq}`);
  return { arrived, sums };
}

interface WindowRow extends WindowSum {
  readonly device: string;
  readonly window_start: number;
}

/** Windows are recomputed from the rows that arrived: all but that of the probe are closed. */
function judgeWindows(messages: readonly CloudMessage[], { sums }: Windows, tally: Tally): void {
  const seen = new Set<string>();
  for (const row of messages.flatMap((message) => rowsOf<WindowRow>(message))) {
    const key = windowKey(row.device, row.window_start);
    const sum = sums.get(key);
    if (seen.has(key)) tally.count("duplicated", `window ${key}`);
    else if (sum === undefined) tally.count("wrong", `window ${key} holds nothing that arrived`);
    else if (sum.n !== row.n || sum.total !== row.total)
      tally.count("wrong", `window ${key} says ${row.n}, ${row.total}; expected ${sum.n}, ${sum.total}`);
    seen.add(key);
  }
  for (const key of sums.keys())
    if (!seen.has(key) && !key.startsWith("probe ")) tally.count("lost", `window ${key}`);
}

function judgeSamples(
  messages: readonly CloudMessage[],
  arrived: ReadonlyMap<number, NumberedRecord>,
  tally: Tally,
): void {
  const seen = new Set<number>();
  const lastOf = new Map<string, number>();
  for (const { seq, device } of messages.flatMap((message) => rowsOf<NumberedRecord>(message))) {
    if (seen.has(seq)) tally.count("duplicated", `sample ${seq}`);
    if (!arrived.has(seq)) tally.count("wrong", `sample ${seq} is none of what arrived`);
    const before = lastOf.get(device) ?? -1;
    if (seq < before) tally.count("out_of_order", `sample ${seq} of ${device} behind ${before}`);
    lastOf.set(device, Math.max(before, seq));
    seen.add(seq);
  }
  for (const { seq, value } of arrived.values())
    if (value < sampledBelow && !seen.has(seq)) tally.count("lost", `sample ${seq}`);
}

/** One chain, numbered without a hole. */
function judgeChain(name: string, messages: readonly CloudMessage[], tally: Tally): void {
  let before: CloudMessage | null = null;
  for (const message of messages) {
    if (message.number === null || message.chain === null) {
      tally.count("wrong", `${name}: a message without a number`);
      continue;
    }
    const next = before === null ? 1 : before.number! + 1;
    if (message.number !== next) tally.count("wrong", `${name}: number ${message.number}; expected ${next}`);
    if (before !== null && before.chain !== message.chain)
      tally.count("wrong", `${name}: two chains, ${before.chain} and ${message.chain}`);
    before = message;
  }
}
