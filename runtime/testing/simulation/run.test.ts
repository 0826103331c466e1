// The command: what it says to a program, that one schedule is the same each time, and that mistakes in its arguments are told.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { failureText, loadWorkloads, runEveryCrash, smallSchedule } from "./batch.ts";
import { runSchedule } from "./schedule.ts";

const script = join(import.meta.dirname, "run.ts");

function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
}

test("ends with one object, and with 0 when nothing was lost", { timeout: 120_000 }, () => {
  const { status, stdout } = run("--seeds", "3", "--threads", "1", "--json");
  const report = JSON.parse(stdout) as Record<string, unknown>;
  expect(report).toMatchObject({ lost: 0, duplicated: 0, out_of_order: 0, wrong: 0 });
  const names = ["runs", "crashes", "records", "lost", "duplicated", "out_of_order", "wrong", "skipped"];
  expect(Object.keys(report)).toEqual(names);
  expect(Number(report["runs"])).toBeGreaterThan(3);
  expect(status).toBe(0);
});

test("a seed is the same schedule each time, line by line", { timeout: 120_000 }, () => {
  const one = run("--seed", "7", "--trace");
  expect(one.stdout.split("\n").length).toBeGreaterThan(100);
  expect(run("--seed", "7", "--trace")).toEqual(one);
});

test("of a small schedule that fails as a whole, the command is that of the same one", {
  timeout: 60_000,
}, async () => {
  const seed = 4;
  const workloads = (await loadWorkloads()).filter(({ name }) => name === "filter");
  // What is forwarded is held for condensed, so that the schedule fails. Of the crashes none is tried.
  const strange = workloads.map((each) => ({
    ...each,
    sinks: each.sinks.map((sink) => ({ ...sink, kind: "condensed" as const })),
  }));
  const { failures, runs } = await runEveryCrash(strange[0]!, seed, 1_000_000);
  expect(runs).toBe(1);
  const again = failureText(failures[0]!).split("npm run sim -- ")[1]!;
  expect(again).toBe("--seed 4 --workload filter --small --trace");
  const { hash } = await runSchedule({ seed, workloads, ...smallSchedule });
  expect(run(...again.split(" ")).stdout).toContain(`trace ${hash}: good`);
  const crashed = failureText({ ...failures[0]!, crashAt: 9 });
  expect(crashed).toContain("--seed 4 --workload filter --crash-at 9 --trace");
});

test("what cannot be run is said, with how to ask", { timeout: 60_000 }, () => {
  const { status, stderr } = run("--seeds", "many");
  expect(status).toBe(64);
  expect(stderr).toContain("--seeds: expected a whole number");
  expect(stderr).toContain("npm run sim --");
  expect(run("--seed", "1", "--workload", "none").stderr).toContain("there are filter, window");
});
