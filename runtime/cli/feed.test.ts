// Mistakes in what is fed, told before anything waits for a server. What is sent is tried with the other commands.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { WeirProcesses } from "./weir-process.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-feed-command-test-"));
const processes = new WeirProcesses(folder);
afterAll(() => {
  processes.kill();
  rmSync(folder, { recursive: true, force: true });
});

describe.concurrent("weir feed without a server", () => {
  it.each(["a", "a.{b}"])("says that the file is not there: --to %s", async (to) => {
    const ended = await processes.weir("feed", "absent.csv", "--to", to, "--url", "nats://127.0.0.1:1");
    expect(ended.code).toBe(66);
    expect(ended.stderr).toContain("cannot read absent.csv");
    expect(ended.stderr).not.toContain("waiting for");
  });
});
