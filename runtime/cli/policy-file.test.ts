// A policy's file: what it says, and what is wrong with it, with its place.

import { expect, test } from "vitest";
import { openPolicy } from "../supervisor/control-policy.ts";
import { readPolicy } from "./policy-file.ts";

test("what is not said is open", () => {
  const text = "lost_after: 30s\nallow: [{ users: [ada], memory: 1MiB }]\n";
  expect(readPolicy("policy.yaml", text)).toEqual({
    policy: { lost_after: 30_000, allow: [{ users: ["ada"], memory: 1_048_576 }] },
    diagnostics: [],
  });
  expect(readPolicy("policy.yaml", "").policy).toEqual(openPolicy);
});

test("a mistake in the file is told with its place", () => {
  const wrong = (text: string): string[] =>
    readPolicy("policy.yaml", text).diagnostics.map(({ line, message }) => `${line}: ${message}`);
  expect(wrong("lost_after: 1s\n")).toEqual([expect.stringMatching(/^1: .*every 5s/)]);
  expect(wrong("allow:\n  - { user: [ada] }\n")).toEqual([expect.stringMatching(/^2: .*user/)]);
  expect(wrong("allow: [\n").length).toBe(1);
});
