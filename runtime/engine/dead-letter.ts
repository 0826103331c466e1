// A refused record on its way to the dead letter: what it was, where it was refused and why. Knows
// nothing of where dead letters are kept.

import { createHash } from "node:crypto";
import type { Batch, Reason } from "../../operators/sdk/index.ts";
import type { OutputRow } from "../connect/connect.ts";
import { limits } from "../limits.ts";

export interface DeadLetter {
  readonly step: string;
  readonly reason: Reason;
  readonly detail: string;
  /** The record's original bytes; null for a row that an operator made. */
  readonly payload: Uint8Array | null;
  readonly subject: string;
}

export type DeadLetterPort = (letter: DeadLetter) => void;

/** The ports of several pipelines that the same letters go to. */
export function jointPort(ports: readonly DeadLetterPort[]): DeadLetterPort {
  if (ports.length === 1) return ports[0]!;
  return (letter) => ports.forEach((port) => port(letter));
}

/** The letter of one row of a batch. The payload is copied: batches do not last. */
export function letterOf(
  batch: Batch,
  row: number,
  step: string,
  reason: Reason,
  detail: string,
): DeadLetter {
  const { origin } = batch;
  return {
    step,
    reason,
    detail: detail.slice(0, limits.dead_letter_detail_characters_max),
    payload: origin === null ? null : origin.payload(row).slice(),
    subject: origin === null ? "" : origin.subject(row),
  };
}

/** Header values hold one line of plain text. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, " ").slice(0, limits.dead_letter_detail_characters_max);
}

/** What a letter says about itself, besides the payload. A payload beyond the limit is cut, and its hash and size tell which it was. */
function envelopeOf(pipeline: string, letter: DeadLetter): Record<string, string> {
  const { payload } = letter;
  const cut = payload !== null && payload.length > limits.dead_letter_payload_bytes_max;
  return {
    pipeline,
    step: letter.step,
    reason: letter.reason,
    detail: letter.detail,
    subject: letter.subject,
    ...(cut
      ? { bytes: String(payload.length), sha256: createHash("sha256").update(payload).digest("hex") }
      : {}),
  };
}

/** What is cut off is let go: a view of the whole would hold on to it for as long as the letter is queued. */
function keptBytes({ payload }: DeadLetter): Uint8Array {
  if (payload === null) return new Uint8Array(0);
  const max = limits.dead_letter_payload_bytes_max;
  return payload.length > max ? payload.slice(0, max) : payload;
}

/** For NATS: the original bytes as the payload, the rest in headers. */
export function letterMessage(
  pipeline: string,
  letter: DeadLetter,
  subject: string,
  arrived: number,
): OutputRow {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(envelopeOf(pipeline, letter))) {
    headers[`Weir-${name[0]!.toUpperCase()}${name.slice(1)}`] = headerText(value);
  }
  return { subject, payload: keptBytes(letter), id: null, caused: arrived, headers };
}

/** For files and the terminal: one JSON object; bytes that are not UTF-8 as base64. */
export function letterLine(pipeline: string, letter: DeadLetter, arrived: number): OutputRow {
  const bytes = keptBytes(letter);
  let payload: Record<string, string>;
  try {
    payload = { payload: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    payload = { payload_base64: Buffer.from(bytes).toString("base64") };
  }
  const line = JSON.stringify({ ...envelopeOf(pipeline, letter), arrived, ...payload });
  return { subject: "", payload: new TextEncoder().encode(line), id: null, caused: arrived };
}
