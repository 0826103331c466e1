// Records of a file in place of a subject whose tokens are columns: what is told where they do not say them.

import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { loadPipeline } from "../pipeline/load.ts";
import { openFileRecords } from "./try-file.ts";
import { WeirProcesses } from "./weir-process.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-try-file-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

writeFileSync(
  join(folder, "q.yaml"),
  `name: q
source: { nats: { subject: "sensors.{device}.temp" }, format: json, schema: { temp: float64 } }
steps:
  - sink: { stdout: {}, format: json }
`,
);

const about =
  'device as a text or a number, which sensors.{device}.temp takes from the subject: device is "_" there';

test.each([
  [["{}", "{}"], "no record has "],
  [['{"device":"a"}', '{"device":{"id":1}}', "{}"], "2 of 3 records do not have "],
  [['{"device":"a"}', '{"device":7}'], null],
])("%j", async (records, which) => {
  const lines = records.map((each) => JSON.stringify({ temp: 1, ...(JSON.parse(each) as object) }));
  writeFileSync(join(folder, "readings.ndjson"), `${lines.join("\n")}\n`);
  const processes = new WeirProcesses(folder);
  for (const more of [[], ["--json"]]) {
    const { code, stderr } = await processes.weir("try", "q.yaml", "--from", "readings.ndjson", ...more);
    expect(code).toBe(0);
    const told = stderr.split("\n").filter((line) => line.startsWith("warning:"));
    expect(told).toEqual(which === null ? [] : [`warning: readings.ndjson: ${which}${about}`]);
  }
});

test.skipIf(process.platform !== "linux")("a file whose header is refused is closed again", async () => {
  const path = join(folder, "semicolons.csv");
  writeFileSync(path, "device;temp\na;1\n");
  const content =
    "name: q\nsource: { nats: { subject: a }, schema: { temp: float64 } }\nsteps: [{ sink: { stdout: {} } }]\n";
  const { plan } = loadPipeline({ file: "q.yaml", content, catalogue: [] });
  await expect(openFileRecords(path, plan!.inputs[0]!.spec, ["temp"])).rejects.toThrow("semicolons");
  const open = readdirSync("/proc/self/fd").map((each) => {
    try {
      return readlinkSync(join("/proc/self/fd", each));
    } catch {
      return "";
    }
  });
  expect(open).not.toContain(path);
});
