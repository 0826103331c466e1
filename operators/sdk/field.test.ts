// Settings as people write them: durations and sizes with their units, and nothing that only looks like one.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expressionLengthMax, field, parseDuration, parseSize, Unbound } from "./field.ts";

describe("durations", () => {
  test.each([
    ["0ms", 0],
    ["500ms", 500],
    ["10s", 10_000],
    ["1m30s", 90_000],
    ["1.5h", 5_400_000],
    ["2d", 172_800_000],
    ["1m1m", 120_000],
  ])("%s", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
    expect(field.duration("").parse(text)).toBe(ms);
  });

  test.each([
    "",
    "10",
    "s",
    "-1s",
    "1 s",
    "1s ",
    "1e3s",
    ".5s",
    "1.s",
    "1S",
    "1min",
    "1us",
    "∞s",
    "1constructor",
    `${"9".repeat(400)}d`,
  ])("not %j", (text) => {
    expect(parseDuration(text)).toBeUndefined();
    const { error } = field.duration("").safeParse(text);
    expect(error?.issues[0]?.message).toContain("expected a duration such as");
  });

  test.each([
    ["PT1H30M", "1h30m"],
    ["00:01:00", "1m"],
    ["5 min", "5m"],
    ["1w", "7d"],
    ["2 weeks", "14d"],
    ["10 s", "10s"],
    ["1m30", "1m30s"],
    ["2 hours", "2h"],
    ["1,5s", "1.5s"],
    ["30 seconds", "30s"],
  ])("%j is probably %s", (text, meant) => {
    const { error } = field.duration("").safeParse(text);
    expect(error?.issues[0]?.message).toMatch(new RegExp(`; write ${meant}$`));
  });

  test("nothing is guessed from what is no length of time", () => {
    const { error } = field.duration("").safeParse("5 parsecs");
    expect(error?.issues[0]?.message).not.toContain("write");
  });

  test.each(["-5s", " - 5 min"])("%j is told to be negative", (text) => {
    const { error } = field.duration("").safeParse(text);
    expect(error?.issues[0]?.message).toContain("; a length of time is never negative: leave the minus out");
  });

  test("parts add up", () => {
    const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
    const part = fc.tuple(fc.nat(1000), fc.constantFrom("ms", "s", "m", "h", "d"));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
        const text = parts.map(([count, unit]) => `${count}${unit}`).join("");
        expect(parseDuration(text)).toBe(parts.reduce((sum, [n, unit]) => sum + n * units[unit as "s"], 0));
      }),
      { seed: 14 },
    );
  });
});

describe("sizes", () => {
  test.each([
    ["512B", 512],
    ["64KiB", 65_536],
    ["1MB", 1_000_000],
    ["1.5GiB", 1.5 * 1024 ** 3],
  ])("%s", (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
    expect(field.size("").parse(text)).toBe(bytes);
  });

  test.each(["", "64", "64kb", "1 MB", "-1B", "1toString"])("not %j", (text) => {
    expect(parseSize(text)).toBeUndefined();
    expect(field.size("").safeParse(text).success).toBe(false);
  });
});

describe("sizes that are nearly right", () => {
  test.each([
    ["10 MB", "; write 10MB"],
    ["64kb", "; write 64KB"],
    ["64 kib", "; write 64KiB"],
    ["1,5 GB", "; write 1.5GB"],
    ["10M", "; write 10MB"],
    ["2 Gi", "; write 2GiB"],
    ["512 bytes", "; write 512B"],
    ["-1B", "; a size is never negative: leave the minus out"],
    ["64", 'got "64"'],
    ["5 parsecs", 'got "5 parsecs"'],
  ])("%j", (text, end) => {
    const message = field.size("").safeParse(text).error?.issues[0]?.message ?? "";
    expect(message.slice(-end.length)).toBe(end);
  });
});

describe("what refers to columns waits to be bound", () => {
  test("with its text and what it wants", () => {
    const parsed = field.expression(["bool"], "").parse("temp > 3.0") as unknown;
    expect(parsed).toBeInstanceOf(Unbound);
    expect(parsed).toMatchObject({ text: "temp > 3.0", want: { kind: "expression", types: ["bool"] } });
  });

  test("a column of an input as well", () => {
    expect(field.member(["float64"], "").parse("temp.value") as unknown).toMatchObject({
      text: "temp.value",
      want: { kind: "member", types: ["float64"] },
    });
  });

  test("one key or several", () => {
    expect(field.keys("").parse("device")).toHaveLength(1);
    expect(field.keys("").parse(["site", "device"])).toHaveLength(2);
    for (const bad of [[], "", [""], 5, Array.from({ length: 9 }, () => "k")])
      expect(field.keys("").safeParse(bad).success).toBe(false);
    const { error } = field.keys("").safeParse(["site", "device", "site"]);
    expect(error?.issues).toMatchObject([
      { path: [2], message: "the key names site twice: name each column once" },
    ]);
  });

  test("no longer than is read", () => {
    expect(field.expression([], "").safeParse("x".repeat(expressionLengthMax)).success).toBe(true);
    expect(field.expression([], "").safeParse("x".repeat(expressionLengthMax + 1)).success).toBe(false);
  });
});
