// Values of declared types out of a list in JSON, element by element. Reads one text at a time; what does not fit is a text of its
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

/** The elements of the list in `text`, which is called `list` in what is told; or why there are none. Null is an empty list. */
export function readElements(
  text: string,
  list: string,
  fields: readonly ElementField[],
): { readonly rows: Elements } | { readonly fault: string } {
  try {
    const value: unknown = JSON.parse(text);
    if (value === null) return { rows: [] };
    if (!Array.isArray(value)) return { fault: `expected a list in ${list}, got ${shown(value)}` };
    return { rows: value.map((element, place) => rowOf(element, `${list}[${place}]`, fields)) };
  } catch (error) {
    return {
      fault: error instanceof Misfit ? error.message : `expected a list in ${list}: ${String(error)}`,
    };
  }
}

class Misfit extends Error {}

function rowOf(element: unknown, where: string, fields: readonly ElementField[]): readonly Scalar[] {
  return fields.map(({ path, type }) => {
    const found = valueIn(element, path);
    if (found === noMap) throw new Misfit(`expected a map in ${where}, got ${shown(element)}`);
    const scalar = scalarOf(found, type);
    if (scalar !== undefined) return scalar;
    throw new Misfit(`expected ${type} in ${[where, ...path].join(".")}, got ${shown(found)}`);
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
