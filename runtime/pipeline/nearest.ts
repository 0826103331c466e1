// "did you mean", and choices in words. Never guesses from afar.

import { nearName } from "../expression/near-name.ts";

const zoned =
  "calendar: { unit: day, zone: Europe/Berlin } in place of tumbling: only windows of a calendar follow the clocks of a zone";
/** What weir has no name for, and what serves instead where the name before the colon may stand. */
const others: Readonly<Record<string, string>> = {
  mqtt: "nats: nats-server takes MQTT itself, and what devices publish to a/b is the subject a.b",
  uplink:
    "nats: the uplink is one connection's, nats: { cloud: { url: nats://…, uplink: { bytes: 50MiB, every: 1d } } }",
  zone: zoned,
  timezone: zoned,
  time_zone: zoned,
  tz: zoned,
};

/** "did you mean filter?", or else what there is to choose from when that is short, or null. */
export function didYouMean(name: string, names: readonly string[]): string | null {
  const other = Object.hasOwn(others, name) ? others[name]! : null;
  if (other !== null && names.includes(other.slice(0, other.indexOf(":")))) return `use ${other}`;
  const near = nearName(name, names);
  if (near !== undefined) return `did you mean ${near}?`;
  return names.length === 0 || names.length > 12 ? null : `expected ${choiceOf(names)}`;
}

/** `a, b or c`. */
export function choiceOf(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}
