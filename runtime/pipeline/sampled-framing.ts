// Whether messages of JSON hold one record each or many. Pure; cuts nothing.

import type { Framing } from "../codec/framing.ts";

/** The framing that most of the messages have. */
export function framingOf(messages: readonly Uint8Array[]): Framing {
  const framings = messages.map((message) => framingOfOne(new TextDecoder().decode(message)));
  const count = (framing: Framing): number => framings.filter((each) => each === framing).length;
  if (count("array") > messages.length / 2) return "array";
  return count("lines") > messages.length / 2 ? "lines" : "message";
}

function framingOfOne(text: string): Framing {
  const value = valueOf(text);
  if (Array.isArray(value)) return "array";
  const lines = text.trim().split(/\r?\n/);
  return value === undefined && lines.length > 1 && isObject(valueOf(lines[0]!)) ? "lines" : "message";
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
