// The worker of each overlay, run here as its pod would run it: the command, the probes and the files that kustomize renders, in a
// folder in place of /etc/weir. There is no cluster; its NATS is away, or a server of this test.

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { sleep, wallClock } from "../runtime/clock.ts";
import { type Ended, type Started, WeirProcesses } from "../runtime/cli/weir-process.fixture.ts";
import { type RunningNatsServer, startNatsServer } from "../runtime/connect/nats-server.ts";
import { stateFolders } from "../runtime/worker/state-folders.ts";
import {
  type Container,
  containerOf,
  filesOf,
  hasKubectl,
  kustomize,
  layOut,
  overlays,
  without,
} from "./kubernetes.fixture.ts";

let folder: string;
let processes: WeirProcesses;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "weir-kubernetes-"));
  // What the secret and the pod's own fields would give it, of a server that is not there.
  processes = new WeirProcesses(folder, {
    environment: {
      WEIR_HOST: "nobody.invalid",
      WEIR_PASSWORD: "one",
      WEIR_GATEWAY_1_PASSWORD: "two",
      WEIR_CLOUD_PASSWORD: "three",
      WEIR_RUN_FOLDER: join(folder, "run"),
      WEIR_STATE: undefined,
    },
  });
});

afterEach(() => {
  processes.kill();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

function isOver({ child }: Started): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** A probe, with the programs of this machine in place of the image's. */
function asked({ exec: { command } }: Container["startupProbe"]): Promise<Ended> {
  const [node, program, ...rest] = command;
  expect([node, program]).toEqual(["/usr/bin/node", "/weir/weir.js"]);
  return processes.weir(...rest);
}

/** Makes the streams that the pipelines read. */
async function makeStreams({ url }: RunningNatsServer, pipelines: readonly string[]): Promise<void> {
  const nats = await connect({ servers: url });
  const { streams } = await jetstreamManager(nats);
  for (const text of pipelines) {
    const { source } = parse(text) as { source: { nats: { subject: string; stream: string } } };
    const { subject, stream } = source.nats;
    await streams.add({ name: stream, subjects: [subject.replaceAll(/\{\w+\}/g, "*")] });
  }
  await nats.close();
}

describe.skipIf(!hasKubectl).each(overlays)(`the worker of the overlay %s${without}`, (overlay) => {
  const manifests = hasKubectl ? kustomize(overlay) : [];

  it("is taken by weir, keeps state where it is told, and promises exactly once for every row", async () => {
    const command = layOut(manifests, folder);
    const worker = processes.start(command);
    const state = join(folder, "state");
    const pipelines = Object.keys(filesOf(manifests, "weir-pipelines")).map((file) => file.split(".")[0]);
    while (stateFolders(state).length < pipelines.length && !isOver(worker)) await sleep(wallClock, 20);
    worker.child.kill("SIGTERM");
    const { code, stderr } = await worker.ended;
    expect({ code, kept: readdirSync(state) }, stderr).toEqual({ code: 0, kept: pipelines });
    const promises = stderr.match(/: main: [^"]*/g) ?? [];
    expect(promises).toHaveLength(pipelines.length);
    for (const promise of promises)
      expect(promise).toMatch(/^: main: exactly once: killed, power cut, link down \(/);
  });

  it("has probes that tell none, one that waits for NATS and one that runs from each other", async () => {
    const { startupProbe, livenessProbe, readinessProbe } = containerOf(manifests);
    const codes = async (): Promise<readonly (number | null)[]> => [
      (await asked(startupProbe)).code,
      (await asked(livenessProbe)).code,
      (await asked(readinessProbe)).code,
    ];
    expect(await codes()).toEqual([69, 69, 69]);
    const command = layOut(manifests, folder);
    const waits = processes.start(command);
    while ((await asked(startupProbe)).code !== 0) expect(isOver(waits)).toBe(false);
    expect(await codes()).toEqual([0, 0, 69]);
    expect((await asked(readinessProbe)).stderr).toContain("not ready: the worker is starting");
    waits.child.kill("SIGTERM");
    await waits.ended;
    const server = await startNatsServer({ name: "weir-kubernetes-test" }, process.env);
    try {
      await makeStreams(server, Object.values(filesOf(manifests, "weir-pipelines")));
      // All connections of weir.yaml are to that one.
      const { nats } = parse(filesOf(manifests, "weir-settings")["weir.yaml"] ?? "") as { nats: object };
      const there = Object.keys(nats).flatMap((name) => ["--nats", `${name}=${server.url}`]);
      const runs = processes.start([...command, ...there]);
      while ((await asked(readinessProbe)).code !== 0) expect(isOver(runs)).toBe(false);
      expect(await codes()).toEqual([0, 0, 0]);
      runs.child.kill("SIGTERM");
      await runs.ended;
    } finally {
      await server.stop();
    }
  });
});
