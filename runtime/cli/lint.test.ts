// weir lint on pipelines beside a device's settings, as a process.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { WeirProcesses } from "./weir-process.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-lint-test-"));
const weir = (...args: readonly string[]) => new WeirProcesses(folder).weir(...args);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a connection that weir.yaml does not name, but nearly, is told by folder and by file", async () => {
  mkdirSync(join(folder, "site"));
  writeFileSync(join(folder, "site", "weir.yaml"), "nats: { cloud: nats://127.0.0.1:4222 }\n");
  const sink = "sink: { nats: { subject: b, to: clod } }";
  const text = `name: p\nsource: { nats: { subject: a } }\nsteps: [{ ${sink} }]\n`;
  writeFileSync(join(folder, "site", "p.yaml"), text);
  for (const name of ["site", join("site", "p.yaml")]) {
    const { code, stderr } = await weir("lint", name);
    expect([name, code]).toEqual([name, 0]);
    expect(stderr).toContain("3:43: warning: the device's weir.yaml names no connection clod\n");
    expect(stderr).toContain("did you mean cloud?");
  }
});

test("settings beside a pipeline that cannot be read keep nobody from checking it", async () => {
  mkdirSync(join(folder, "closed", "weir.yaml"), { recursive: true });
  const text = "name: p\nsource: { nats: { subject: a } }\nsteps: [{ sink: { stdout: {} } }]\n";
  writeFileSync(join(folder, "closed", "p.yaml"), text);
  const { code, stderr } = await weir("lint", join("closed", "p.yaml"));
  expect([code, stderr]).toEqual([0, ""]);
});
