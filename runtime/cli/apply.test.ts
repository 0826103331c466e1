// weir plan, apply, rollback and drain against a real bucket: what they say and what is wanted then.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
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
  expect(changed.text).toMatch(
    /^~ climate [0-9a-f]{12} → [0-9a-f]{12}\n {4}it keeps no windows or keys\n= doors [0-9a-f]{12}\n$/,
  );
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

const counted = (name: string, filter: string, more = ""): string => `name: ${name}
source: { nats: { subject: "s.{device}" }, format: json, schema: { ts: time, x: float64 }, time: { field: ts } }
steps:
  - filter: ${filter}
  - window: { tumbling: 1m, by: device, select: { n: count() } }
  - sink: { nats: { to: default, subject: "rows.{device}"${more} }, format: json }
tests:
  - name: counts
    input: [{ device: a, ts: 0s, x: 1 }]
    expect: { main: [{ n: 1 }] }
`;

test("a failing test applies nothing, and a change says what becomes of the state", async () => {
  const file = join(folder, "counted", "counted.yaml");
  mkdirSync(join(folder, "counted"));
  const options = { ...target(), host: "counting" };
  writeFileSync(file, counted("counted", "x > 5"));
  const failing = await said(apply([file], options));
  expect([failing.code, failing.text]).toEqual([1, expect.stringContaining("failed")]);
  expect((await bucket.read("counting")).pipelines.size).toBe(0);
  writeFileSync(file, counted("counted", "x > 0"));
  await said(apply([file], options));
  writeFileSync(file, `# another text\n${counted("counted", "x > 0")}`);
  expect((await said(apply([file], options))).text).toContain("goes on with what it keeps: 2 window");
  writeFileSync(file, counted("counted", "x > -1"));
  expect((await said(plan([file], options))).text).toContain(
    "does not fit what it keeps: 2 window (changed: 1 filter); the host goes back to the revision before, unless --forget counted",
  );
  expect((await said(apply([file], { ...options, forget: ["counted"] }))).text).toContain(
    "begins anew without",
  );
  expect((await bucket.read("counting")).pipelines.get("counted")!.pipeline.forget).toBe(true);
});

test("for a fleet only what a former host can be kept from sending; what is placed is not applied by name", async () => {
  const file = join(folder, "counted", "placed.yaml");
  writeFileSync(file, counted("placed", "x > 0"));
  await expect(apply([file], { ...target(), fleet: true })).rejects.toMatchObject({
    code: "WEIR_CONFIG",
    remedy: expect.stringContaining("a stream of its own"),
  });
  writeFileSync(file, counted("placed", "x > 0", ", stream: ROWS"));
  await said(apply([file], { ...target(), fleet: true }));
  const wanted = (await bucket.read("fleet")).pipelines.get("placed")!.pipeline;
  await bucket.put("counting", { ...wanted, term: 1 }, null);
  await expect(apply([file], { ...target(), host: "counting" })).rejects.toMatchObject({
    code: "WEIR_USAGE",
  });
  const pruned = await said(
    apply([join(folder, "counted", "counted.yaml")], { ...target(), host: "counting", prune: true }),
  );
  expect(pruned.text).not.toContain("placed");
  expect((await bucket.read("counting")).pipelines.has("placed")).toBe(true);
  await expect(plan([file], { ...target(), host: "fleet" })).rejects.toMatchObject({ code: "WEIR_USAGE" });
});
