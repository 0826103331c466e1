// What a schedule came to: what is in the cloud beside what must be there. Counts faults by kind and says the first of each.

import type { KeptMessage, StreamModel } from "./stream-model.ts";
import { type ExpectedRow, keyOf } from "./expected-rows.ts";
import type { SinkPlan } from "./workload.ts";

export type Fault = "lost" | "duplicated" | "out_of_order" | "wrong";

export class Verdict {
  readonly counts: Record<Fault, number> = { lost: 0, duplicated: 0, out_of_order: 0, wrong: 0 };
  readonly said: string[] = [];

  add(fault: Fault, what: string): void {
    this.counts[fault]++;
    if (this.said.length < 20) this.said.push(`${fault}: ${what}`);
  }

  get isGood(): boolean {
    return Object.values(this.counts).every((count) => count === 0);
  }
}

/** What a stream of the cloud was given, in order, by its incarnations; without what it lost with its power. */
export class DeliveredRows {
  /** By incarnation. */
  readonly #stored = new Map<string, KeptMessage[]>();

  stored(stream: StreamModel, message: KeptMessage): void {
    const known = this.#stored.get(stream.created);
    if (known === undefined) this.#stored.set(stream.created, [message]);
    else known.push(message);
  }

  lost(stream: StreamModel, messages: readonly KeptMessage[]): void {
    const gone = new Set(messages);
    const kept = (this.#stored.get(stream.created) ?? []).filter((message) => !gone.has(message));
    this.#stored.set(stream.created, kept);
  }

  get incarnations(): readonly (readonly KeptMessage[])[] {
    return [...this.#stored.values()];
  }
}

const decoder = new TextDecoder();
const rowOf = ({ payload }: KeptMessage): Readonly<Record<string, unknown>> =>
  JSON.parse(decoder.decode(payload)) as Readonly<Record<string, unknown>>;

/** Holds the rows of one sink against what is expected of it. */
export function judgeRows(
  verdict: Verdict,
  sink: SinkPlan,
  delivered: DeliveredRows,
  expected: readonly ExpectedRow[],
): void {
  const wanted = new Map(expected.map((each) => [each.key, each]));
  const seen = new Set<string>();
  for (const messages of delivered.incarnations) {
    const here = new Set<string>();
    const places = new Map<string, number>();
    for (const message of messages) {
      const row = rowOf(message);
      const key = keyOf(sink.kind, row);
      const place = `${sink.stream} ${key}`;
      if (here.has(key)) verdict.add("duplicated", place);
      here.add(key);
      seen.add(key);
      const want = wanted.get(key);
      if (want === undefined)
        verdict.add("wrong", `${place}: no such row is expected: ${JSON.stringify(row)}`);
      else judgeRow(verdict, place, want, row);
      judgeOrder(verdict, place, want, expected, places);
    }
  }
  for (const { key, row } of expected)
    if (!seen.has(key)) verdict.add("lost", `${sink.stream} ${key}: ${JSON.stringify(row)}`);
}

function judgeRow(
  verdict: Verdict,
  place: string,
  { row: want }: ExpectedRow,
  row: Readonly<Record<string, unknown>>,
): void {
  const differs = Object.keys(want).some((name) => want[name] !== row[name]);
  if (differs) verdict.add("wrong", `${place}: expected ${JSON.stringify(want)}, got ${JSON.stringify(row)}`);
}

/** Rows of one device come in the order in which they are expected. */
function judgeOrder(
  verdict: Verdict,
  place: string,
  want: ExpectedRow | undefined,
  expected: readonly ExpectedRow[],
  places: Map<string, number>,
): void {
  if (want === undefined) return;
  const at = expected.indexOf(want);
  if (at < (places.get(want.device) ?? -1)) verdict.add("out_of_order", place);
  places.set(want.device, at);
}

/** Holds the numbers of a chain to be 1, 2, 3, … without a gap, and one number to be one row in all incarnations. */
export function judgeNumbers(verdict: Verdict, chain: string, delivered: DeliveredRows): void {
  const rows = new Map<string, string>();
  const numbers = new Set<number>();
  for (const messages of delivered.incarnations) {
    let last = 0;
    for (const message of messages) {
      const number = Number(message.headers.get("weir-out-seq"));
      numbers.add(number);
      if (number <= last) verdict.add("out_of_order", `${chain}: number ${number} behind ${last}`);
      last = number;
      const id = message.headers.get("nats-msg-id") ?? "";
      const payload = decoder.decode(message.payload);
      const known = rows.get(id);
      if (known !== undefined && known !== payload)
        verdict.add("wrong", `${chain}: two rows have the id ${id}: ${known} and ${payload}`);
      rows.set(id, payload);
    }
  }
  const highest = Math.max(0, ...numbers);
  if (numbers.size !== highest)
    verdict.add("lost", `${chain}: ${highest - numbers.size} numbers up to ${highest} are missing`);
}
