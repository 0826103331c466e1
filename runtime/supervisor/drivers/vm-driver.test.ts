// The driver of virtual machines with a real QEMU, where WEIR_TEST_KERNEL names a kernel's folder: a system starts for
// every worker, which takes seconds each. What needs no machine is tested beside.

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeMachine } from "../../../deploy/machine.ts";
import { sleep, wallClock } from "../../clock.ts";
import { driverConformance } from "./driver-conformance.fixture.ts";
import type { MachineSystem } from "./machine-command.ts";
import { VmDriver } from "./vm-driver.ts";

const kernel = process.env["WEIR_TEST_KERNEL"] ?? "";
const programs = ["qemu-system-x86_64", "cpio", "mke2fs", "busybox"];
const absent = programs.filter((name) => spawnSync(name, ["--help"]).error !== undefined);
const missing =
  kernel === ""
    ? "WEIR_TEST_KERNEL names no kernel: apt-get download linux-image-6.1.0-…-cloud-amd64, then dpkg -x"
    : absent.length > 0
      ? `no ${absent.join(", ")}: apt-get install qemu-system-x86 cpio e2fsprogs busybox-static`
      : null;

describe.skipIf(missing !== null)(
  `virtual machines${missing === null ? "" : ` (skipped: ${missing})`}`,
  { timeout: 300_000 },
  () => {
    // Sockets lie in it, whose names may not be long.
    const folder = mkdtempSync(join(tmpdir(), "vm-"));
    let system: MachineSystem;

    beforeAll(() => {
      if (missing !== null) return;
      const program = join(folder, "program");
      mkdirSync(program);
      cpSync(join(import.meta.dirname, "conformance-worker.fixture.mjs"), join(program, "weir.js"));
      writeFileSync(join(program, "package.json"), '{ "type": "module" }');
      system = makeMachine(kernel, program, join(folder, "system"));
    }, 120_000);

    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    const driverOf = (supervisor: string): VmDriver =>
      new VmDriver({
        folder: join(folder, supervisor),
        system,
        qemu: "qemu-system-x86_64",
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

    it("what it writes to its folder is there for its successor", async () => {
      const driver = driverOf("fourth");
      await driver.open();
      const folders = [{ host: join(folder, "state"), inside: "/var/lib/weir", writable: true }];
      const order = { revision: "r1", command: ["serve"], environment: {}, folders, limits: {} };
      for (const name of ["before", "after"]) {
        const id = await driver.start({ ...order, name });
        while (!(await driver.logs(id, 9)).includes("ready")) await sleep(wallClock, 100);
        await driver.stop(id, 20_000);
        expect((await driver.list()).find((each) => each.id === id)).toMatchObject({
          state: "exited",
          exitCode: 0,
        });
      }
      // The system checks the disk when it mounts it: that it ended in order twice says that it is whole.
      expect(existsSync(join(folder, "state", "disk.img"))).toBe(true);
    });
  },
);
