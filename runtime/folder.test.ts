// Folders are made with those above them, or refused in the system's words; never waited for.

import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { makeFolder } from "./folder.ts";

const home = mkdtempSync(join(tmpdir(), "weir-folder-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

test("a folder, those above it, and nothing the second time", () => {
  expect(makeFolder(join(home, "a", "b", "c"), 0o700)).toBe(join(home, "a"));
  expect(statSync(join(home, "a", "b", "c")).mode & 0o777).toBe(0o700);
  expect(makeFolder(join(home, "a", "b", "c"))).toBeUndefined();
  expect(makeFolder(join(home, "a", "d"))).toBe(join(home, "a", "d"));
  expect(readdirSync(join(home, "a"))).toEqual(["b", "d"]);
});

test("a file in its place, or above it, is named", () => {
  writeFileSync(join(home, "file"), "");
  expect(() => makeFolder(join(home, "file"))).toThrow(/EEXIST/);
  expect(() => makeFolder(join(home, "file", "below"))).toThrow(/ENOTDIR/);
});

test.skipIf(process.platform !== "linux")("a file system that takes no folders is no endless loop", () => {
  expect(() => makeFolder("/proc/weir/state")).toThrow(/ENOENT/);
});
