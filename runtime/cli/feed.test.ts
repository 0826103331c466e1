// Mistakes in what is fed, told, where that can be, before anything waits for a server. What is sent is tried with the other commands.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { startNatsServer } from "../connect/nats-server.ts";
import { WeirProcesses } from "./weir-process.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-feed-command-test-"));
const processes = new WeirProcesses(folder);
afterAll(() => {
  processes.kill();
  rmSync(folder, { recursive: true, force: true });
});

describe.concurrent("weir feed", () => {
  it.each(["a", "a.{b}"])("says that the file is not there: --to %s", async (to) => {
    const ended = await processes.weir("feed", "absent.csv", "--to", to, "--url", "nats://127.0.0.1:1");
    expect(ended.code).toBe(66);
    expect(ended.stderr).toContain("cannot read absent.csv");
    expect(ended.stderr).not.toContain("waiting for");
  });

  it.each([
    ["a b", "a subject holds no spaces"],
    ["s.*", "wildcard"],
    ["s..{device}", "an empty token"],
    ["s.{device", "a brace has no other"],
    ["sensors/+/temp", "is an MQTT topic"],
  ])("says that nothing can be sent to %s", async (to, about) => {
    const ended = await processes.weir("feed", "host", "--to", to, "--url", "nats://127.0.0.1:1");
    expect(ended.code).toBe(64);
    expect(ended.stderr).toContain(`--to ${to}: `);
    expect(ended.stderr).toContain(about);
  });

  it("says that a file has no records", async () => {
    const server = await startNatsServer({ name: "weir-feed-records" }, process.env);
    writeFileSync(join(folder, "plain.txt"), "one\ntwo\n");
    const ended = await processes.weir("feed", "plain.txt", "--to", "a", "--url", server.url);
    await server.stop();
    expect(ended.code).toBe(66);
    expect(ended.stdout).toContain("2 bad");
    expect(ended.stderr).toContain("plain.txt has no record that can be read");
  });
});
