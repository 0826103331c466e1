// Files up to a size, whatever the system says of theirs.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readBounded } from "./bounded-file.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-bounded-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([0, 1, 65_535, 65_536, 200_000])(
  "%d bytes are read whole, and no more than are allowed",
  (length) => {
    const path = join(folder, String(length));
    const bytes = Buffer.from(Array.from({ length }, (_, place) => place % 251));
    writeFileSync(path, bytes);
    expect(readBounded(path, length).equals(bytes)).toBe(true);
    expect(readBounded(path, length + 70_000).equals(bytes)).toBe(true);
    if (length > 0) expect(() => readBounded(path, length - 1)).toThrow("larger than");
  },
);

test("one that is said to be empty and is not is bounded all the same", () => {
  expect(readBounded("/proc/self/maps", 100_000_000).length).toBeGreaterThan(1_000);
  expect(() => readBounded("/proc/self/maps", 1_000)).toThrow("larger than 1000 bytes");
});
