// Reads systemd's form of files for tests, and what exit codes of weir mean to whoever starts it again.

import { WeirError } from "../runtime/errors.ts";

/** Of wrong usage and wrong configuration: starting again changes neither. */
export const exitCodes: readonly number[] = [
  new WeirError("WEIR_USAGE", "").exitCode,
  new WeirError("WEIR_CONFIG", "").exitCode,
];

/** By section and key, the values in order. */
export type Unit = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

export function parseUnit(text: string): Unit {
  const unit: Record<string, Record<string, string[]>> = {};
  let section: Record<string, string[]> | null = null;
  for (const line of text.split("\n")) {
    const [, name] = /^\[(\w+)\]$/.exec(line) ?? [];
    if (name !== undefined) {
      section = {};
      unit[name] = section;
      continue;
    }
    if (line.trim() === "" || line.startsWith("#")) continue;
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (section === null || key === undefined || value === undefined) throw new Error(`no unit: ${line}`);
    (section[key] ??= []).push(value);
  }
  return unit;
}
