// weir plan, apply, rollback and drain against a real bucket: what they say and what is wanted then.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { silentLog } from "../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { type RunningNatsServer, startNatsServer } from "../connect/nats-server.ts";
import { DesiredBucket } from "../supervisor/desired-bucket.ts";
import { apply, drain, plan, rollback } from "./apply.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-apply-test-"));
let server: RunningNatsServer;
let link: NatsLink;
let bucket: DesiredBucket;

beforeAll(async () => {
  server = await startNatsServer({ name: "weir-apply-test" }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, silentLog);
  bucket = await DesiredBucket.open(link);
});

afterAll(async () => {
  await link?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function write(name: string, subject: string): void {
  writeFileSync(
    join(folder, `${name}.yaml`),
    `name: ${name}\nsource: { nats: { subject: ${subject} }, format: json }\nsteps:\n  - sink: { stdout: {}, format: json }\n`,
  );
}

const target = (): { nats: string[]; config: string; host: string; to: string } => ({
  nats: [server.url],
  config: "weir.yaml",
  host: "gateway",
  to: "default",
});

/** What a command prints, and its exit code. */
async function said(command: Promise<number>): Promise<{ readonly code: number; readonly text: string }> {
  let text = "";
  const out = vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  const error = vi.spyOn(process.stderr, "write").mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  try {
    return { code: await command, text };
  } finally {
    out.mockRestore();
    error.mockRestore();
  }
}

test("planned, applied, changed, rolled back, pruned, drained", async () => {
  write("climate", "a.one");
  write("doors", "d.one");
  expect((await said(plan([folder], target()))).text).toMatch(
    /^\+ climate [0-9a-f]{12}\n\+ doors [0-9a-f]{12}\n$/,
  );
  expect((await bucket.read("gateway")).pipelines.size).toBe(0);
  await said(apply([folder], target()));
  const first = await bucket.read("gateway");
  expect([...first.pipelines.keys()].sort()).toEqual(["climate", "doors"]);
  expect(first.state).toEqual({ drain: false });
  write("climate", "a.two");
  const changed = await said(apply([join(folder, "climate.yaml")], target()));
  expect(changed.text).toMatch(/^~ climate [0-9a-f]{12} → [0-9a-f]{12}\n= doors [0-9a-f]{12}\n$/);
  await said(rollback("climate", target()));
  const back = (await bucket.read("gateway")).pipelines.get("climate")!.pipeline;
  expect(back).toEqual(first.pipelines.get("climate")!.pipeline);
  await expect(rollback("nobody", target())).rejects.toMatchObject({ code: "WEIR_USAGE" });
  await said(apply([join(folder, "climate.yaml")], { ...target(), prune: true }));
  expect([...(await bucket.read("gateway")).pipelines.keys()]).toEqual(["climate"]);
  await said(drain(target()));
  expect((await bucket.read("gateway")).state).toEqual({ drain: true });
  await said(drain({ ...target(), undo: true }));
  expect((await bucket.read("gateway")).state).toEqual({ drain: false });
});

test("what lint refuses is not applied, not even in part", async () => {
  write("fine", "f.one");
  writeFileSync(join(folder, "wrong.yaml"), "name: wrong\nsteps: []\n");
  const { code, text } = await said(apply([folder], { ...target(), host: "other" }));
  expect(code).toBe(78);
  expect(text).toContain("wrong.yaml");
  expect((await bucket.read("other")).pipelines.size).toBe(0);
});
