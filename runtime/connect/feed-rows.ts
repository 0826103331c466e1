// Rows for feeding: lines of a file as objects, which of them are wanted, where each goes and when it
// happened. Pure: text in, rows out.

import { parseCsvLine } from "../codec/csv/line.ts";
import { WeirError } from "../errors.ts";

export type FeedRow = Record<string, unknown>;

/** `field=value` or `field!=value`. */
export interface Where {
  readonly field: string;
  readonly equal: boolean;
  readonly value: string;
}

/** A time for rows that carry none: `start + (index - 1) * step`, ms. */
export interface MadeTime {
  /** The field to add. */
  readonly field: string;
  readonly start: number;
  readonly step: number;
  /** The field that counts the readings from 1; without it the rows themselves are counted. */
  readonly index: string | null;
}

const decimal = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** A number where the text is one exactly as JSON writes it (so `007` stays text), null where it is empty. */
export function csvValue(text: string): string | number | null {
  if (text === "") return null;
  return decimal.test(text) && Number.isFinite(Number(text)) ? Number(text) : text;
}

/** A CSV line as an object; null when its quoting is broken. Fields beyond the header are left out. */
export function csvRow(columns: readonly string[], line: string): FeedRow | null {
  const fields = parseCsvLine(line);
  if (fields === null) return null;
  const row: FeedRow = {};
  for (const [place, column] of columns.entries()) row[column] = csvValue(fields[place] ?? "");
  return row;
}

/** An NDJSON line as an object; null when it is none. */
export function jsonRow(line: string): FeedRow | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as FeedRow) : null;
  } catch {
    return null;
  }
}

/** Reads `label=1` or `label!=1`. */
export function parseWhere(text: string): Where {
  const match = /^([^=!\s]+)(!?=)(.*)$/.exec(text);
  if (match === null) {
    throw new WeirError("WEIR_USAGE", `expected field=value or field!=value, got ${JSON.stringify(text)}`, {
      remedy: "Quote it for the shell: --where 'label!=0'.",
    });
  }
  return { field: match[1]!, equal: match[2] === "=", value: match[3]! };
}

/** What a field shows as text; empty when it is missing or null. */
function textOf(row: FeedRow, field: string): string {
  const value = row[field];
  if (value === undefined || value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value as string | number | boolean);
}

export function matches(row: FeedRow, conditions: readonly Where[]): boolean {
  return conditions.every(({ field, equal, value }) => (textOf(row, field) === value) === equal);
}

/** The row's made-up time; `number` counts the rows of the file from 0. */
export function madeTime(row: FeedRow, made: MadeTime, number: number): number {
  const reading = made.index === null ? number + 1 : Number(textOf(row, made.index));
  return made.start + (reading - 1) * made.step;
}

/** A row's own time, ms: a number as it is, text as an ISO date. NaN when there is none. */
export function timeOf(row: FeedRow, field: string): number {
  const value = row[field];
  if (typeof value === "number") return value;
  return typeof value === "string" ? Date.parse(value) : Number.NaN;
}

const templateField = /\{([^{}]+)\}/g;

/** The fields that a template names. */
export function templateFields(template: string): readonly string[] {
  return [...template.matchAll(templateField)].map(([, field = ""]) => field.trim());
}

/** Why a field is no token of a subject; null where it is one. */
export function tokenFault(row: FeedRow, field: string): "missing" | "a list or a map" | null {
  const value = row[field];
  if (value === undefined || value === null || value === "") return "missing";
  return typeof value === "object" ? "a list or a map" : null;
}

/** Fills `sensors.{mote_id}.climate`. A value becomes one token: what has a meaning in subjects and topics is replaced by `_`. */
export function fillTemplate(template: string, row: FeedRow): string {
  return template.replaceAll(templateField, (_, field: string) => {
    const token = textOf(row, field.trim()).replaceAll(/[\s.*>/+#$\p{C}]/gu, "_");
    return token === "" ? "_" : token;
  });
}
