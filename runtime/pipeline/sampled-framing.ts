// Whether messages hold one record of JSON each or many, and in which way. Pure.

import type { Framing } from "../codec/framing.ts";
import { InfluxLines } from "../codec/influx-lines.ts";

/** The framing that most of the messages have. */
export function framingOf(messages: readonly Uint8Array[]): Framing {
  const framings = messages.map(framingOfOne);
  const isMost = (framing: Framing): boolean =>
    framings.filter((each) => each === framing).length > messages.length / 2;
  return (["senml", "array", "influx", "lines"] as const).find(isMost) ?? "message";
}

function framingOfOne(message: Uint8Array): Framing {
  const text = new TextDecoder().decode(message);
  const value = valueOf(text);
  if (Array.isArray(value)) return isSenml(value) ? "senml" : "array";
  if (value === undefined && isInflux(message)) return "influx";
  const lines = text.trim().split(/\r?\n/);
  return value === undefined && lines.length > 1 && isObject(valueOf(lines[0]!)) ? "lines" : "message";
}

function isInflux(message: Uint8Array): boolean {
  const records = new InfluxLines(message, 0).records();
  return records.length > 0 && records.every(({ isRecord }) => isRecord);
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
