// What a supervisor reads of pipeline files, and what it refuses to.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
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
    spread: false,
    carriesState: false,
    threads: null,
  });
});

test("a partition is wanted by a name of its own, as far as there is one", () => {
  const text = "name: a\nplacement: { partitions: 2 }\n";
  const { name, revision } = wantedPipeline("/p/a.yaml", text, { partition: 1 });
  expect([name, revision]).toEqual(["a~1", wantedPipeline("/p/a.yaml", text).revision]);
  expect(() => wantedPipeline("/p/a.yaml", text, { partition: 2 })).toThrow("it has no partition 2");
  expect(() => wantedPipeline("/p/a.yaml", "name: a\n", { partition: 0 })).toThrow("it has no partition 0");
});

test.each([
  ["", "/p/x.yaml:1:1: a pipeline has a name of"],
  ["# mine\nname: ../a\n", "/p/x.yaml:2:7: a pipeline has a name of"],
  ["name: 7\n", "/p/x.yaml:1:7: a pipeline has a name of"],
  ["name: [\n", "/p/x.yaml:2:1: "],
  ["a: 1\n b: 2\n", "/p/x.yaml:1:4: "],
  [
    "name: a\nsource: { nats: { subject: s.{d}.t } }\n",
    "/p/x.yaml:2:30: braces in a text that is not in quotes; inside",
  ],
  ["name: a\nplacement: { isolation: alone }\n", "/p/x.yaml:2:"],
  ["name: a\nplacement: 7\n", "/p/x.yaml:2:"],
  ["name: a\nplacement: { spread: true }\n", "only partitions can be shared among hosts"],
])("%j is refused", (text, why) => {
  expect(() => wantedPipeline("/p/x.yaml", text)).toThrow(why);
  expect(() => wantedPipeline("/p/x.yaml", text)).toThrow(WeirError);
});

test("of a folder what can be used is used, and the rest is told", () => {
  writeFileSync(join(folder, "a.yaml"), "name: a\n");
  writeFileSync(join(folder, "b.yaml"), "name: [\n");
  writeFileSync(join(folder, "c.yml"), "name: a\n");
  writeFileSync(join(folder, "weir.yaml"), "threads: 0\n");
  const { pipelines, refused } = wantedInFolder(relative(process.cwd(), folder));
  expect(pipelines.map(({ name }) => name)).toEqual(["a"]);
  // What is kept from before of a file is found by its whole path, however the folder was named.
  expect(refused).toEqual([
    { file: join(folder, "b.yaml"), reason: expect.stringMatching(/b\.yaml:2:1: /) },
    {
      file: join(folder, "c.yml"),
      reason: expect.stringContaining("c.yml: another file has a pipeline a already, a.yaml; give it"),
    },
  ]);
});

test("what is no file, or far too large, is not read, and holds nobody up", () => {
  const odd = join(folder, "odd");
  mkdirSync(join(odd, "folder.yaml"), { recursive: true });
  writeFileSync(join(odd, "large.yaml"), "");
  truncateSync(join(odd, "large.yaml"), 4 * limits.config_bytes_max);
  const cannot = (name: string, why: string): string => `${join(odd, name)} cannot be read: ${why}`;
  const reasons = (): readonly string[] => wantedInFolder(odd).refused.map(({ reason }) => reason);
  const before = [
    cannot("folder.yaml", "not a regular file"),
    cannot("large.yaml", `larger than ${limits.config_bytes_max} bytes`),
  ];
  expect(reasons()).toEqual(before);
  execFileSync("mkfifo", [join(odd, "pipe.yaml")]);
  expect(reasons()).toEqual([...before, cannot("pipe.yaml", "not a regular file")]);
});

// What a supervisor keeps by name would be found for them where there is none: no worker was started any more, of any pipeline.
test.each(["constructor", "__proto__"])("a pipeline is not called %s", (name) => {
  expect(() => wantedPipeline("/p/x.yaml", `name: ${name}\n`)).toThrow(
    /^\/p\/x\.yaml:1:7: a pipeline has a name of/,
  );
});
