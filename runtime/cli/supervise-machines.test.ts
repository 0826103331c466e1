// A supervisor whose workers are virtual machines of a real QEMU, against a real nats-server: numbered streams, one of them over core
// NATS, come through once and in order while machine and supervisor are killed and the pipeline is changed.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeMachine } from "../../deploy/machine.ts";
import { type RunningNatsServer, startNatsServer } from "../connect/nats-server.ts";
import { testKernel, withoutMachines } from "../supervisor/drivers/machine-for-tests.fixture.ts";
import type { SupervisorStatus } from "../supervisor/status.ts";
import { areFlowing, Numbers, numberedPipeline, runningRevision } from "./numbered.fixture.ts";
import { ended, Site } from "./site.fixture.ts";

const missing = withoutMachines();
// Sockets lie in it, whose names may not be long.
const folder = mkdtempSync(join(tmpdir(), "vm-"));
const site = new Site(folder, "d");

let server: RunningNatsServer;
let nats: NatsConnection;

beforeAll(async () => {
  if (missing !== null) return;
  const bundle = join(folder, "bundle");
  execFileSync(process.execPath, [join(import.meta.dirname, "../../deploy/bundle.ts"), bundle]);
  makeMachine(testKernel, bundle, join(folder, "machine"));
  server = await startNatsServer({ name: "weir-supervise-machines-test" }, process.env);
  nats = await connect({ servers: server.url });
}, 120_000);

afterAll(async () => {
  site.kill();
  await nats?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}, 60_000);

/** The process of a machine; 0 for none. */
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
      const ofStream = "stream: numbers-in";
      site.write("numbers", numberedPipeline("numbers", ofStream, "the first revision"));
      site.write("core", numberedPipeline("core", "journal: true"));
      const machine = ["--driver", "vm", "--machine", join(folder, "machine"), "--memory", "256"];
      const supervise = () => site.supervise(site.pipelines, ...machine, "--nats", server.url);
      let supervisor = supervise();
      const numbers = new Numbers(nats, ["numbers.in", "core.in"], 20);
      const flowing = (isIt: (status: SupervisorStatus) => boolean = () => true): Promise<SupervisorStatus> =>
        site.until((status) => areFlowing(status, 2) && isIt(status));

      const first = await flowing(({ ingest }) => ingest !== undefined && ingest !== null);
      expect(first).toMatchObject({ driver: "vm", driver_fault: "" });
      const [id, ingest] = [first.workers[0]?.id ?? "", first.ingest?.id];

      const sentBefore = numbers.sent;
      process.kill(processOf(id), "SIGKILL");
      const again = await flowing(({ workers }) => workers[0] !== undefined && workers[0].id !== id);

      // The supervisor is killed; its machines run on, and the next supervisor finds them.
      supervisor.kill("SIGKILL");
      await ended(supervisor);
      supervisor = supervise();
      const after = await flowing((status) => status.ingest !== undefined && status.ingest !== null);
      expect([after.workers[0]?.id, after.ingest?.id]).toEqual([again.workers[0]?.id, ingest]);

      // A new revision takes the place of the old one, in the same machine.
      site.write("numbers", numberedPipeline("numbers", ofStream, "the second revision"));
      const before = runningRevision(after, "numbers");
      const changed = await flowing((status) => runningRevision(status, "numbers") !== before);
      expect(changed.workers[0]?.id).toBe(again.workers[0]?.id);

      // Questions go in.
      const why = await site.weir("why", "core");
      expect(why).toMatchObject({ code: 0, stdout: expect.stringContaining("its source has come to") });

      const [kept = [], ofCore = []] = await numbers.arrived(manager, ["numbers-out", "core-out"]);
      supervisor.kill("SIGINT");
      await ended(supervisor);
      expect(processOf(changed.workers[0]?.id ?? "")).toBe(0);
      expect(kept).toEqual(numbers.from(0));
      // From when its ingest listened first, all of them: also while there was no worker.
      const [begin = numbers.sent] = ofCore;
      expect(begin).toBeLessThan(sentBefore);
      expect(ofCore).toEqual(numbers.from(begin));
    });
  },
);
