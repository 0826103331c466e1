// Whether messages of JSON hold one record each or many. Pure; cuts nothing.

import type { Framing } from "../codec/framing.ts";

/** The framing that most of the messages have. */
export function framingOf(messages: readonly Uint8Array[]): Framing {
  const framings = messages.map((message) => framingOfOne(new TextDecoder().decode(message)));
  const count = (framing: Framing): number => framings.filter((each) => each === framing).length;
  for (const framing of ["senml", "array"] as const) if (count(framing) > messages.length / 2) return framing;
  return count("lines") > messages.length / 2 ? "lines" : "message";
}

function framingOfOne(text: string): Framing {
  const value = valueOf(text);
  if (Array.isArray(value)) return isSenml(value) ? "senml" : "array";
  const lines = text.trim().split(/\r?\n/);
  return value === undefined && lines.length > 1 && isObject(valueOf(lines[0]!)) ? "lines" : "message";
}

/** Each has a name, or one before it has the beginning of all names; and each says something by one of the names of RFC 8428. */
function isSenml(elements: readonly unknown[]): boolean {
  const entries = elements.filter(isObject) as Readonly<Record<string, unknown>>[];
  const named = entries.findIndex(({ bn, n }) => typeof (bn ?? n) === "string");
  const says = ["v", "vs", "vb", "vd", "s", "bv", "bs"];
  return (
    entries.length > 0 &&
    entries.length === elements.length &&
    named === 0 &&
    entries.every((entry) => says.some((label) => Object.hasOwn(entry, label)) || Object.hasOwn(entry, "bn"))
  );
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
