// A supervisor whose workers are containers of a real engine, against a real nats-server: a numbered stream comes through
// once and in order while containers and supervisor are killed and the pipeline is changed.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { type RunningNatsServer, startNatsServer } from "../connect/nats-server.ts";
import { engineForTests } from "../supervisor/drivers/engine-for-tests.fixture.ts";
import type { SupervisorStatus } from "../supervisor/status.ts";
import { askWorkers } from "../worker/control-client.ts";
import { containerUser, workerEnvironment } from "./hosting.ts";

const found = await engineForTests();
const engine = typeof found === "string" ? null : found;
const without = typeof found === "string" ? ` (skipped: ${found})` : "";
const program = resolve(import.meta.dirname, "weir.mjs");
const folder = mkdtempSync(join(tmpdir(), "weir-supc-"));
const pipelines = join(folder, "p");
const state = join(folder, "s");
const doors = join(folder, "r");

let server: RunningNatsServer;
let nats: NatsConnection;
const supervisors: ChildProcess[] = [];

beforeAll(async () => {
  if (engine === null) return;
  server = await startNatsServer({ name: "weir-supervise-containers-test" }, process.env);
  nats = await connect({ servers: server.url });
  mkdirSync(pipelines);
}, 60_000);

afterAll(async () => {
  for (const each of supervisors) each.kill("SIGKILL");
  await nats?.close();
  await server?.stop();
  await engine?.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}, 60_000);

function supervise(): ChildProcess {
  // The servers of the test listen on this host's own address only, which just its own network reaches.
  const options = ["--driver", "container", "--network", "host", "--memory", "256", "--nats", server.url];
  const child = spawn(process.execPath, [program, "supervise", pipelines, "--state", state, ...options], {
    env: {
      ...process.env,
      DOCKER_HOST: `unix://${engine?.socketPath}`,
      WEIR_RUN_FOLDER: doors,
      A_SECRET_OF_THE_HOST: "hush",
    },
    stdio: ["ignore", "ignore", "inherit"],
  });
  supervisors.push(child);
  return child;
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((done) => child.once("close", () => done()));
}

async function until(condition: (status: SupervisorStatus) => boolean): Promise<SupervisorStatus> {
  for (;;) {
    const answers = await askWorkers(doors, "/supervisor");
    const [status] = answers.flatMap(({ answer }) => (answer === null ? [] : [answer as SupervisorStatus]));
    if (status !== undefined && condition(status)) return status;
    await sleep(wallClock, 50);
  }
}

function podman(...parameters: readonly string[]): string {
  const env = engine?.podman?.environment ?? {};
  const { status, stdout, stderr } = spawnSync("podman", parameters, { encoding: "utf8", env: { ...env } });
  expect({ status, stderr: status === 0 ? "" : stderr }).toEqual({ status: 0, stderr: "" });
  return stdout.trim();
}

function writePipeline(about: string): void {
  const text = `name: numbers
about: ${about}
source: { nats: { subject: numbers.in, stream: NUMBERS_IN }, format: json, schema: { n: float64 } }
steps:
  - sink: { nats: { subject: numbers.out, stream: NUMBERS_OUT }, format: json }
`;
  writeFileSync(join(pipelines, "numbers.yaml"), text);
}

async function numbersOf(manager: JetStreamManager, stream: string): Promise<number[]> {
  const { first_seq, last_seq } = (await manager.streams.info(stream)).state;
  const numbers: number[] = [];
  for (let seq = first_seq; seq <= last_seq; seq++) {
    const message = await manager.streams.getMessage(stream, { seq });
    if (message !== null) numbers.push(message.json<{ n: number }>().n);
  }
  return numbers;
}

describe("what workers in containers are given", () => {
  it("is what is meant for weir of the environment, and no user that is root", () => {
    const env = {
      PATH: "/bin",
      WEIR_PASSWORD: "a",
      DOCKER_HOST: "unix:///x",
      AWS_SECRET: "b",
      EMPTY: undefined,
    };
    expect(workerEnvironment(env, "container")).toEqual({ WEIR_PASSWORD: "a" });
    expect(workerEnvironment(env, "process")).toEqual({
      PATH: "/bin",
      WEIR_PASSWORD: "a",
      DOCKER_HOST: "unix:///x",
      AWS_SECRET: "b",
    });
    expect(containerUser(0, 0)).toBe("65532:65532");
    expect(containerUser(1000, 1000)).toBe("1000:1000");
    expect(containerUser(1000, 0)).toBe("65532:65532");
  });
});

describe.skipIf(engine === null || engine.podman === null)(`weir supervise with containers${without}`, () => {
  it("brings a numbered stream through once and in order, whoever is killed", {
    timeout: 170_000,
  }, async () => {
    const manager = await jetstreamManager(nats);
    await manager.streams.add({ name: "NUMBERS_IN", subjects: ["numbers.in"] });
    writePipeline("the first revision");
    let supervisor = supervise();
    let sent = 0;
    const publishing = wallClock.every(20, () => nats.publish("numbers.in", JSON.stringify({ n: sent++ })));
    const flowing = (isIt: (status: SupervisorStatus) => boolean = () => true): Promise<SupervisorStatus> =>
      until((status) => {
        const [pipeline] = status.pipelines;
        return pipeline?.beat?.phase === "running" && pipeline.beat.rows > 0 && isIt(status);
      });

    const first = await flowing();
    expect(first).toMatchObject({ driver: "container", driver_fault: "" });
    const id = first.workers[0]?.id ?? "";
    expect(
      podman(
        "inspect",
        "--format={{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.Memory}}",
        id,
      ),
    ).toBe("65532:65532 true 268435456");
    expect(podman("inspect", "--format={{.Config.Env}}", id)).not.toContain("hush");
    expect(statSync(join(state, "data")).uid).toBe(65532);

    podman("kill", "--signal=KILL", id);
    await flowing(({ workers }) => workers[0] !== undefined && workers[0].id !== id);

    // The supervisor is killed; its container runs on, and the next supervisor finds it.
    const before = await flowing();
    supervisor.kill("SIGKILL");
    await ended(supervisor);
    expect(podman("ps", "--quiet", "--no-trunc")).toBe(before.workers[0]?.id);
    supervisor = supervise();
    const after = await flowing();
    expect(after.workers[0]?.id).toBe(before.workers[0]?.id);

    // A new revision takes the place of the old one, in the same worker.
    writePipeline("the second revision");
    const old = after.pipelines[0]?.runs;
    const changed = await flowing(
      ({ pipelines: [pipeline] }) => pipeline !== undefined && pipeline.runs !== old,
    );
    expect(changed.workers[0]?.id).toBe(before.workers[0]?.id);

    publishing();
    await nats.flush();
    while ((await manager.streams.info("NUMBERS_OUT")).state.messages < sent) await sleep(wallClock, 50);
    const numbers = await numbersOf(manager, "NUMBERS_OUT");
    supervisor.kill("SIGINT");
    await ended(supervisor);
    expect(podman("ps", "--quiet")).toBe("");
    expect(sent).toBeGreaterThan(100);
    expect(numbers).toEqual(Array.from({ length: sent }, (_, n) => n));
  });
});
