// weir devices against real buckets: how devices stand, whatever this machine's clock says, and why pipelines wait for one.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { silentLog } from "../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { type RunningNatsServer, startNatsServer } from "../connect/nats-server.ts";
import { DesiredBucket } from "../supervisor/desired-bucket.ts";
import { plainDevice } from "../supervisor/device.fixture.ts";
import { DeviceBucket } from "../supervisor/device-bucket.ts";
import { wantedPipeline } from "../supervisor/wanted.ts";
import { apply } from "./apply.ts";
import { devices } from "./devices.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-devices-test-"));
let server: RunningNatsServer;
let link: NatsLink;

beforeAll(async () => {
  server = await startNatsServer({ name: "weir-devices-test" }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, silentLog);
});

afterAll(async () => {
  await link?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const capacity = { cpu: 2, memory: 2 ** 30, workers: 4 };

const options = () => ({ nats: [server.url], config: "weir.yaml", to: "default" });

/** What a command that succeeds prints. */
async function said(command: () => Promise<number>): Promise<string> {
  let text = "";
  const printed = vi.fn((chunk: string | Uint8Array) => (text += String(chunk)) !== "");
  const streams = [process.stdout, process.stderr].map((each) =>
    vi.spyOn(each, "write").mockImplementation(printed),
  );
  try {
    expect(await command()).toBe(0);
    return text;
  } finally {
    for (const each of streams) each.mockRestore();
  }
}

function write(name: string, placement: string): string {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(
    file,
    `name: ${name}\nplacement: ${placement}\nsource: { nats: { subject: a.> }, format: json }\nsteps:\n  - sink: { stdout: {}, format: json }\n`,
  );
  return file;
}

const inFleet = (...files: string[]): Promise<string> =>
  said(() => apply(files, { ...options(), fleet: true }));
const listed = (): Promise<string> => said(() => devices(options()));

test("what finds no device says so when it is applied, and among the devices", async () => {
  const anywhere = write("anywhere", "{}");
  expect(await inFleet(anywhere)).toContain(
    "warning: anywhere waits for a device: no host has ever been there\n",
  );
  const registry = await DeviceBucket.open(link);
  for (const id of ["gateway", "hall"]) await registry.tell({ ...plainDevice, id, capacity });
  expect(await inFleet(write("south", "{ labels: { site: south } }"))).toMatch(
    /^= anywhere \w+\n\+ south \w+\nwarning: south waits for a device: no host has the labels site=south\n$/,
  );
  const desired = await DesiredBucket.open(link);
  await desired.own("anywhere", { host: "gateway", term: 1, before: null, reason: "" }, null);
  await desired.put("gateway", wantedPipeline("/a.yaml", "name: anywhere\n"), null);
  await desired.setState("hall", { drain: true });
  const text = await listed();
  expect(text).toMatch(/^gateway +connected /m);
  expect(text).toMatch(/^hall +drained /m);
  expect(text).toContain("\nsouth waits for a device: no host has the labels site=south\n");
  expect(text).toContain(
    "\nanywhere waits for a device: gateway is to run a pipeline of that name already\n",
  );
  // One that fits is no matter for a warning.
  expect(await inFleet(write("late", "{}"))).not.toContain("late waits");
  expect(await listed()).toContain(
    "late waits for a device: weir control, if one runs, gives it to gateway\n",
  );
});

test("how long a device is silent does not depend on this machine's clock", async () => {
  await (await DeviceBucket.open(link)).tell({ ...plainDevice, id: "clocked" });
  const now = vi.spyOn(Date, "now").mockReturnValue(Date.now() + 3_600_000);
  try {
    expect(await listed()).toMatch(/^clocked +connected /m);
  } finally {
    now.mockRestore();
  }
});
