// weir why against running workers: what it says, and whom it finds.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { startNatsServer, type RunningNatsServer } from "../connect/nats-server.ts";
import { openControl } from "../worker/control.ts";
import { WeirProcesses } from "./weir-process.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-why-test-"));
const processes = new WeirProcesses(folder, { environment: { WEIR_RUN_FOLDER: join(folder, "run") } });
let server: RunningNatsServer;
let link: NatsLink;

beforeAll(async () => {
  server = await startNatsServer({ name: "weir-why-test" }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, silentLog);
});

afterAll(async () => {
  processes.kill();
  await link?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("nobody runs", async () => {
  const { code, stderr } = await processes.weir("why");
  expect(code).toBe(69);
  expect(stderr).toContain("weir run starts one");
});

test("a window that is open", { timeout: 60_000 }, async () => {
  writeFileSync(
    join(folder, "open.yaml"),
    `name: open
source:
  nats: { subject: "why.{device}" }
  format: json
  schema: { ts: time }
  time: { field: ts, lateness: 5s }
steps:
  - window: { tumbling: 1m, by: device, select: { n: count() } }
  - sink: { stdout: {}, format: json }
`,
  );
  const running = processes.start(["run", "open.yaml", "--nats", server.url]);
  let said = "";
  while (!said.includes("1 window holds")) {
    link.nats.publish("why.a", JSON.stringify({ ts: Date.UTC(2020, 0, 1, 12, 0, 10) }));
    await sleep(wallClock, 100);
    said = (await processes.weir("why", "open")).stdout;
  }
  expect(said).toMatch(/^open\n {2}event time is 2020-01-01T12:00:05.000Z, \d+d/);
  expect(said).toContain("its source has come to 2020-01-01T12:00:10.000Z, less a lateness of 5s");
  expect(said).toContain("its next rows are due at 2020-01-01T12:01:00.000Z: event time has 55s to go");
  const { stdout } = await processes.weir("why", "--json");
  expect(JSON.parse(stdout)).toMatchObject([
    { name: "open", waiting: { steps: [{ step: "1 window", due: Date.UTC(2020, 0, 1, 12, 1) }] } },
  ]);
  const { code, stderr } = await processes.weir("why", "opne");
  expect(code).toBe(64);
  expect(stderr).toContain("did you mean open?");
  running.child.kill("SIGTERM");
  expect((await running.ended).code).toBe(0);
});

test("one that waits for its stream is there, and holds up none beside it", {
  timeout: 60_000,
}, async () => {
  const text = (name: string, stream: string) => `name: ${name}
source: { nats: { subject: "wait.${name}"${stream} }, schema: { n: float64 } }
steps: [{ sink: { nothing: {} } }]
`;
  writeFileSync(join(folder, "early.yaml"), text("early", ", stream: NONE"));
  writeFileSync(join(folder, "later.yaml"), text("later", ""));
  const running = processes.start(["run", "early.yaml", "later.yaml", "--nats", server.url]);
  const waiting = /is not open yet: /;
  const missing = /is not open yet: it waits for source stream NONE: .*the stream does not exist/;
  while (!missing.test((await processes.weir("why", "early")).stdout))
    expect(running.child.exitCode).toBe(null);
  while (waiting.test((await processes.weir("why", "later")).stdout))
    expect(running.child.exitCode).toBe(null);
  const { code, stdout } = await processes.weir("status");
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(
      /^PIPELINE .*\nlater +0 .*\nearly is not open yet: it waits for source stream NONE: /,
    ),
  ]);
  running.child.kill("SIGTERM");
  expect((await running.ended).code).toBe(0);
});

test("of a folder's worker, one that is wrong, and that there is none", { timeout: 60_000 }, async () => {
  mkdirSync(join(folder, "kept"));
  const path = join(folder, "kept", "wrong.yaml");
  writeFileSync(path, "name: wrong\nsource: { nats: { subject: a } }\nsteps: [{ fliter: n > 1 }]\n");
  const running = processes.start(["worker", "kept", "--nats", server.url]);
  const failed = /^wrong.*revision \w+ failed: .*wrong\.yaml:3:11: error: there is no operator fliter/s;
  for (const command of ["why", "status"]) {
    let said = "";
    while (!failed.test(said)) {
      expect(running.child.exitCode).toBe(null);
      said = (await processes.weir(command)).stdout;
    }
  }
  const { stdout } = await processes.weir("status", "--json");
  expect(JSON.parse(stdout)).toEqual([
    expect.objectContaining({ name: "wrong", waiting: null, failed: expect.stringContaining("fliter") }),
  ]);
  rmSync(path);
  for (const command of ["why", "status"]) {
    let said = "";
    while (said !== "no pipeline was given to the workers that run here\n") {
      expect(running.child.exitCode).toBe(null);
      said = (await processes.weir(command)).stdout;
    }
  }
  running.child.kill("SIGTERM");
  expect((await running.ended).code).toBe(0);
});

test("rows whose sink is away", { timeout: 60_000 }, async () => {
  writeFileSync(
    join(folder, "away.yaml"),
    `name: away
source: { nats: { subject: "away.in" }, schema: { n: float64 } }
steps: [{ sink: { nats: { to: cloud, subject: away.out, stream: AWAY } } }]
`,
  );
  const cloud = ["--nats", "cloud=nats://127.0.0.1:1"];
  const running = processes.start(["run", "away.yaml", "--state", "away", "--nats", server.url, ...cloud]);
  let said = "";
  const before = "the server of its connection cloud is away";
  let first = "";
  while (!said.includes("main: 2 rows wait for the sink to confirm: connection cloud is away")) {
    expect(running.child.exitCode).toBe(null);
    said = (await processes.weir("why", "away")).stdout;
    if (said.includes("has sent no record yet") && said.includes(before)) {
      first = said;
      link.nats.publish("away.in", "{}");
      link.nats.publish("away.in", "{}");
      await sleep(wallClock, 500);
    }
  }
  // Told once: by itself, and by the rows as soon as some wait for it.
  expect([first, said].map((each) => each.match(/ is away$/gm)?.length)).toEqual([1, 1]);
  running.child.kill("SIGTERM");
  expect((await running.ended).code).toBe(0);
});

test("whether all run: not before they are open, not once one has failed beside others, and of no supervisor", {
  timeout: 60_000,
}, async () => {
  const text = (name: string, step: string) => `name: ${name}
use: [./brittle.ts]
source: { nats: { subject: "ready.${name}" }, format: json, schema: { n: float64 } }
steps:
${step}  - sink: { nothing: {}, format: json }
`;
  writeFileSync(
    join(folder, "brittle.ts"),
    `import { defineOperator, z } from "weir/sdk";
export const brittle = defineOperator({
  name: "brittle",
  summary: "Fails.",
  rule: "Fails.",
  kind: "keyed",
  config: z.strictObject({}),
  examples: [],
  create: () => ({ onBatch() { throw new Error("broken on purpose"); } }),
});
`,
  );
  writeFileSync(join(folder, "ill.yaml"), text("ill", "  - brittle: {}\n"));
  writeFileSync(join(folder, "well.yaml"), text("well", ""));
  const ready = () => processes.weir("why", "--ready");
  // A supervisor that answers beside them knows no such question.
  const supervisor = await openControl(join(folder, "run"), "supervisor-1", () => undefined);
  expect((await ready()).code).toBe(69);
  const running = processes.start(["run", "ill.yaml", "well.yaml", "--state", "state", "--nats", server.url]);
  while ((await ready()).code !== 0) expect(running.child.exitCode).toBe(null);
  let said = await ready();
  while (said.code === 0) {
    link.nats.publish("ready.ill", "{}");
    said = await ready();
  }
  expect(said.code).toBe(69);
  expect(said.stderr).toMatch(/^error: not ready: .*broken on purpose/);
  // It answers all the same: starting it again would end the one that is well.
  expect((await processes.weir("why", "well")).code).toBe(0);
  running.child.kill("SIGTERM");
  await running.ended;
  await supervisor.close();
});
