// Which members of the original record pass through to a sink, and how encoders are given them.
// Decides by name only; reads no payload.

import type { Schema } from "../../operators/sdk/index.ts";

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
 * as it is, and is not written a second time.
 */
export function writtenFields(schema: Schema): readonly number[] {
  const all = schema.fields.map((_, index) => index);
  return schema.rest === null ? all : all.filter((index) => !schema.fields[index]!.name.includes("."));
}

/** Names of the members that do not pass through: those written from columns, and those taken out. */
export function restExcept(schema: Schema): ReadonlySet<string> {
  const written = writtenFields(schema).map((index) => schema.fields[index]!.name);
  return new Set([...written, ...(schema.rest?.except ?? [])]);
}
