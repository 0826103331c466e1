// weir started by an older Node than it is pinned to, where this machine has one: it is passed on what that is told, so that
// SIGTERM drains the worker and leaves nobody behind.

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

const program = join(import.meta.dirname, "weir.mjs");

/** A Node of the system's that is older; null where there is none. */
const older =
  ["/usr/bin/node", "/usr/local/bin/node"].find((path) => {
    const { stdout, status } = spawnSync(path, ["--version"], { encoding: "utf8" });
    return status === 0 && Number(/^v(\d+)/.exec(stdout)?.[1]) < 24;
  }) ?? null;

test.skipIf(older === null)(
  `SIGTERM reaches the worker${older === null ? " (skipped: no Node below 24 in /usr/bin)" : ""}`,
  { timeout: 60_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "weir-older-"));
    const file = join(folder, "drained.yaml");
    const steps = "steps:\n  - sink: { nothing: {}, format: json }\n";
    writeFileSync(file, `name: drained\nsource: { host: { every: 1s } }\n${steps}`);
    const child = spawn(older!, [program, "run", file], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    await new Promise<void>((resolve) => {
      child.stderr.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes("running: drained")) resolve();
      });
    });
    child.kill("SIGTERM");
    expect(await new Promise((resolve) => child.once("close", resolve))).toBe(0);
    expect(said).toContain("SIGTERM: draining");
    rmSync(folder, { recursive: true });
  },
);
