// What a zod schema accepts, looked at from outside: the names of the settings at a path, for "did you
// mean" and the reference. Never parses a value.

import { z } from "zod";
import type { Path } from "./pipeline.ts";

/** The parts of a schema's definition that lead further in. */
interface Definition {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly innerType?: z.core.$ZodType;
  readonly in?: z.core.$ZodType;
  readonly element?: z.core.$ZodType;
  readonly valueType?: z.core.$ZodType;
  readonly left?: z.core.$ZodType;
  readonly right?: z.core.$ZodType;
  readonly options?: readonly z.core.$ZodType[];
  readonly getter?: () => z.core.$ZodType;
}

/** The names that a map at `path` may hold; empty where any name may stand or none is known. */
export function keysAt(schema: z.core.$ZodType, path: Path): readonly string[] {
  const names = new Set<string>();
  for (const reached of follow([schema], path)) {
    for (const name of Object.keys(definitionOf(reached).shape ?? {})) names.add(name);
  }
  return [...names];
}

/** How a value at `path` may be written, as its spec shows it. */
export function examplesAt(schema: z.core.$ZodType, path: Path): readonly string[] {
  return follow([schema], path).flatMap((reached) => {
    const examples = z.globalRegistry.get(reached)?.["examples"];
    return Array.isArray(examples) ? examples.filter((each) => typeof each === "string") : [];
  });
}

function definitionOf(schema: z.core.$ZodType): Definition {
  return schema._zod.def as unknown as Definition;
}

function follow(schemas: readonly z.core.$ZodType[], path: Path): readonly z.core.$ZodType[] {
  let reached = schemas.flatMap(unwrap);
  for (const step of path) {
    reached = reached.flatMap((schema) => {
      const { shape, element, valueType } = definitionOf(schema);
      const next = typeof step === "number" ? element : (shape?.[step] ?? valueType);
      return next === undefined ? [] : unwrap(next);
    });
  }
  return reached;
}

/** A schema without its wrappers (optional, default, transform, …); every alternative of a union. */
function unwrap(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  const { type, innerType, in: input, left, right, options, getter } = definitionOf(schema);
  if (options !== undefined && type === "union") return options.flatMap(unwrap);
  if (left !== undefined && right !== undefined) return [...unwrap(left), ...unwrap(right)];
  const inner = innerType ?? input ?? getter?.();
  return inner === undefined ? [schema] : unwrap(inner);
}
