// The table of what went wrong once: each command in it runs a test that is there.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const rows = readFileSync(join(import.meta.dirname, "BUGS.md"), "utf8")
  .split("\n")
  .flatMap((line) => {
    const [, file, text] = /^\| .+ \| `(\S+\.test\.ts)` \| `(.+)` \|$/.exec(line) ?? [];
    return file === undefined || text === undefined ? [] : [[file, text] as const];
  });

test("there is a command for each", () => {
  expect(rows.length).toBeGreaterThanOrEqual(13);
});

test.each(rows)("%s has a test called %s", (file, text) => {
  const quoted = readFileSync(join(root, file), "utf8").match(/"[^"\n]*"|`[^`\n]*`/g) ?? [];
  expect(quoted.some((each) => each.includes(text))).toBe(true);
});
