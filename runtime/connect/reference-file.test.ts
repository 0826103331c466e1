// Files that are no table, or too much of one: each is content that says why it cannot be read. How a change
// is seen, the worker's tests show.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it, test } from "vitest";
import { VirtualClock } from "../clock.ts";
import { limits } from "../limits.ts";
import { fileReference, readReferenceFile } from "./reference-file.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-reference-file-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("is read as it is, through a link too", async () => {
  writeFileSync(join(folder, "devices.csv"), "id\r\n\u0000\n");
  symlinkSync(join(folder, "devices.csv"), join(folder, "link.csv"));
  const bytes = new TextEncoder().encode("id\r\n\u0000\n");
  const content = await readReferenceFile(join(folder, "link.csv"), "link.csv");
  expect(content).toMatchObject({ kind: "file", name: "link.csv", format: "csv" });
  expect(content.kind === "file" && Buffer.compare(content.bytes, bytes)).toBe(0);
});

test.each<[string, string, () => void, string]>([
  ["missing", "missing.csv", () => undefined, "ENOENT"],
  ["a folder", "folder.csv", () => mkdirSync(join(folder, "folder.csv")), "not a regular file"],
  [
    "too large",
    "large.json",
    () => {
      writeFileSync(join(folder, "large.json"), "[");
      truncateSync(join(folder, "large.json"), limits.lookup_bytes_max + 1);
    },
    `larger than ${limits.lookup_bytes_max} bytes`,
  ],
  ["of another kind", "table.txt", () => undefined, "expected a name that ends in .csv, .json or .ndjson"],
])("is refused: %s", async (_title, name, make, why) => {
  make();
  const content = await readReferenceFile(join(folder, name), name);
  expect(content).toMatchObject({
    kind: "unreadable",
    remedy: "its path is relative to the pipeline's file",
  });
  expect(content.kind === "unreadable" && content.message).toContain(`cannot read the table ${name}: ${why}`);
});

it("looks no more once it is closed", async () => {
  const clock = new VirtualClock();
  const watch = fileReference(join(folder, "missing.csv"), "missing.csv", clock);
  expect((await watch.load()).kind).toBe("unreadable");
  watch.watch(() => expect.unreachable());
  await watch.close();
  clock.advanceTo(10 * limits.lookup_poll_ms);
});
