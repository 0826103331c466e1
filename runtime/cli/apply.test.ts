// weir plan, apply, rollback and drain against a real bucket: what they say and what is wanted then.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { wallClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { type RunningNatsServer, startNatsServer } from "../connect/nats-server.ts";
import { openService } from "../connect/service.ts";
import { DesiredBucket } from "../supervisor/desired-bucket.ts";
import { plainDevice } from "../supervisor/device.fixture.ts";
import { DeviceBucket } from "../supervisor/device-bucket.ts";
import type { WantedPipeline } from "../supervisor/wanted.ts";
import { apply, drain, plan, rollback } from "./apply.ts";
import { WeirProcesses } from "./weir-process.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-apply-test-"));
let server: RunningNatsServer;
let link: NatsLink;
let bucket: DesiredBucket;

beforeAll(async () => {
  server = await startNatsServer({ name: "weir-apply-test" }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, silentLog);
  bucket = await DesiredBucket.open(link);
  const devices = await DeviceBucket.open(link);
  for (const id of ["gateway", "boiler-room"]) await devices.tell({ ...plainDevice, id });
});

afterAll(async () => {
  await link?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function write(name: string, subject: string, more = ""): void {
  writeFileSync(
    join(folder, `${name}.yaml`),
    `name: ${basename(name)}\n${more}source: { nats: { subject: ${subject} }, format: json }\nsteps:\n  - sink: { stdout: {}, format: json }\n`,
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

test("without --host it is the one that the device's settings name", async () => {
  mkdirSync(join(folder, "own"));
  write("own/own", "a.>");
  const config = join(folder, "own", "weir.yaml");
  writeFileSync(config, "host: boiler-room\n");
  const { host: _, ...options } = { ...target(), config };
  await said(apply([join(folder, "own", "own.yaml")], options));
  expect([...(await bucket.read("boiler-room")).pipelines.keys()]).toEqual(["own"]);
  await said(apply([join(folder, "own", "own.yaml")], { ...options, host: "gateway" }));
  expect((await bucket.read("gateway")).pipelines.has("own")).toBe(true);
  await bucket.remove("gateway", (await bucket.read("gateway")).pipelines.get("own")!);
});

test("a host that was never there is told of, with those that were, and may come later", async () => {
  mkdirSync(join(folder, "strange"));
  write("strange/early", "e.one");
  const options = { ...target(), host: "gatewy" };
  const applied = await said(apply([join(folder, "strange")], options));
  expect([applied.code, applied.text]).toEqual([
    0,
    expect.stringMatching(
      /^warning: no device gatewy has ever been there; it is told when it comes \(did you mean gateway\? there are: boiler-room, gateway\)\n\+ early/,
    ),
  ]);
  expect((await said(drain(options))).text).toMatch(
    /^warning: no device gatewy .*\ngatewy drains: weir drain --undo --host gatewy lets it run again$/m,
  );
  expect((await said(drain({ ...target(), undo: true }))).text).toBe("gateway runs again what is wanted\n");
});

test("a name that no pipeline has is refused with those there are", async () => {
  mkdirSync(join(folder, "named"), { recursive: true });
  write("named/boiler", "b.one");
  const files = [join(folder, "named")];
  for (const command of [plan, apply])
    await expect(command(files, { ...target(), host: "named", forget: ["boler"] })).rejects.toMatchObject({
      code: "WEIR_USAGE",
      remedy: "did you mean boiler? there are: boiler",
    });
  expect((await bucket.read("named")).pipelines.size).toBe(0);
  await said(apply(files, { ...target(), host: "named" }));
  await expect(rollback("boler", { ...target(), host: "named" })).rejects.toMatchObject({
    message: "no pipeline boler was ever wanted of named",
    remedy: "did you mean boiler? there are: boiler",
  });
  await expect(rollback("boiler", { ...target(), host: "named" })).rejects.toMatchObject({
    message: "named knows no earlier revision of boiler",
  });
});

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
  write("climate", "a.two", "placement: { threads: 2 }\n");
  const changed = await said(apply([join(folder, "climate.yaml")], target()));
  expect(changed.text).toMatch(
    /^~ climate [0-9a-f]{12} → [0-9a-f]{12}\n {4}it keeps no windows or keys\n {4}threads as many as its worker gives → 2: its worker goes over to them between two commits, and goes on\n= doors [0-9a-f]{12}\n$/,
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
  // The last one goes by a folder in which none is left.
  mkdirSync(join(folder, "none"));
  await expect(apply([join(folder, "none")], target())).rejects.toMatchObject({ code: "WEIR_FILE" });
  expect((await said(apply([join(folder, "none")], { ...target(), prune: true }))).text).toMatch(
    /^- climate /,
  );
  expect((await bucket.read("gateway")).pipelines.size).toBe(0);
});

test("each rollback goes one revision further back, until none is known", async () => {
  const options = { ...target(), host: "backwards" };
  mkdirSync(join(folder, "steady"));
  const revisions: string[] = [];
  const present = async (): Promise<string> =>
    (await bucket.read("backwards")).pipelines.get("steady")!.pipeline.revision;
  for (const subject of ["s.one", "s.two", "s.three"]) {
    write("steady/steady", subject);
    await said(apply([join(folder, "steady")], options));
    revisions.push(await present());
  }
  for (const earlier of [revisions[1], revisions[0]]) {
    await said(rollback("steady", options));
    expect(await present()).toBe(earlier);
  }
  await expect(rollback("steady", options)).rejects.toMatchObject({ code: "WEIR_USAGE" });
});

test("files are named as kubectl has it as well, as often as one likes", async () => {
  const processes = new WeirProcesses(folder);
  for (const name of ["first", "second", "third"]) {
    mkdirSync(join(folder, name));
    write(join(name, name), `${name}.in`);
  }
  const connected = ["--nats", server.url, "--host", "kubectl"];
  for (const command of ["plan", "apply"]) {
    const { code, stdout } = await processes.weir(
      command,
      "-f",
      "first",
      "-f",
      "second",
      ...connected,
      "third",
    );
    expect([code, stdout.match(/^\+ \w+/gm)]).toEqual([0, ["+ first", "+ second", "+ third"]]);
    const none = await processes.weir(command, ...connected);
    expect([none.code, none.stderr]).toEqual([64, expect.stringContaining("no pipelines are named")]);
  }
});

test("a file that is named twice is applied once, and of two files with one name none", async () => {
  for (const name of ["once", "other"]) mkdirSync(join(folder, "twice", name), { recursive: true });
  write("twice/once/doors", "d.one");
  const [once, other] = ["once", "other"].map((each) => join(folder, "twice", each, "doors.yaml"));
  const twice = await said(apply([join(folder, "twice", "once"), once!], target()));
  expect(twice.text.match(/doors .*/g)).toEqual([expect.stringMatching(/^doors [0-9a-f]{12}$/)]);
  await bucket.remove("gateway", (await bucket.read("gateway")).pipelines.get("doors")!);
  write("twice/other/doors", "d.two");
  await expect(apply([once!, other!], target())).rejects.toMatchObject({
    code: "WEIR_CONFIG",
    message: `${once} and ${other} are both a pipeline doors`,
  });
  expect((await bucket.read("gateway")).pipelines.has("doors")).toBe(false);
});

test("what lint refuses is not applied, not even in part", async () => {
  write("fine", "f.one");
  writeFileSync(join(folder, "wrong.yaml"), "name: wrong\nsteps: []\n");
  const { code, text } = await said(apply([folder], { ...target(), host: "other" }));
  expect(code).toBe(78);
  expect(text).toContain("wrong.yaml");
  expect((await bucket.read("other")).pipelines.size).toBe(0);
});

const counted = (name: string, filter: string, more = "", size = "1m"): string => `name: ${name}
source: { nats: { subject: "s.{device}" }, format: json, schema: { ts: time, x: float64 }, time: { field: ts } }
steps:
  - filter: ${filter}
  - window: { tumbling: ${size}, by: device, select: { n: count() } }
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
  expect((await said(plan([file], options))).text).toContain("goes on with what it keeps: 2 window");
  writeFileSync(file, counted("counted", "x > 0", "", "2m"));
  expect((await said(plan([file], options))).text).toContain(
    "does not fit what it keeps: 2 window (changed: 2 window); the host goes back to the last good revision, or puts it aside where there is none, unless --forget counted",
  );
  expect((await said(apply([file], { ...options, forget: ["counted"] }))).text).toContain(
    "begins anew without",
  );
  const forgets = async () => (await bucket.read("counting")).pipelines.get("counted")!.pipeline.forget;
  expect(await forgets()).toBe(true);
  // One that was put aside already, because its state does not fit, is the same revision.
  writeFileSync(file, counted("counted", "x > 0", "", "3m"));
  await said(apply([file], options));
  expect(await forgets()).toBe(undefined);
  const again = await said(apply([file], { ...options, forget: ["counted"] }));
  expect(again.text).toContain(
    "begins anew where it does not fit what it keeps, also where it was put aside for that",
  );
  expect(await forgets()).toBe(true);
});

test("neither a host and the fleet at once, nor a name that is none", async () => {
  write("either", "e.one");
  const processes = new WeirProcesses(folder);
  const both = ["--fleet", "--host", "gateway", "--nats", server.url];
  for (const command of [
    ["plan", "either.yaml"],
    ["apply", "either.yaml"],
    ["rollback", "either"],
  ]) {
    const { code, stderr } = await processes.weir(...command, ...both);
    expect([code, stderr]).toEqual([
      64,
      expect.stringContaining("'--fleet' cannot be used with option '--host"),
    ]);
  }
  const message = '"either.yaml" is no name';
  await expect(rollback("either.yaml", target())).rejects.toMatchObject({ message });
  expect((await bucket.read("gateway")).pipelines.has("either")).toBe(false);
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

test("what is placed goes back with --fleet, and a host by name to nothing that a turn brought there", async () => {
  const file = join(folder, "counted", "turned.yaml");
  const options = { ...target(), host: "turning" };
  const wantedOfFleet = async (condition: string): Promise<WantedPipeline> => {
    writeFileSync(file, counted("turned", condition, ", stream: ROWS"));
    await said(apply([file], { ...target(), fleet: true }));
    return (await bucket.read("fleet")).pipelines.get("turned")!.pipeline;
  };
  for (const condition of ["x > 0", "x > 1"]) {
    const wanted = await wantedOfFleet(condition);
    const entry = (await bucket.read("turning")).pipelines.get("turned") ?? null;
    await bucket.put("turning", { ...wanted, term: 1 }, entry);
  }
  const entry = (await bucket.read("turning")).pipelines.get("turned")!;
  await expect(rollback("turned", options)).rejects.toMatchObject({
    code: "WEIR_USAGE",
    message: "turned is placed by the control centre",
    remedy: "weir rollback turned --fleet goes back, wherever it runs",
  });
  expect((await bucket.read("turning")).pipelines.get("turned")).toEqual(entry);
  await bucket.remove("turning", entry);
  await expect(rollback("turned", options)).rejects.toMatchObject({
    message: "no pipeline turned was ever wanted of turning",
  });
  expect((await bucket.read("turning")).pipelines.has("turned")).toBe(false);
});

test("where somebody else was faster it is said what was applied before that", async () => {
  mkdirSync(join(folder, "halves"));
  for (const name of ["first", "second", "third"]) write(`halves/${name}`, `h.${name}`);
  const put = bucket.put.bind(bucket);
  const faster = vi
    .spyOn(DesiredBucket.prototype, "put")
    .mockImplementation(async (host, pipeline, replaces) => {
      if (pipeline.name === "third") await put(host, pipeline, null);
      return put(host, pipeline, replaces);
    });
  let text = "";
  const error = vi.spyOn(process.stderr, "write").mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  await expect(apply([join(folder, "halves")], { ...target(), host: "halves" })).rejects.toMatchObject({
    code: "WEIR_STALE",
  });
  error.mockRestore();
  faster.mockRestore();
  expect(text).toContain("warning: before that, first, second were applied\n");
  expect([...(await bucket.read("halves")).pipelines.keys()]).toEqual(["first", "second", "third"]);
});

test("what becomes of the state is told of what runs, where that is not what is wanted", async () => {
  mkdirSync(join(folder, "back"));
  const file = join(folder, "back", "back.yaml");
  const options = { ...target(), host: "back" };
  const first = counted("back", "x > 0");
  writeFileSync(file, first);
  await said(apply([file], options));
  const runs = (await bucket.read("back")).pipelines.get("back")!.pipeline.revision;
  writeFileSync(file, counted("back", "x > 0", "", "2m"));
  await said(apply([file], options));
  writeFileSync(file, `# another text\n${first}`);
  expect((await said(plan([file], options))).text).toContain("does not fit what it keeps");
  // The device has gone back to the first, and says so.
  const end = openService({
    link,
    name: "weir-device",
    id: "back",
    version: "0.0.0",
    description: "",
    endpoints: [
      {
        name: "status",
        subject: "weir.device.back.status",
        answer: () => ({ pipelines: [{ name: "back", runs }] }),
      },
    ],
    clock: wallClock,
  });
  await link.nats.flush();
  expect((await said(plan([file], options))).text).toContain("goes on with what it keeps: 2 window");
  end();
});
