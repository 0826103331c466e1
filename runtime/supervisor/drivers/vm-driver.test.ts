// The driver of virtual machines with a real QEMU, where WEIR_TEST_KERNEL names a kernel's folder: a system starts for
// every worker, which takes seconds each. What needs no machine is tested beside.

import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeMachine } from "../../../deploy/machine.ts";
import { sleep, wallClock } from "../../clock.ts";
import { driverConformance } from "./driver-conformance.fixture.ts";
import { systemIn } from "./machine-command.ts";
import { testKernel, withoutMachines } from "./machine-for-tests.fixture.ts";
import { VmDriver } from "./vm-driver.ts";

const missing = withoutMachines();

describe.skipIf(missing !== null)(
  `virtual machines${missing === null ? "" : ` (skipped: ${missing})`}`,
  { timeout: 300_000 },
  () => {
    // Sockets lie in it, whose names may not be long.
    const folder = mkdtempSync(join(tmpdir(), "vm-"));
    const system = systemIn(join(folder, "system"));

    beforeAll(() => {
      if (missing !== null) return;
      const program = join(folder, "program");
      mkdirSync(program);
      cpSync(join(import.meta.dirname, "conformance-worker.fixture.mjs"), join(program, "weir.js"));
      writeFileSync(join(program, "package.json"), '{ "type": "module" }');
      makeMachine(testKernel, program, join(folder, "system"));
    }, 120_000);

    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    const driverOf = (supervisor: string): VmDriver =>
      new VmDriver({
        folder: join(folder, supervisor),
        system,
        qemu: "qemu-system-x86_64",
        user: "65532:65532",
        socketOf: (worker) => join(folder, `${supervisor}-${worker}.sock`),
        clock: wallClock,
      });

    driverConformance(() =>
      Promise.resolve({
        driver: driverOf,
        command: (behaviour: string, argument = "") => [behaviour, argument],
        holds: { memory: true, pids: true },
        close: () => Promise.resolve(),
      }),
    );

    it("one whose monitor hangs is unknown, not started again, and ended all the same", async () => {
      const driver = driverOf("third");
      await driver.open();
      const spec = {
        name: "hangs",
        revision: "r1",
        command: ["serve"],
        environment: {},
        folders: [],
        limits: {},
      };
      const id = await driver.start(spec);
      const found = spawnSync("pgrep", ["-f", "--", `-uuid ${id}`], { encoding: "utf8" });
      process.kill(Number(found.stdout), "SIGSTOP");
      expect(await driver.list()).toEqual([expect.objectContaining({ id, state: "unknown" })]);
      await expect(driver.start(spec)).rejects.toMatchObject({ code: "WEIR_WORKER_REFUSED" });
      await expect(driver.remove(id)).rejects.toThrow(/running, or may be/);
      await driver.kill(id);
      expect(await driver.list()).toEqual([expect.objectContaining({ id, state: "exited", exitCode: null })]);
      await driver.remove(id);
    });

    it("what it writes to its folder is on this host, and what changes here is seen there", async () => {
      const driver = driverOf("fourth");
      await driver.open();
      const state = join(folder, "state");
      const folders = [{ host: state, inside: "/srv/weir/state", writable: true }];
      const id = await driver.start({
        name: "writes",
        revision: "r1",
        command: ["copy", "/srv/weir/state"],
        environment: {},
        folders,
        limits: {},
      });
      while (!(await driver.logs(id, 9)).includes("ready")) await sleep(wallClock, 100);
      // Whole at once: the guest copies it as soon as it is there.
      writeFileSync(join(state, "given.new"), "by the host");
      renameSync(join(state, "given.new"), join(state, "given"));
      while (!existsSync(join(state, "taken"))) await sleep(wallClock, 50);
      expect(readFileSync(join(state, "taken"), "utf8")).toBe("by the host");
      await driver.stop(id, 20_000);
      await driver.remove(id);
    });
  },
);
