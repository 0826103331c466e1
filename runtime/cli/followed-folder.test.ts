// What a folder that is followed makes a supervisor want, and what it is told of files that cannot be used.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, expect, test } from "vitest";
import { silentLog } from "../connect/connector-log.ts";
import type { Log } from "../log.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";
import { noMemory } from "../supervisor/memory.ts";
import { statusOf } from "../supervisor/status.ts";
import type { RefusedFile, WantedPipeline } from "../supervisor/wanted.ts";
import { followFolder } from "./followed-folder.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-followed-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a supervisor would know after one look at the folder, which is named from here. */
function looked(before: readonly WantedPipeline[]): {
  wanted: readonly WantedPipeline[];
  refused: readonly RefusedFile[];
  log: string[];
} {
  const told = { wanted: before, refused: [] as readonly RefusedFile[], log: [] as string[] };
  const supervisor = {
    get wanted() {
      return told.wanted;
    },
    want: (all: readonly WantedPipeline[]) => void (told.wanted = all),
    refuse: (all: readonly RefusedFile[]) => void (told.refused = all),
  } as unknown as Supervisor;
  const log = { ...silentLog, error: (line: string) => void told.log.push(line) } as unknown as Log;
  followFolder(relative(process.cwd(), folder), supervisor, { forget: [], log })();
  return told;
}

test("of a file that is broken what was wanted before is wanted still, and where and why is told", () => {
  writeFileSync(join(folder, "a.yaml"), "name: a\n");
  writeFileSync(join(folder, "b.yaml"), "a: 1\n b: 2\n");
  const first = looked([]);
  writeFileSync(join(folder, "a.yaml"), "name: a\n  b: [\n");
  const { wanted, refused, log } = looked(first.wanted);
  expect(wanted.map(({ name }) => name)).toEqual(["a"]);
  expect(log).toEqual([expect.stringMatching(/a\.yaml:\d:\d+: /), expect.stringMatching(/b\.yaml:\d:\d+: /)]);
  const { pipelines } = statusOf({
    host: "h",
    driver: "process",
    driverFault: "",
    since: 0,
    now: 0,
    held: true,
    wanted,
    refused,
    workers: [],
    heard: new Map(),
    memory: noMemory,
    unplaced: [],
    told: [],
  });
  expect(pipelines.map(({ name, state, reason }) => [name, state, reason])).toEqual([
    ["a", "drained", log[0]],
    ["b.yaml", "refused", log[1]],
  ]);
});
