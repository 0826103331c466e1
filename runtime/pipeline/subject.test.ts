// Subjects: which are refused and where, what they subscribe to, and which templates meet them.

import { describe, expect, it } from "vitest";
import {
  looksLikeTopic,
  namedTokens,
  overlaps,
  subjectFault,
  type SubjectRole,
  subscriptionOf,
  templateParts,
} from "./subject.ts";

describe("refused", () => {
  const cases: readonly (readonly [role: SubjectRole, subject: string, at: string, message: RegExp])[] = [
    ["source", ">", "0-1", /reads everything/],
    ["source", "*.>", "0-3", /reads everything/],
    ["source", "$SYS.>", "0-4", /\$SYS is reserved/],
    ["source", "$JS.API.>", "0-3", /\$JS is reserved/],
    ["source", "_INBOX.>", "0-6", /_INBOX is reserved/],
    ["source", "a..b", "2-3", /an empty token/],
    ["source", ".a", "0-1", /an empty token/],
    ["source", "a.", "2-3", /an empty token/],
    ["source", "a.b c.d", "2-5", /no spaces/],
    ["source", "a.>.b", "2-3", /only at the end/],
    ["source", "a.b*.c", "2-4", /b\* is not a wildcard/],
    ["source", "a.+.c", "2-3", /\+ is a wildcard of MQTT, and of a subject a token/],
    ["source", "a.#", "2-3", /# is a wildcard of MQTT, and of a subject a token/],
    ["source", "a.{}.c", "2-4", /is not a named token/],
    ["source", "a.x{b}.c", "2-6", /is not a named token/],
    ["source", "a.{b}.{b}", "6-9", /two tokens are called b/],
    ["source", Array(33).fill("a").join("."), "0-65", /33 tokens, more than 32/],
    ["source", Array(10_000).fill("a").join("."), "0-19999", /19999 characters/],
    ["sink", "a.*", "2-3", /holds no wildcard/],
    ["sink", "a.>", "2-3", /holds no wildcard/],
    ["sink", "a.{b", "2-4", /is not a template/],
    ["sink", "a.{b c}", "2-7", /no spaces/],
    ["sink", "$JS.ACK", "0-3", /reserved/],
    ["fixed", "dlq.{device}", "4-12", /cannot depend on a column/],
  ];
  it("tells the subject of an MQTT topic", () => {
    const meant = (topic: string): string | undefined => subjectFault(topic, "source")?.hint;
    expect(meant("sensors/+/temp")).toBe("as a subject it is sensors.*.temp");
    expect(meant("sensors/#")).toBe("as a subject it is sensors.>");
    expect(meant("/+/a")).toBe("as a subject it is /.*.a");
    expect(meant("spBv1.0/#")).toBe("as a subject it is spBv1//0.>");
    expect(subjectFault("a/b", "source")).toBeNull();
    expect(["a/b", "a.b/c.d", "a///b"].map(looksLikeTopic)).toEqual([true, true, true]);
    expect(["a.b", "spBv1//0.a", "/.a", "a./.b"].map(looksLikeTopic)).toEqual([false, false, false, false]);
  });

  it.each(cases)("%s %s", (role, subject, at, message) => {
    const fault = subjectFault(subject, role);
    expect(`${fault?.start}-${fault?.end}`).toBe(at);
    expect(fault?.message).toMatch(message);
  });
});

it.each([
  ["source", "sensors.*.temp"],
  ["source", "sensors.{site}.>"],
  ["source", "*.temp"],
  ["sink", "cloud.{device}"],
  ["sink", "cloud.x-{site}-{device}.y"],
  ["sink", "cloud.{meta.site}"],
  ["fixed", "dlq.cold-chain"],
] as const)("%s accepts %s", (role, subject) => {
  expect(subjectFault(subject, role)).toBeNull();
});

it("subscribes to a wildcard for each named token", () => {
  expect(subscriptionOf("sensors.{site}.{device}.temp")).toBe("sensors.*.*.temp");
  expect(namedTokens("sensors.{site}.*.{device}")).toEqual([
    { name: "site", token: 1 },
    { name: "device", token: 3 },
  ]);
});

it("takes a template apart", () => {
  expect(templateParts("a.{b}-{c.d}.e")).toEqual([
    "a.",
    { column: "b", start: 2, end: 5 },
    "-",
    { column: "c.d", start: 6, end: 11 },
    ".e",
  ]);
});

it.each([
  ["cloud.{device}", "cloud.*", true],
  ["cloud.{device}", "cloud.>", true],
  ["cloud.a", "cloud.{site}", true],
  ["cloud.{meta.site}.x", "cloud.*.x", true],
  ["cloud.a.b", "cloud.*", false],
  ["cloud", "cloud.>", false],
  ["alarm.{device}", "sensors.*", false],
])("%s meets %s: %s", (template, subscription, expected) => {
  expect(overlaps(template, subscription)).toBe(expected);
});
