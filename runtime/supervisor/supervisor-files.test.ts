// What a supervisor keeps, on a real disk that is full: what was kept stays, nothing of it is half written, and what cannot be
// kept is told as lack of room.

import { mkdirSync, mkdtempSync, readdirSync, rmSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { smallDisk } from "../testing/small-disk.ts";
import { noMemory } from "./memory.ts";
import { SupervisorFiles } from "./supervisor-files.ts";
import { wantedPipeline } from "./wanted.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-small-disk-"));
const mounted = smallDisk(folder, 4);
const disk = typeof mounted === "string" ? null : mounted;
const without = typeof mounted === "string" ? ` (skipped: ${mounted})` : "";

afterAll(() => {
  disk?.remove();
  rmdirSync(folder);
});

const pipeline = wantedPipeline("/p/a.yaml", "name: a\n");
const another = wantedPipeline("/p/b.yaml", "name: b\n");
const assigned = { name: "a", revision: "1", attempt: 1, file: "/p/a.yaml", text: "name: a\n" };
const fullDisk = expect.objectContaining({ code: "WEIR_DISK_FULL", exitCode: 74 });

describe.skipIf(disk === null)(`on a full disk${without}`, () => {
  beforeEach(() => {
    for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
  });

  function known(): SupervisorFiles {
    const files = new SupervisorFiles(join(folder, "s"));
    files.open();
    files.identity();
    files.keepWanted([pipeline]);
    files.keepMemory(noMemory);
    files.keepWaiting([]);
    files.assign("shared-1", [assigned]);
    return files;
  }

  test("one that knows what is wanted opens, and is still alone in its folder", () => {
    const before = known();
    const identity = before.identity();
    disk!.fill();
    const files = new SupervisorFiles(before.folder);
    files.open();
    expect(files.identity()).toBe(identity);
    expect(files.wanted()).toEqual({ pipelines: [pipeline], damaged: [] });
    expect(readdirSync(files.folder).filter((name) => name.endsWith(".new"))).toEqual([]);
  });

  test("one that knows nothing says what to do", () => {
    mkdirSync(join(folder, "s"));
    disk!.fill();
    expect(() => new SupervisorFiles(join(folder, "s")).open()).toThrow(fullDisk);
  });

  test.each<[string, (files: SupervisorFiles) => void]>([
    ["what is wanted", (files) => files.keepWanted([pipeline, another])],
    ["what is remembered", (files) => files.keepMemory(noMemory)],
    ["what waits", (files) => files.keepWaiting([{ user: "ada", file: "/p/a.yaml", text: "name: a\n" }])],
    ["what a worker is to run", (files) => files.assign("shared-1", [{ ...assigned, attempt: 2 }])],
  ])("%s stays as it was", (_, write) => {
    const files = known();
    const kept = (): unknown => [files.wanted(), files.memory(), files.waiting(), [...files.assignments()]];
    const before = kept();
    disk!.fill();
    expect(() => write(files)).toThrow(fullDisk);
    expect(kept()).toEqual(before);
    disk!.free();
    write(files);
  });
});
