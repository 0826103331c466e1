// What lies on the disk for a worker to run: read from folders and assignments, told when it changes.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { assignmentText, revisionOf } from "../assignment.ts";
import { VirtualClock } from "../clock.ts";
import { limits } from "../limits.ts";
import { readAssigned, watchAssigned } from "./assigned-pipelines.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-assigned-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function folderWith(name: string, files: Readonly<Record<string, string>>): string {
  const path = join(folder, name);
  mkdirSync(path);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
  return path;
}

test("a folder's pipelines are called as they call themselves, else as their files", () => {
  const path = folderWith("mixed", {
    "z.yaml": "name: first\n",
    "b.yml": "steps: [\n",
    "weir.yaml": "threads: 1\n",
    "notes.txt": "",
  });
  expect(readAssigned(path)).toEqual([
    {
      name: "b",
      revision: revisionOf("steps: [\n"),
      attempt: 1,
      file: join(path, "b.yml"),
      text: "steps: [\n",
    },
    {
      name: "first",
      revision: revisionOf("name: first\n"),
      attempt: 1,
      file: join(path, "z.yaml"),
      text: "name: first\n",
    },
  ]);
});

test("one name in two files, and nothing at all, are refused", () => {
  const path = folderWith("twice", { "a.yaml": "name: x\n", "b.yaml": "name: x\n" });
  expect(() => readAssigned(path)).toThrow(`two files in ${path} call their pipeline x`);
  expect(() => readAssigned(join(folder, "nothing"))).toThrow("there is no");
});

test("a pipe among the files is refused, and not waited for", () => {
  const path = folderWith("pipe", { "a.yaml": "name: x\n" });
  execFileSync("mkfifo", [join(path, "b.yaml")]);
  expect(() => readAssigned(path)).toThrow(`${join(path, "b.yaml")} is not a regular file`);
});

test("a change is told once, what cannot be read changes nothing", () => {
  const path = join(folder, "assignment.json");
  const pipeline = { name: "a", revision: "1", attempt: 1, file: "/a.yaml", text: "" };
  writeFileSync(path, assignmentText({ pipelines: [pipeline] }));
  const clock = new VirtualClock();
  const told: string[] = [];
  const complaints: string[] = [];
  const log = {
    info: () => undefined,
    warn: () => undefined,
    error: (text: string) => void complaints.push(text),
  };
  const end = watchAssigned(
    path,
    (pipelines) => void told.push(pipelines.map(({ attempt }) => attempt).join()),
    { clock, log },
  );
  const look = (): void => clock.advanceTo(clock.now() + 2 * limits.assignment_look_ms);
  look();
  writeFileSync(path, "{");
  look();
  look();
  writeFileSync(path, assignmentText({ pipelines: [{ ...pipeline, attempt: 2 }] }));
  look();
  expect(told).toEqual(["1", "2"]);
  expect(complaints).toHaveLength(1);
  end();
  writeFileSync(path, assignmentText({ pipelines: [] }));
  look();
  expect(told).toHaveLength(2);
});
