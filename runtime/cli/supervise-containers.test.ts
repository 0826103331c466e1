// A supervisor whose workers are containers of a real engine, against a real nats-server: numbered streams, one of them over
// core NATS, come through once and in order while containers, supervisor and engine are killed and the pipeline is changed.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { type RunningNatsServer, startNatsServer } from "../connect/nats-server.ts";
import { engineForTests } from "../supervisor/drivers/engine-for-tests.fixture.ts";
import type { SupervisorStatus } from "../supervisor/status.ts";
import { askWorkers } from "../worker/control-client.ts";
import { containerUser, workerEnvironment } from "./hosting.ts";
import { areFlowing, Numbers, numberedPipeline, runningRevision } from "./numbered.fixture.ts";
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
  writeFileSync(join(pipelines, `${name}.yaml`), numberedPipeline(name, source, about));
}

const ofStream = "stream: numbers-in";

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
    writePipeline("numbers", ofStream, "the first revision");
    // Core NATS keeps nothing: what its ingest does not write down is gone.
    writePipeline("core", "journal: true");
    let supervisor = supervise();
    const numbers = new Numbers(nats, ["numbers.in", "core.in"], 5);
    const flowing = (isIt: (status: SupervisorStatus) => boolean = () => true): Promise<SupervisorStatus> =>
      until((status) => areFlowing(status, 2) && isIt(status));

    const isThere = ({ ingest }: SupervisorStatus) => ingest !== undefined && ingest !== null;
    const first = await flowing(isThere);
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
    const before = await flowing(isThere);
    supervisor.kill("SIGKILL");
    await ended(supervisor);
    const running = [before.workers[0]?.id, ingest];
    expect(new Set(podman("ps", "--quiet", "--no-trunc").split("\n"))).toEqual(new Set(running));
    supervisor = supervise();
    const after = await flowing(isThere);
    expect([after.workers[0]?.id, after.ingest?.id]).toEqual(running);

    // A new revision takes the place of the old one, in the same worker.
    const runs = (status: SupervisorStatus) => runningRevision(status, "numbers");
    writePipeline("numbers", ofStream, "the second revision");
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
    writePipeline("numbers", ofStream, "the second revision");

    const [kept = [], ofCore = []] = await numbers.arrived(manager, ["numbers-out", "core-out"]);
    supervisor.kill("SIGINT");
    await ended(supervisor);
    expect(podman("ps", "--all", "--quiet")).toBe("");
    expect(numbers.sent).toBeGreaterThan(1_000);
    expect(kept).toEqual(numbers.from(0));
    // From when its ingest listened first, all of them.
    const [begin = numbers.sent] = ofCore;
    expect(begin).toBeLessThan(numbers.sent / 2);
    expect(ofCore).toEqual(numbers.from(begin));
  });
});
