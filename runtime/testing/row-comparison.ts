// How the rows of two pipelines differ that were given the same records: rows of one window and key stand against each
// other, and where there are neither, rows in their order. Pure.

import type { PipelinePlan, StepPlan } from "../pipeline/pipeline.ts";
import { exactlyParsed } from "./exact-json.ts";
import { alignment } from "./row-alignment.ts";

/** Two rows that differ, or one that only one side has. Each is a line of JSON. */
export interface RowChange {
  readonly minus: string | null;
  readonly plus: string | null;
}

export interface ComparedRows {
  readonly alike: number;
  /** In the order of the rows. */
  readonly changes: readonly RowChange[];
}

/** A row, with what it holds. */
interface Row {
  readonly text: string;
  readonly value: unknown;
}

const windowColumns = ["window_start", "window_end"] as const;

/** The columns by which rows of the same branch of two plans are matched: those that the rows of both have. */
export function matchingColumns(
  minus: PipelinePlan,
  plus: PipelinePlan,
  branches: readonly [minus: number, plus: number],
): readonly string[] {
  const [own, other] = [rowKey(minus, branches[0]), rowKey(plus, branches[1])];
  return own.filter((name) => other.includes(name));
}

/** What tells the rows of a branch apart: their window, and the key of the last step that has one. */
function rowKey({ steps, branches }: PipelinePlan, branch: number): readonly string[] {
  const { steps: own, rows } = branches[branch]!;
  const names = new Set(rows.fields.map(({ name }) => name));
  const keys = [...steps, ...own].map(keyOf).findLast((each) => each.length > 0) ?? [];
  return [...windowColumns, ...keys].filter((name) => names.has(name));
}

function keyOf({ definition, config }: StepPlan): readonly string[] {
  const tables = Object.values(definition.state(config));
  return [
    ...new Set(tables.flatMap((table) => (table.kind === "values" ? [] : table.by.map(({ name }) => name)))),
  ];
}

/** `tolerance`: numbers may differ by this share of the larger one. */
export function compareRows(
  minus: readonly string[],
  plus: readonly string[],
  { columns, tolerance }: { readonly columns: readonly string[]; readonly tolerance: number },
): ComparedRows {
  const [before, after] = [minus, plus].map((texts) =>
    Map.groupBy(texts.map(rowOf), (row) => keyText(row, columns)),
  );
  const isAlike = (a: Row, b: Row): boolean => a.text === b.text || same(a.value, b.value, tolerance);
  const changes: RowChange[] = [];
  let alike = 0;
  for (const key of new Set([...before!.keys(), ...after!.keys()])) {
    const [own, other] = [before!.get(key) ?? [], after!.get(key) ?? []];
    for (const [a, b] of alignment(own, other, isAlike)) {
      if (a !== null && b !== null && isAlike(a, b)) alike++;
      else changes.push({ minus: a?.text ?? null, plus: b?.text ?? null });
    }
  }
  return { alike, changes };
}

function rowOf(text: string): Row {
  return { text, value: exactlyParsed(text) };
}

function keyText({ value }: Row, columns: readonly string[]): string {
  const fields = value as Readonly<Record<string, unknown>>;
  return columns.map((name) => `${typeof fields[name]} ${String(fields[name])}`).join("\n");
}

function same(a: unknown, b: unknown, tolerance: number): boolean {
  if (typeof a === "number" && typeof b === "number")
    return a === b || Math.abs(a - b) <= tolerance * Math.max(Math.abs(a), Math.abs(b));
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [own, other] = [a, b] as [Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>>];
  const names = Object.keys(own);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && same(own[name], other[name], tolerance))
  );
}
