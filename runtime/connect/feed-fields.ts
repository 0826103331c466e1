// The fields that feeding needs of its records: those of the subject, and the time. A file that has one of them in no record
// at all is refused before anything is sent. Sends nothing itself.

import { statSync } from "node:fs";
import { payloadAt } from "../batch/payloads.ts";
import { parseCsvLine } from "../codec/csv/line.ts";
import { WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { ReadLimits } from "./connect.ts";
import { csvRow, type FeedRow, jsonRow, type MadeTime, templateFields, timeOf } from "./feed-rows.ts";
import { fileSource } from "./file-source.ts";

export interface FieldsWanted {
  readonly subject: string;
  readonly timeField?: string;
  readonly time?: MadeTime;
}

/** A field that records are to have, and who wants it. */
interface Wanted {
  readonly field: string;
  readonly option: "--to" | "--time-field" | "--index";
}

function wantedOf({ subject, timeField, time }: FieldsWanted): readonly Wanted[] {
  const named = templateFields(subject).filter((field) => field !== time?.field);
  const index = time?.index ?? null;
  return [
    ...named.map((field): Wanted => ({ field, option: "--to" })),
    ...(timeField === undefined || time !== undefined
      ? []
      : [{ field: timeField, option: "--time-field" } as const]),
    ...(index === null ? [] : [{ field: index, option: "--index" } as const]),
  ];
}

function has(row: FeedRow, { field, option }: Wanted): boolean {
  return option === "--time-field" ? !Number.isNaN(timeOf(row, field)) : row[field] != null;
}

function refusal({ field, option }: Wanted, where: string, first: FeedRow): WeirError {
  const what = option === "--time-field" ? "a time in the field" : "the field";
  return new WeirError("WEIR_USAGE", `${option}: no record of ${where} has ${what} ${field}`, {
    remedy: `the first record has: ${Object.keys(first).join(", ")}`,
  });
}

/** Refuses what has none of its fields in a record, of which each is like the others. */
export function checkRecord(row: FeedRow, wanted: FieldsWanted, where: string): void {
  const missing = wantedOf(wanted).find((each) => !has(row, each));
  if (missing !== undefined) throw refusal(missing, where, row);
}

const reading: ReadLimits = { rows: 512, bytes: limits.batch_bytes_max, wait_ms: 0, age_ms: 0 };

/** Reads as far as each field was there once; refuses a file that is not there, or in which one never is. */
export async function checkFile(path: string, format: "ndjson" | "csv", wanted: FieldsWanted): Promise<void> {
  let missing = wantedOf(wanted);
  const facts = statSync(path, { throwIfNoEntry: false });
  // What can be read only once is not read before its time; what cannot be read at all is told by opening it.
  if (facts?.isFile() === true ? missing.length === 0 : facts !== undefined && !facts.isDirectory()) return;
  const source = fileSource({ path, format: format === "csv" ? "csv" : "lines" });
  await source.open();
  try {
    const columns =
      format === "csv" ? (parseCsvLine(source.header ?? "") ?? []).map((each) => each.trim()) : null;
    let first: FeedRow | null = null;
    while (missing.length > 0) {
      const delivery = await source.read(reading);
      if (delivery === "end") break;
      for (let place = 0; place < (delivery?.payloads.count ?? 0) && missing.length > 0; place++) {
        const line = Buffer.from(payloadAt(delivery!.payloads, place)).toString("utf8");
        const row = columns === null ? jsonRow(line) : csvRow(columns, line);
        if (row === null) continue;
        first ??= row;
        missing = missing.filter((each) => !has(row, each));
      }
    }
    if (first !== null && missing.length > 0) throw refusal(missing[0]!, path, first);
  } finally {
    await source.close();
  }
}
