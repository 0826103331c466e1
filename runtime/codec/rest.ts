// Which members of the original record pass through to a sink, and how encoders are given them.
// Decides by name only; reads no payload.

import type { EncoderOptions } from "./codec.ts";

/** Takes one or more members in the sink's format. The bytes are valid in that call only. */
export type AppendMembers = (bytes: Uint8Array, start: number, end: number) => void;

/**
 * Appends the members of the original record that pass through, already in the sink's format, and
 * returns how many there are. For JSON they are `"name":value`, with a comma between those of one call;
 * for MessagePack keys and values one after another.
 */
export type RestMembers = (payload: Uint8Array, append: AppendMembers) => number;

/**
 * The fields of a schema that an encoder writes from their columns, as indexes.
 *
 * Without a rest: all of them. With one, the original record passes through but for the members that a
 * field replaces; there a field with a dot in its name is part of the original's nesting, which stays
 * as it is, and is not written a second time, unless it is named in `apart`.
 */
export function writtenFields({ schema, apart }: Written): readonly number[] {
  const all = schema.fields.map((_, index) => index);
  if (schema.rest === null) return all;
  return all.filter((index) => {
    const { name } = schema.fields[index]!;
    return !name.includes(".") || apart?.has(name) === true;
  });
}

type Written = Pick<EncoderOptions, "schema" | "apart">;

/**
 * Names of the members that do not pass through: those written from columns, and those taken out. One with a
 * dot is also a path into a member, of which the others pass.
 */
export function restExcept(options: Written): ReadonlySet<string> {
  const { schema } = options;
  const written = writtenFields(options).map((index) => schema.fields[index]!.name);
  return new Set([...written, ...(schema.rest?.except ?? [])]);
}

export function dottedOf(names: ReadonlySet<string>): readonly string[] {
  return [...names].filter((name) => name.includes("."));
}

/** What `paths` name within the member `name`. */
export function innerPaths(name: string, paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) => (path.startsWith(`${name}.`) ? [path.slice(name.length + 1)] : []));
}
