// Values of declared types out of a list in JSON, element by element, or out of a map, entry by entry. Reads one text at a time; what does not fit is a text of its
// own, and never an error.

import type { ColumnType, Scalar } from "weir/sdk";

/** What is read of each element: a field of it by its path, or with an empty path the element itself. */
export interface ElementField {
  readonly name: string;
  readonly path: readonly string[];
  readonly type: ColumnType;
}

/** Characters of a value that are told. */
const shownMax = 60;

/** By element, its scalars in the order of the fields. */
export type Elements = readonly (readonly Scalar[])[];

/** Why a record has no rows. */
interface Fault {
  readonly reason: "type" | "overflow";
  readonly fault: string;
}

/** What is read: a list, or the entries of a map, whose names come behind the fields then. */
export interface ListSettings {
  /** What it is called in what is told. */
  readonly name: string;
  readonly isMap: boolean;
  readonly fields: readonly ElementField[];
  /** How many elements it may have. */
  readonly max: number;
}

/** The elements of the list in `text`; or why there are none. Null is an empty list. */
export function readElements(text: string, settings: ListSettings): { readonly rows: Elements } | Fault {
  const { name, fields, max } = settings;
  const wanted = settings.isMap ? "a map" : "a list";
  try {
    const value: unknown = JSON.parse(text);
    if (value === null) return { rows: [] };
    if (settings.isMap ? !isMap(value) : !Array.isArray(value)) {
      const cure = isMap(value) ? "; of a map, `name` makes its entries rows" : "";
      return { reason: "type", fault: `expected ${wanted} in ${name}, got ${shown(value)}${cure}` };
    }
    const entries = isMap(value) ? Object.entries(value) : (value as readonly unknown[]);
    if (entries.length > max)
      return {
        reason: "overflow",
        fault: `expected at most ${max} elements in ${name}, got ${entries.length}: max says how many`,
      };
    if (!isMap(value))
      return { rows: entries.map((element, place) => rowOf(element, `${name}[${place}]`, fields)) };
    const named = entries as readonly (readonly [string, unknown])[];
    return { rows: named.map(([entry, element]) => [...rowOf(element, `${name}.${entry}`, fields), entry]) };
  } catch (error) {
    const fault = error instanceof Misfit ? error.message : `expected ${wanted} in ${name}: ${String(error)}`;
    return { reason: "type", fault };
  }
}

class Misfit extends Error {}

function rowOf(element: unknown, place: string, fields: readonly ElementField[]): readonly Scalar[] {
  return fields.map(({ path, type }) => {
    const found = valueIn(element, path);
    if (found === noMap) throw new Misfit(`expected a map in ${place}, got ${shown(element)}`);
    const scalar = scalarOf(found, type);
    if (scalar !== undefined) return scalar;
    const where = [place, ...path].join(".");
    throw new Misfit(`expected ${type} in ${where}, got ${shown(found)}`);
  });
}

/** In place of a value: the element is none that has fields. */
const noMap = Symbol("no map");

/** What stands under a path; null where nothing does. */
function valueIn(element: unknown, path: readonly string[]): unknown {
  if (path.length > 0 && element !== null && !isMap(element)) return noMap;
  let value = element;
  for (const name of path) value = isMap(value) && Object.hasOwn(value, name) ? value[name] : null;
  return value;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value of JSON as one of a column; undefined where it is of another type. */
function scalarOf(value: unknown, type: ColumnType): Scalar | undefined {
  if (value === null) return null;
  switch (type) {
    case "json":
      return JSON.stringify(value);
    case "string":
      return typeof value === "string" ? value : undefined;
    case "bool":
      return typeof value === "boolean" ? value : undefined;
    case "int64":
      // Beyond these two numbers of JSON would be one.
      return Number.isSafeInteger(value) ? BigInt(value as number) : undefined;
    default:
      return typeof value === "number" && Number.isFinite(value) ? value : undefined;
  }
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > shownMax ? `${text.slice(0, shownMax)}…` : text;
}
