// A message of the cloud as the entries of the outbox that it was made of: one, or as many as a lane's message holds. Reads
// what is written on it and judges nothing.

import { Unpackr } from "msgpackr";
import { laneBody } from "../../codec/lane-message.ts";
import type { KeptMessage } from "./stream-model.ts";

export interface SentEntry {
  readonly number: number;
  /** How many numbers right before it are said to be left out. */
  readonly skipped: number;
  readonly isBacklog: boolean;
  readonly payload: Uint8Array;
}

const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true });

type LaneRow = readonly [
  number: number,
  subject: string,
  caused: number,
  rows: number,
  headers: Readonly<Record<string, string>> | null,
  payload: Uint8Array,
];

export function entriesOf({
  headers,
  payload,
}: Pick<KeptMessage, "headers" | "payload">): readonly SentEntry[] {
  if (headers.has("weir-out-first")) {
    const entries: SentEntry[] = [];
    unpackr.unpackMultiple(Buffer.from(laneBody(payload)), (value: unknown) => {
      const [number, , , , own, bytes] = value as LaneRow;
      const of = (name: string): string | undefined => own?.[name];
      entries.push(entryOf(number, of("Weir-Skipped"), of("Weir-Lane"), bytes));
    });
    return entries;
  }
  const number = Number(headers.get("weir-out-seq"));
  return [entryOf(number, headers.get("weir-skipped"), headers.get("weir-lane"), payload)];
}

function entryOf(
  number: number,
  skipped: string | undefined,
  lane: string | undefined,
  payload: Uint8Array,
): SentEntry {
  return { number, skipped: Number(skipped ?? 0), isBacklog: lane === "backlog", payload };
}

const decoder = new TextDecoder();

export type Row = Readonly<Record<string, unknown>>;

export function rowOf({ payload }: { readonly payload: Uint8Array }): Row {
  return JSON.parse(decoder.decode(payload)) as Row;
}
