// The house's own checks as tests, so that the one test command stands for all of them: types, lint,
// format, dead code, and that what is generated is fresh.

import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "..");

/** Runs a command of the house; its output when it failed, else nothing. */
function complaint(command: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: root, encoding: "utf8" });
  return status === 0 ? "" : `${command} ${args.join(" ")}: ${error?.message ?? status}\n${stdout}${stderr}`;
}

const node = process.execPath;
const bin = (name: string): string => resolve(root, "node_modules/.bin", name);

test("types", { timeout: 180_000 }, () => {
  expect(complaint(bin("tsc"), "-p", ".")).toBe("");
});

test("lint, with types", { timeout: 180_000 }, () => {
  expect(complaint(bin("oxlint"), "--type-aware", "--deny-warnings")).toBe("");
});

test("format", { timeout: 60_000 }, () => {
  expect(complaint(bin("biome"), "format")).toBe("");
});

test("no dead code, no unused dependency", { timeout: 120_000 }, () => {
  expect(complaint(bin("knip"))).toBe("");
});

test("the schema and the reference are what the specs generate", { timeout: 60_000 }, () => {
  const main = resolve(root, "runtime/cli/main.ts");
  expect(complaint(node, main, "schema", "--check")).toBe("");
  expect(complaint(node, main, "docs", "--check")).toBe("");
});
