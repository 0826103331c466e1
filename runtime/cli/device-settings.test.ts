// A device's settings as a command finds them on the disk: what is no file that may be read is told as such, and never waited for.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { WeirError } from "../errors.ts";
import { readSettings, settingsFor } from "./device-settings.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-device-settings-test-"));
const pipe = join(folder, "pipe");
execFileSync("mkfifo", [pipe]);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([folder, pipe, "/dev/zero"])("%s is refused as settings", (config) => {
  const refused = (): unknown => settingsFor({ nats: [], config });
  expect(refused).toThrow(WeirError);
  expect(refused).toThrow(`cannot read ${config}: not a regular file`);
});

test("so it is in place of a value", () => {
  const file = join(folder, "weir.yaml");
  writeFileSync(file, "host: ${file:pipe}\nstate: ${file:.}\nthreads: ${file:/dev/zero}\n");
  expect(readSettings(file).diagnostics.map(({ line, message }) => `${line}: ${message}`)).toEqual([
    "1: there is no file pipe that may be read",
    "2: there is no file . that may be read",
    "3: there is no file /dev/zero that may be read",
  ]);
});
