// The demonstration in containers as anybody runs it, with a real engine; nothing of it left behind, however it ends. And what
// it says where there is no engine.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { podmanMissing } from "../supervisor/drivers/podman-service.ts";
import type { DemoReport } from "./demo-figures.ts";
import { type Started, WeirProcesses } from "./weir-process.fixture.ts";

/** All that a demonstration makes is in it, its engine included. */
const folder = mkdtempSync(join(tmpdir(), "weir-dc-"));
const running = new WeirProcesses(tmpdir(), { environment: { TMPDIR: folder }, sources: true });
afterAll(async () => {
  running.kill();
  await untilNothingIsLeft();
  rmSync(folder, { recursive: true, force: true });
});

function start(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Started {
  return running.start(["demo", "--containers", ...args], environment);
}

/** Commands with this test's folder in them: those of the engine, monitors of containers, supervisor, servers. */
function processes(): readonly string[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, "utf8");
      return command.includes(folder) ? [command] : [];
    } catch {
      return [];
    }
  });
}

/** What a demonstration that was killed has left is taken away by another process, and cannot be removed before. */
async function untilNothingIsLeft(): Promise<void> {
  while (processes().length > 0 || readdirSync(folder).length > 0) await sleep(wallClock, 50);
}

const missing = podmanMissing(process.env);

describe.skipIf(missing !== null)(
  `weir demo --containers${missing === null ? "" : ` (skipped: ${missing})`}`,
  () => {
    it("runs the pipelines in containers, reads every row back, and leaves nothing", {
      timeout: 300_000,
    }, async () => {
      const { code, stdout, stderr } = await start(["--for", "4s", "--json"]).ended;
      const report = JSON.parse(stdout === "" ? "{}" : stdout) as DemoReport;
      expect({ stderr, faults: report.faults, code }).toEqual({ stderr: "", faults: [], code: 0 });
      expect(report.containers).toEqual([
        { name: "shared-1", id: expect.stringMatching(/^[0-9a-f]{64}$/), memory_bytes: expect.any(Number) },
      ]);
      expect(report.pipelines.map(({ name }) => name)).toEqual([
        "climate",
        "dew-point",
        "gateway-health",
        "provoked-events",
      ]);
      for (const { in: records, rows, read } of report.pipelines) {
        expect(records).toBeGreaterThan(0);
        expect(read).toBe(rows);
      }
      expect(processes()).toEqual([]);
      expect(readdirSync(folder)).toEqual([]);
    });

    it("leaves nothing when it is killed while its containers run", { timeout: 300_000 }, async () => {
      const { child, ended } = start(["--for", "60s"]);
      // Once seen is enough: a monitor that begins leaves its work to a child, and a second look may find neither.
      let isContained = false;
      while (child.exitCode === null && !isContained) {
        await sleep(wallClock, 50);
        isContained = processes().some((command) => command.includes("conmon"));
      }
      child.kill("SIGKILL");
      expect({ isContained, stderr: (await ended).stderr }).toEqual({
        isContained: true,
        stderr: expect.any(String),
      });
      await untilNothingIsLeft();
    });
  },
);

it("says how to get an engine where there is none, and ends with 1", { timeout: 60_000 }, async () => {
  const { code, stdout, stderr } = await start(["--json"], { PATH: "/nowhere" }).ended;
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toContain("no container engine");
  expect(stderr).toMatch(/apt-get install podman.*WEIR_SETUP_CONTAINERS=1/);
});
