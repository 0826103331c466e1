// A supervisor whose workers are virtual machines of a real QEMU, against a real nats-server: numbered streams, one of them over core
// NATS, come through once and in order while machine and supervisor are killed and the pipeline is changed.

import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeMachine } from "../../deploy/machine.ts";
import { sleep, wallClock } from "../clock.ts";
import { type RunningNatsServer, startNatsServer } from "../connect/nats-server.ts";
import { testKernel, withoutMachines } from "../supervisor/drivers/machine-for-tests.fixture.ts";
import type { SupervisorStatus } from "../supervisor/status.ts";
import { askWorkers } from "../worker/control-client.ts";
import { ended } from "./site.fixture.ts";
import { program } from "./weir-process.fixture.ts";

const missing = withoutMachines();
const folder = mkdtempSync(join(tmpdir(), "weir-vm-"));
const pipelines = join(folder, "p");
const state = join(folder, "s");
const doors = join(folder, "r");

let server: RunningNatsServer;
let nats: NatsConnection;
const supervisors: ChildProcess[] = [];

beforeAll(async () => {
  if (missing !== null) return;
  const bundle = join(folder, "bundle");
  execFileSync(process.execPath, [join(import.meta.dirname, "../../deploy/bundle.ts"), bundle]);
  makeMachine(testKernel, bundle, join(folder, "machine"));
  server = await startNatsServer({ name: "weir-supervise-machines-test" }, process.env);
  nats = await connect({ servers: server.url });
  mkdirSync(pipelines);
}, 120_000);

afterAll(async () => {
  for (const each of supervisors) each.kill("SIGKILL");
  // All of them have files in it.
  spawnSync("pkill", ["-KILL", "-f", `${folder}.*qemu|qemu.*${folder}`]);
  await nats?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}, 60_000);

function supervise(): ChildProcess {
  const driver = ["--driver", "vm", "--machine", join(folder, "machine"), "--memory", "256"];
  const options = ["--state", state, ...driver, "--nats", server.url];
  const child = spawn(process.execPath, [program, "supervise", pipelines, ...options], {
    env: { ...process.env, WEIR_RUN_FOLDER: doors },
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
    await sleep(wallClock, 100);
  }
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

async function numbersOf(manager: JetStreamManager, stream: string): Promise<number[]> {
  const { first_seq, last_seq } = (await manager.streams.info(stream)).state;
  const numbers: number[] = [];
  for (let seq = first_seq; seq <= last_seq; seq++)
    numbers.push((await manager.streams.getMessage(stream, { seq }))?.json<{ n: number }>().n ?? -1);
  return numbers;
}

/** The process of a machine. */
function processOf(id: string): number {
  return Number(spawnSync("pgrep", ["-f", "--", `-uuid ${id}`], { encoding: "utf8" }).stdout);
}

describe.skipIf(missing !== null)(
  `weir supervise with virtual machines${missing === null ? "" : ` (skipped: ${missing})`}`,
  () => {
    it("brings numbered streams through once and in order, whoever is killed", {
      timeout: 300_000,
    }, async () => {
      const manager = await jetstreamManager(nats);
      await manager.streams.add({ name: "numbers-in", subjects: ["numbers.in"] });
      writePipeline("numbers", "stream: numbers-in", "the first revision");
      writePipeline("core", "journal: true");
      let supervisor = supervise();
      let sent = 0;
      const publishing = wallClock.every(20, () => {
        if (nats.isClosed()) return;
        const record = JSON.stringify({ n: sent++ });
        for (const subject of ["numbers.in", "core.in"]) nats.publish(subject, record);
      });
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
      expect(first).toMatchObject({ driver: "vm", driver_fault: "" });
      const [id = "", ingest = ""] = [first.workers[0]?.id, first.ingest?.id];

      const sentBefore = sent;
      process.kill(processOf(id), "SIGKILL");
      const again = await flowing(({ workers }) => workers[0] !== undefined && workers[0].id !== id);

      // The supervisor is killed; its machines run on, and the next supervisor finds them.
      supervisor.kill("SIGKILL");
      await ended(supervisor);
      supervisor = supervise();
      const after = await flowing((status) => status.ingest !== undefined && status.ingest !== null);
      expect([after.workers[0]?.id, after.ingest?.id]).toEqual([again.workers[0]?.id, ingest]);

      // A new revision takes the place of the old one, in the same machine.
      const runs = ({ pipelines: all }: SupervisorStatus) => all.find(({ name }) => name === "numbers")?.runs;
      writePipeline("numbers", "stream: numbers-in", "the second revision");
      const changed = await flowing((status) => runs(status) !== runs(after));
      expect(changed.workers[0]?.id).toBe(again.workers[0]?.id);

      publishing();
      await nats.flush();
      const last = async (stream: string): Promise<number> => {
        const { last_seq: seq } = (await manager.streams.info(stream)).state;
        return (await manager.streams.getMessage(stream, { seq }))?.json<{ n: number }>().n ?? 0;
      };
      for (const stream of ["numbers-out", "core-out"])
        while ((await last(stream)) < sent - 1) await sleep(wallClock, 100);
      const numbers = await numbersOf(manager, "numbers-out");
      const ofCore = await numbersOf(manager, "core-out");
      supervisor.kill("SIGINT");
      await ended(supervisor);
      expect(processOf(changed.workers[0]?.id ?? "")).toBe(0);
      expect(numbers).toEqual(Array.from({ length: sent }, (_, n) => n));
      // From when its ingest listened first, all of them: also while there was no worker.
      const [begin = sent] = ofCore;
      expect(begin).toBeLessThan(sentBefore);
      expect(ofCore).toEqual(Array.from({ length: sent - begin }, (_, n) => begin + n));
    });
  },
);
