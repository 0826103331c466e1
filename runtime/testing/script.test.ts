// How the scripts answer whoever does not know how to ask: with how, and a code that says whose mistake it was.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const scripts = [
  ["sim", "simulation/run.ts"],
  ["faults", "faults/run.ts"],
  ["fuzz", "fuzz/run.ts"],
  ["oracle", "oracle-run.ts"],
] as const;

function run(file: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const path = join(import.meta.dirname, file);
  const { status, stdout, stderr } = spawnSync(process.execPath, [path, ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
}

test.each(scripts)("%s --help says how, and ends with 0", { timeout: 60_000 }, (name, file) => {
  const { status, stdout, stderr } = run(file, "--help");
  expect(stderr).toBe("");
  expect(stdout).toContain(`npm run ${name} -- `);
  expect(status).toBe(0);
});

test.each(scripts)(
  "%s with an argument that there is not ends with 64",
  { timeout: 60_000 },
  (name, file) => {
    const { status, stdout, stderr } = run(file, "--bogus");
    expect(stdout).toBe("");
    expect(stderr).toContain("--bogus");
    expect(stderr).toContain(`npm run ${name} -- `);
    expect(status).toBe(64);
  },
);

test("what faults measures runs alone, and says so", { timeout: 60_000 }, () => {
  const { status, stderr } = run("faults/run.ts", "--only", "recovery,F1");
  expect(stderr).toContain("--only: recovery runs alone");
  expect(stderr).toContain("alone: recovery, overload");
  expect(status).toBe(64);
});
