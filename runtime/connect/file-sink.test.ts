// The header of a file of CSV: written once, completed where it was cut off, and never above other columns.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { silentLog } from "./connector-log.ts";
import { fileSink } from "./file-sink.ts";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "weir-file-sink-"));
  path = join(folder, "rows.csv");
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function append(header: string, row: string): Promise<void> {
  const sink = fileSink({ path, header, log: silentLog });
  await sink.open();
  sink.write({ subject: "", payload: Buffer.from(row), id: null, caused: 0 });
  await sink.close();
}

test.each([
  ["", "a,é\n"],
  ["a,", "a,é\n"],
  ["a,é", "a,é\n"],
  ["a,é\n", "a,é\n"],
  ["a,é\r\n7,8\r\n", "a,é\r\n7,8\r\n"],
  ["\uFEFFa,é\n7,8\n", "\uFEFFa,é\n7,8\n"],
  ["a,é\n7,8", "a,é\n7,8\n"],
])("behind %j rows follow %j", async (before, between) => {
  writeFileSync(path, before);
  await append("a,é", "1,2");
  await append("a,é", "3,4");
  expect(readFileSync(path, "utf8")).toBe(`${between}1,2\n3,4\n`);
});

test.each(["é,a\n", "a,é,b\n1,2,3\n", "a\n1\n", "\n", "a,b"])(
  "a file that begins with %j is refused and left as it is",
  async (before) => {
    writeFileSync(path, before);
    await expect(append("a,é", "1,2")).rejects.toMatchObject({
      code: "WEIR_FILE",
      message: `${path} does not begin with the columns of the rows, a,é`,
    });
    expect(readFileSync(path, "utf8")).toBe(before);
  },
);

test("a pipe is refused", async () => {
  execFileSync("mkfifo", [path]);
  await expect(append("a", "1")).rejects.toMatchObject({
    code: "WEIR_FILE",
    message: `cannot append to ${path}: it is a pipe, which keeps nothing`,
  });
});
