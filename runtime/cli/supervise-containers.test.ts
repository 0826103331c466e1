// A supervisor whose workers are containers of a real engine, against a real nats-server: numbered streams, one of them over
// core NATS, come through once and in order while containers, supervisor and engine are killed and the pipeline is changed.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { type RunningNatsServer, startNatsServer } from "../connect/nats-server.ts";
import { engineForTests } from "../supervisor/drivers/engine-for-tests.fixture.ts";
import type { SupervisorStatus } from "../supervisor/status.ts";
import { askWorkers } from "../worker/control-client.ts";
import { containerUser, workerEnvironment } from "./hosting.ts";
import { ended } from "./site.fixture.ts";
import { program } from "./weir-process.fixture.ts";

const found = await engineForTests();
const engine = typeof found === "string" ? null : found;
const without = typeof found === "string" ? ` (skipped: ${found})` : "";
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

function writePipeline(name: string, source: string, about = ""): void {
  const text = `name: ${name}
about: "${about}"
source: { nats: { subject: ${name}.in, ${source} }, format: json, schema: { n: float64 } }
steps:
  - sink: { nats: { subject: ${name}.out, stream: ${name}-out }, format: json }
`;
  writeFileSync(join(pipelines, `${name}.yaml`), text);
}

const kept = "stream: numbers-in";

async function numbersOf(manager: JetStreamManager, stream: string): Promise<number[]> {
  const { first_seq, last_seq } = (await manager.streams.info(stream)).state;
  const numbers: number[] = [];
  for (let seq = first_seq; seq <= last_seq; seq += 100) {
    const some = Array.from({ length: Math.min(100, last_seq + 1 - seq) }, (_, place) => seq + place);
    const read = await Promise.all(some.map((each) => manager.streams.getMessage(stream, { seq: each })));
    for (const message of read) if (message !== null) numbers.push(message.json<{ n: number }>().n);
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
    await manager.streams.add({ name: "numbers-in", subjects: ["numbers.in"] });
    writePipeline("numbers", kept, "the first revision");
    // Core NATS keeps nothing: what its ingest does not write down is gone.
    writePipeline("core", "journal: true");
    let supervisor = supervise();
    let sent = 0;
    const publishing = wallClock.every(5, () => {
      // Not after a test that failed.
      if (nats.isClosed()) return;
      const record = JSON.stringify({ n: sent++ });
      for (const subject of ["numbers.in", "core.in"]) nats.publish(subject, record);
    });
    /** Rows of both come through. */
    const flowing = (isIt: (status: SupervisorStatus) => boolean = () => true): Promise<SupervisorStatus> =>
      until((status) => {
        const beats = status.pipelines.map(({ beat }) => beat);
        return (
          beats.length === 2 &&
          beats.every((beat) => beat?.phase === "running" && beat.rows > 0) &&
          isIt(status)
        );
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

    // The worker is killed while its engine is away; the ingest beside it writes on.
    const ingest = first.ingest?.id;
    expect(ingest).toMatch(/^[0-9a-f]{64}$/);
    engine?.podman?.crash();
    podman("kill", "--signal=KILL", id);
    await flowing(({ workers }) => workers[0] !== undefined && workers[0].id !== id);

    // The supervisor is killed; its container runs on, and the next supervisor finds it.
    const before = await flowing();
    supervisor.kill("SIGKILL");
    await ended(supervisor);
    const running = [before.workers[0]?.id, ingest];
    expect(new Set(podman("ps", "--quiet", "--no-trunc").split("\n"))).toEqual(new Set(running));
    supervisor = supervise();
    const after = await flowing((status) => status.ingest !== undefined && status.ingest !== null);
    expect([after.workers[0]?.id, after.ingest?.id]).toEqual(running);

    // A new revision takes the place of the old one, in the same worker.
    const runs = ({ pipelines: all }: SupervisorStatus) => all.find(({ name }) => name === "numbers")?.runs;
    writePipeline("numbers", kept, "the second revision");
    const changed = await flowing((status) => runs(status) !== runs(after));
    expect(changed.workers[0]?.id).toBe(before.workers[0]?.id);

    // A worker that hangs is killed, and another one goes on.
    const hung = changed.workers[0]?.id ?? "";
    podman("kill", "--signal=STOP", hung);
    const replaced = await flowing(({ workers }) => workers[0] !== undefined && workers[0].id !== hung);

    // A revision that cannot run makes room for the one before it, which goes on where it was.
    const good = runs(replaced);
    const isTold = (what: string) => (status: SupervisorStatus) =>
      status.happenings.some((each) => each.what === what && each.name === "numbers");
    await until(({ happenings }) =>
      happenings.some(
        ({ what, name, revision }) => what === "good" && name === "numbers" && revision === good,
      ),
    );
    writeFileSync(
      join(pipelines, "numbers.yaml"),
      `name: numbers
source: { file: { path: not-there.csv }, format: csv, schema: { n: float64 } }
steps:
  - sink: { nats: { subject: numbers.out, stream: numbers-out }, format: json }
`,
    );
    await until(isTold("rolled_back"));
    await flowing((status) => runs(status) === good);
    writePipeline("numbers", kept, "the second revision");

    publishing();
    await nats.flush();
    const last = async (stream: string): Promise<number> => {
      const { last_seq: seq } = (await manager.streams.info(stream)).state;
      return (await manager.streams.getMessage(stream, { seq }))?.json<{ n: number }>().n ?? 0;
    };
    for (const stream of ["numbers-out", "core-out"])
      while ((await last(stream)) < sent - 1) await sleep(wallClock, 50);
    const numbers = await numbersOf(manager, "numbers-out");
    const ofCore = await numbersOf(manager, "core-out");
    supervisor.kill("SIGINT");
    await ended(supervisor);
    expect(podman("ps", "--all", "--quiet")).toBe("");
    expect(sent).toBeGreaterThan(1_000);
    expect(numbers).toEqual(Array.from({ length: sent }, (_, n) => n));
    // From when its ingest listened first, all of them.
    const [begin = sent] = ofCore;
    expect(begin).toBeLessThan(sent / 2);
    expect(ofCore).toEqual(Array.from({ length: sent - begin }, (_, n) => begin + n));
  });
});
