// The demonstration as anybody runs it: two real servers, real feeds, real pipelines, in a process of its
// own; and nothing of it left behind, however it ends.

import { type ChildProcess, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import type { DemoReport } from "./demo-figures.ts";
import { type Started, WeirProcesses } from "./weir-process.fixture.ts";

/** Temporary files of the demonstrations go here, so that what they leave is seen. */
const folder = mkdtempSync(join(tmpdir(), "weir-demo-test-"));
const processes = new WeirProcesses(tmpdir(), { environment: { TMPDIR: folder } });
afterAll(() => {
  processes.kill();
  rmSync(folder, { recursive: true, force: true });
});

function start(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Started {
  return processes.start(["demo", ...args], environment);
}

/** The processes that belong to a demonstration: its feeds, and the guards of its servers. */
function childrenOf(pid: number): number[] {
  const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
  return stdout
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === pid)
    .map(([child]) => child!);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(wallClock, 50);
}

/** The process ids of all that a demonstration starts: the guards of two servers, and five feeds. */
async function startedBy(child: ChildProcess): Promise<readonly number[]> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the demonstration ended with ${child.exitCode}`);
    const children = childrenOf(child.pid!);
    if (children.length === 7) return children;
    await sleep(wallClock, 50);
  }
}

describe("weir demo", () => {
  it("condenses real input and reads every row back", async () => {
    const { code, stdout, stderr } = await start(["--for", "8s", "--json"]).ended;
    expect(stderr).toBe("");
    const report = JSON.parse(stdout) as DemoReport;
    expect(report.faults).toEqual([]);
    expect(report.ok).toBe(true);
    expect(code).toBe(0);
    expect(report.pipelines.map(({ name }) => name).sort()).toEqual([
      "climate",
      "dew-point",
      "gateway-health",
      "provoked-events",
    ]);
    for (const { in: records, branches } of report.pipelines) {
      expect(records).toBeGreaterThan(0);
      for (const branch of branches) {
        const ledger = Object.values(branch.ledger).reduce((total, count) => total + count, 0);
        expect(branch.in).toBe(branch.out + branch.held + ledger);
        expect(branch.read).toBe(branch.rows);
      }
    }
    const rows = report.pipelines.reduce((total, each) => total + each.rows, 0);
    const stored = Object.values(report.cloud.rows_by_stream).reduce((total, count) => total + count, 0);
    expect(stored).toBe(rows);
    // Each mote was played, the one over MQTT too, and what was confirmed to it was read by the pipelines.
    const motes = report.feeds.filter(({ name }) => name.startsWith("mote"));
    expect(motes).toHaveLength(4);
    for (const { confirmed, lost } of motes) {
      expect(confirmed).toBeGreaterThan(0);
      expect(lost).toBe(0);
    }
    const played = motes.reduce((total, { confirmed }) => total + confirmed, 0);
    const climate = report.pipelines.find(({ name }) => name === "climate")!;
    expect(climate.in).toBe(played);
    expect(climate.bytes_out).toBeLessThan(climate.bytes_in);
    expect(climate.p50_ms).toBeGreaterThanOrEqual(0);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("ends with every row exactly once while worker and servers are killed", {
    timeout: 150_000,
  }, async () => {
    const { code, stdout } = await start(["--chaos", "--for", "5s", "--json"]).ended;
    const report = JSON.parse(stdout) as DemoReport;
    expect(report.faults).toEqual([]);
    expect(code).toBe(0);
    const { worker = 0, edge = 0, cloud = 0 } = report.kills ?? {};
    expect(Math.min(worker, edge, cloud)).toBeGreaterThan(0);
    const climate = report.pipelines.find(({ name }) => name === "climate")!;
    expect(climate.in).toBeGreaterThan(0);
    expect(climate.read).toBe(climate.rows);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("says what happens, and ends well when it is interrupted", async () => {
    const { child, ended } = start(["--for", "60s"]);
    const children = await startedBy(child);
    await sleep(wallClock, 1_000);
    child.kill("SIGINT");
    const { code, stdout, stderr } = await ended;
    expect(stderr).toBe("");
    expect(code).toBe(0);
    const lines = stdout.split("\n");
    expect(lines[0]).toMatch(/nats-servers run here.*nats:\/\/127\.0\.0\.1:\d+.*mqtt:/);
    expect(lines[1]).toContain("weir feed");
    expect(lines[2]).toContain("climate");
    expect(stdout).toMatch(/\nok: [\d,]+ records became [\d,]+ rows/);
    expect(stdout).not.toContain("\x1b");
    expect(children.filter(isAlive)).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("leaves no process and no file behind when it is killed", async () => {
    const { child, ended } = start(["--for", "60s"]);
    const children = await startedBy(child);
    child.kill("SIGKILL");
    expect((await ended).signal).toBe("SIGKILL");
    await until(() => !children.some(isAlive));
    await until(() => readdirSync(folder).length === 0);
    expect(children.filter(isAlive)).toEqual([]);
  });

  it("tells how to get a nats-server where there is none", async () => {
    const absent = join(folder, "absent");
    expect(existsSync(absent)).toBe(false);
    const { code, stderr, stdout } = await start(["--json"], { WEIR_NATS_SERVER: absent }).ended;
    expect(code).toBe(2);
    expect(stderr).toContain(absent);
    expect(stdout).toBe("");
  });

  it("refuses a duration that is none", async () => {
    const { code, stderr } = await start(["--for", "soon"]).ended;
    expect(code).toBe(64);
    expect(stderr).toMatch(/--for: expected a duration, got soon\n.*20s/);
  });
});
