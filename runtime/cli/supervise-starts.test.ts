// How weir supervise starts and how it starts its workers: what it was told of their limits reaches them, and a disk without
// room is no end. Real processes; no server is needed.

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { smallDisk } from "../testing/small-disk.ts";
import { ended, runs, Site } from "./site.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-starts-"));
const sites: Site[] = [];
const disk = join(folder, "disk");
mkdirSync(disk);
const mounted = smallDisk(disk, 64);
const small = typeof mounted === "string" ? null : mounted;
const without = typeof mounted === "string" ? ` (skipped: ${mounted})` : "";

afterAll(() => {
  for (const site of sites) site.kill();
  small?.remove();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

function siteOf(name: string): Site {
  const site = new Site(folder, name);
  sites.push(site);
  return site;
}

const counting = (name: string, more = ""): string => `name: ${name}
${more}source: { host: { every: 100ms } }
steps:
  - sink: { nothing: {}, format: json }
`;

interface Order {
  readonly revision: string;
  /** Control groups; none where this user may make none. */
  readonly groups: readonly string[];
}

function orderOf({ state }: Site, worker: string): Order {
  return JSON.parse(
    readFileSync(join(state, "supervisor", "processes", worker, "order.json"), "utf8"),
  ) as Order;
}

test.each([
  ["--memory", String(256 * 1024 ** 2), "at most 1048576"],
  ["--memory", "0", "a number above 0"],
  ["--processors", "2000", "at most 1024"],
  ["--pids", "1.5", "a whole number"],
])("%s %s is refused: expected %s", async (option, value, expected) => {
  const site = siteOf("refused");
  const { code, stderr } = await site.weir("supervise", "p", "--state", site.state, option, value);
  expect([code, stderr]).toEqual([64, expect.stringContaining(`is invalid. expected ${expected}`)]);
});

test("workers get the limits that they were given, one with a pipeline of its own what that asks for", async () => {
  const site = siteOf("limits");
  site.write("one", counting("one"));
  site.write("own", counting("own", "placement: { isolation: worker, processors: 0.8, memory: 300MiB }\n"));
  const supervisor = site.supervise(
    site.pipelines,
    "--memory",
    "256",
    "--processors",
    "0.5",
    "--pids",
    "200",
  );
  await site.until((status) => runs("one")(status) && runs("own")(status));
  const [shared, own] = [orderOf(site, "shared-1"), orderOf(site, "own-own")];
  expect(shared.revision).toMatch(/^[0-9a-f]{12}-m268435456-c0.5-p200$/);
  expect(own.revision).toMatch(/^[0-9a-f]{12}-m415236096-c0.8-p200$/);
  for (const group of shared.groups.filter((each) => each.includes("/pids/")))
    expect(readFileSync(join(group, "pids.max"), "latin1")).toBe("200\n");
  await site.drain(supervisor);
});

test("where its run folder is open to others it says so, and has opened and started nothing", async () => {
  const site = siteOf("open");
  const run = join(site.folder, "r");
  mkdirSync(run);
  chmodSync(run, 0o755);
  const admin = ["--admin", "127.0.0.1:0"];
  const refused = await site.weir("supervise", site.pipelines, "--state", site.state, ...admin);
  expect([refused.code, refused.stderr]).toEqual([66, expect.stringContaining("r is open to others")]);
  expect(refused.stderr).not.toContain("answers http://");
  expect(existsSync(site.state)).toBe(false);
});

test("where it cannot answer on its address, or has no connection to follow, it has started nothing", async () => {
  const site = siteOf("taken");
  site.write("one", counting("one"));
  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  const { port } = holder.address() as AddressInfo;
  const started = (): readonly string[] => globSync(join(site.state, "supervisor", "processes", "*"));
  const supervised = ["supervise", site.pipelines, "--state", site.state];
  const taken = await site.weir(...supervised, "--admin", `127.0.0.1:${port}`);
  holder.close();
  expect([taken.code, taken.stderr]).toEqual([64, expect.stringContaining(`127.0.0.1:${port}`)]);
  expect(started()).toEqual([]);
  const wrong = await site.weir(...supervised, "--admin", "99999");
  expect([wrong.code, wrong.stderr]).toEqual([64, expect.stringContaining("99999 is no address")]);
  expect(started()).toEqual([]);
  const unknown = await site.weir("supervise", "--desired", "nowhere", "--state", site.state);
  expect([unknown.code, unknown.stderr]).toEqual([78, expect.stringContaining("(known: default)")]);
  expect(started()).toEqual([]);
});

test.skipIf(small === null)(`a full disk ends nothing that is known${without}`, async () => {
  const site = siteOf("full");
  site.write("kept", counting("kept"));
  const onDisk = ["--state", join(disk, "s")];
  small!.fill();
  const refused = await site.weir("supervise", site.pipelines, ...onDisk);
  expect([refused.code, refused.stderr]).toEqual([74, expect.stringContaining("free space on the disk")]);
  expect(refused.stderr).not.toContain("fault of weir's");
  small!.free();
  const first = site.supervise(site.pipelines, ...onDisk);
  const before = await site.until(runs("kept"));
  first.kill("SIGTERM");
  await ended(first);
  small!.fill();
  const second = site.supervise(...onDisk);
  const after = await site.until(({ pipelines }) => pipelines.some(({ beat }) => beat !== null));
  expect(after.workers.map(({ process: number }) => number)).toEqual(
    before.workers.map(({ process: number }) => number),
  );
  const worker = after.workers[0]!.process!;
  process.kill(worker, "SIGKILL");
  await site.until(({ happenings }) => happenings.some(({ what }) => what === "failed"));
  // What it had kept for its last commit is free again.
  small!.fill();
  small!.free();
  await site.until(
    (status) => runs("kept")(status) && ![null, worker].includes(status.workers[0]?.process ?? null),
  );
  await site.drain(second);
});

test("workers are left alone by another supervisor, and started anew where their environment is another", async () => {
  const site = siteOf("environment");
  site.write("told", counting("told"));
  /** The process of the one worker, after which the supervisor is ended. */
  const processUnder = async (supervisor: ChildProcess): Promise<number | null | undefined> => {
    const { workers } = await site.until((status) => runs("told")(status) && status.workers.length === 1);
    supervisor.kill("SIGTERM");
    await ended(supervisor);
    return workers[0]?.process;
  };
  const first = await processUnder(site.supervise(site.pipelines));
  vi.stubEnv("SHLVL", "7");
  expect(await processUnder(site.supervise(site.pipelines))).toBe(first);
  vi.stubEnv("WEIR_TOLD", "another");
  const last = site.supervise(site.pipelines);
  const again = await site.until(
    (status) => runs("told")(status) && status.workers.some(({ process: number }) => number !== first),
  );
  vi.unstubAllEnvs();
  expect(again.workers).toHaveLength(1);
  await site.drain(last);
});

test("a folder that is not there is refused where nothing is known, and what is known runs without it", async () => {
  const site = siteOf("missing");
  for (const folder of ["missing", "note.txt"]) {
    writeFileSync(join(site.folder, "note.txt"), "");
    const refused = await site.weir("supervise", folder, "--state", site.state);
    expect([refused.code, refused.stderr]).toEqual([
      66,
      expect.stringContaining(`there is no folder ${folder}`),
    ]);
  }
  site.write("kept", counting("kept"));
  const first = site.supervise(site.pipelines);
  await site.until(runs("kept"));
  first.kill("SIGTERM");
  await ended(first);
  rmSync(site.pipelines, { recursive: true });
  const second = site.supervise(site.pipelines);
  await site.until(runs("kept"));
  await site.drain(second);
});

test("a file that the settings name elsewhere than beside them is told, where workers have a system of their own", async () => {
  const site = siteOf("elsewhere");
  const authority = join(folder, "ca.pem");
  writeFileSync(authority, "none");
  const config = join(site.folder, "weir.yaml");
  writeFileSync(config, `nats:\n  default: { url: tls://127.0.0.1:1, tls: { ca: ${authority} } }\n`);
  const machine = ["--driver", "vm", "--machine", folder, "--qemu", join(folder, "none")];
  const started = ["--state", site.state, "--config", config, "--log", "text", ...machine];
  const { stderr, code } = await site.weir("supervise", ...started);
  expect(code).not.toBe(0);
  expect(stderr).toContain(`${config} names ${authority}: workers have there what their own system has`);
});
