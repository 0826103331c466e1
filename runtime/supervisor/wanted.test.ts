// What a supervisor reads of pipeline files, and what it refuses to.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import { wantedInFolder, wantedPipeline } from "./wanted.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-wanted-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("name, placement and subjects are read, the rest is the worker's", () => {
  const text = `name: climate
placement: { isolation: worker, labels: { site: north }, processors: 0.5, memory: 64MiB, partitions: 12, workers: { max: 4 } }
sources:
  a: { nats: { subject: "sensors.{room}.temp" } }
  b: { nats: { subject: "sensors.>" } }
steps: no list
`;
  expect(wantedPipeline("/p/climate.yaml", text)).toMatchObject({
    name: "climate",
    file: "/p/climate.yaml",
    placement: {
      isolation: "worker",
      labels: { site: "north" },
      processors: 0.5,
      memory: 67_108_864,
      partitions: 12,
      workersMax: 4,
    },
    subjects: ["sensors.*.temp", "sensors.>"],
  });
  expect(wantedPipeline("/p/a.yaml", "name: a\n").placement).toEqual({
    isolation: "shared",
    labels: {},
    processors: limits.pipeline_processors_default,
    memory: limits.pipeline_memory_bytes_default,
    partitions: null,
    workersMax: null,
  });
});

test.each([
  ["", "its name is not"],
  ["name: ../a\n", "its name is not"],
  ["name: 7\n", "its name is not"],
  ["name: [\n", "/p/x.yaml: "],
  ["name: a\nplacement: { isolation: alone }\n", "/p/x.yaml: "],
  ["name: a\nplacement: 7\n", "/p/x.yaml: "],
])("%j is refused", (text, why) => {
  expect(() => wantedPipeline("/p/x.yaml", text)).toThrow(why);
  expect(() => wantedPipeline("/p/x.yaml", text)).toThrow(WeirError);
});

test("of a folder what can be used is used, and the rest is told", () => {
  writeFileSync(join(folder, "a.yaml"), "name: a\n");
  writeFileSync(join(folder, "b.yaml"), "name: [\n");
  writeFileSync(join(folder, "c.yml"), "name: a\n");
  writeFileSync(join(folder, "weir.yaml"), "threads: 0\n");
  const { pipelines, faults } = wantedInFolder(folder);
  expect(pipelines.map(({ name }) => name)).toEqual(["a"]);
  expect(faults).toEqual([
    expect.stringContaining("b.yaml: "),
    `${join(folder, "c.yml")}: another file has a pipeline a already`,
  ]);
});
