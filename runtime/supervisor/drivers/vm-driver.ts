// Workers as virtual machines of QEMU: what a machine is lies in a folder of its own, and its monitor says whether it is
// there. Machines outlive their supervisor. What the monitor does not say is unknown, and nothing is started over it.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { promisify } from "node:util";
import { type Clock, sleep } from "../../clock.ts";
import { messageOf, WeirError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { Driver, ObservedWorker, WorkerSpec, WorkerState, WorkerStats } from "../driver.ts";
import {
  type Accelerator,
  acceleratorOf,
  checkMachine,
  machineArguments,
  type MachinePlaces,
  type MachineSystem,
} from "./machine-command.ts";
import { MachineDoors } from "./machine-doors.ts";
import { boundOutput, type KeptOrder, MachineFolders, textOf } from "./machine-folders.ts";
import { doorPort, machineState, outputLines, parseReport } from "./observed-machine.ts";
import { ownExitCode } from "./observed-container.ts";
import { processUse } from "./process-facts.ts";
import { askMachine, QmpError } from "./qmp-client.ts";
import { prepareFolders } from "./worker-folders.ts";

const { connect } = process.getBuiltinModule("node:net");
const run = promisify(execFile);

export interface VmDriverOptions {
  /** Where its machines are kept, each in a folder by the worker's name. Of this supervisor only. */
  readonly folder: string;
  readonly system: MachineSystem;
  /** `qemu-system-x86_64`, or its path. */
  readonly qemu: string;
  /** Who workers are, to their guests and to the folders that they write in: `1000:1000`. */
  readonly user: string;
  /** The socket file at which a worker is asked. */
  readonly socketOf: (worker: string) => string;
  readonly clock: Clock;
}

const everyMs = 50;
/** Of a guest whose processor is emulated. */
const emulatedSlowness = 10;

export class VmDriver implements Driver {
  readonly kind = "vm";
  readonly #options: VmDriverOptions;
  readonly #folders: MachineFolders;
  readonly #doors: MachineDoors;
  /** Names of machines that are being made this moment. */
  readonly #starting = new Set<string>();

  constructor(options: VmDriverOptions) {
    this.#options = options;
    this.#folders = new MachineFolders(options.folder);
    this.#doors = new MachineDoors({
      socketOf: options.socketOf,
      portOf: (worker) => this.#portOf(this.#folders.of(worker)),
    });
  }

  async open(): Promise<string> {
    const { qemu, system } = this.#options;
    this.#folders.open();
    const missing = Object.values(system).find((file: string) => !existsSync(file));
    if (missing !== undefined) {
      throw new WeirError("WEIR_MACHINE", `there is no ${missing} to start machines from`, {
        remedy: "name its folder with --machine, or make it: npm run machine -- KERNEL-FOLDER",
      });
    }
    await run(qemu, ["--version"]).catch((error: unknown) => {
      throw new WeirError("WEIR_MACHINE", `${qemu} does not run: ${messageOf(error)}`, {
        remedy: "apt-get install qemu-system-x86",
      });
    });
    return Object.values(system)
      .map((file: string) => `${file} ${statSync(file).mtimeMs}`)
      .join("\n");
  }

  async start(spec: WorkerSpec): Promise<string> {
    checkMachine(spec);
    const places = this.#folders.make(spec.name);
    this.#starting.add(spec.name);
    try {
      return await this.#make(spec, places);
    } catch (error) {
      // It may have started all the same: then its monitor answers, and it is found by list.
      if ((await this.#answers(places)) === false) rmSync(places.folder, { recursive: true, force: true });
      throw error;
    } finally {
      this.#starting.delete(spec.name);
    }
  }

  async stop(id: string, grace_ms: number): Promise<void> {
    const found = this.#folders.byId(id);
    if (found === null || (await this.#answers(found.places)) === false) return;
    await this.#sayEnd(found.places);
    if (!(await this.#endsWithin(found.places, grace_ms))) await this.kill(id);
  }

  async kill(id: string): Promise<void> {
    const found = this.#folders.byId(id);
    if (found === null) return;
    const { places } = found;
    await askMachine(places.monitor, "quit", this.#options.clock).catch((error: unknown) => {
      // One that is gone needs no killing, and one that hangs up has done as it was told.
      if (!(error instanceof QmpError) || error.fault === "refused") throw error;
    });
    if (await this.#endsWithin(places, limits.machine_answer_ms_max)) return;
    // It does not listen to its monitor.
    const pid = processOf(id);
    if (pid !== null) process.kill(pid, "SIGKILL");
    if (await this.#endsWithin(places, limits.engine_kill_ms_max)) return;
    throw new WeirError("WEIR_MACHINE", `virtual machine ${id} was ended and is still there`, {
      remedy: "end its qemu process, whose -uuid is the same",
    });
  }

  async remove(id: string): Promise<void> {
    const found = this.#folders.byId(id);
    if (found === null) return;
    if ((await this.#answers(found.places)) !== false) {
      throw new WeirError("WEIR_WORKER_REFUSED", `virtual machine ${id} is running, or may be`, {
        remedy: "stop it first",
      });
    }
    this.#doors.close(found.order.name);
    rmSync(found.places.folder, { recursive: true, force: true });
  }

  async list(): Promise<readonly ObservedWorker[]> {
    return Promise.all(this.#folders.orders().map((each) => this.#observe(each)));
  }

  async logs(id: string, lines: number): Promise<readonly string[]> {
    const text = textOf(this.#known(id).places.output);
    return outputLines(text, Math.min(lines, limits.worker_log_lines_max));
  }

  async stats(id: string): Promise<WorkerStats> {
    this.#known(id);
    const pid = processOf(id);
    return (pid === null ? null : processUse(pid)) ?? { processor_s: 0, memory_bytes: 0, pids: 0 };
  }

  close(): Promise<void> {
    this.#doors.closeAll();
    return Promise.resolve();
  }

  #known(id: string): KeptOrder {
    const found = this.#folders.byId(id);
    if (found !== null) return found;
    throw new WeirError("WEIR_WORKER_REFUSED", `there is no virtual machine ${JSON.stringify(id)}`, {
      remedy: "name one that list names",
    });
  }

  /** Writes down what is ordered and what it is given, and starts the machine. */
  async #make(spec: WorkerSpec, places: MachinePlaces): Promise<string> {
    const { system, qemu, user, clock } = this.#options;
    prepareFolders(spec, user);
    const { name, revision } = spec;
    const [id, accelerator] = [randomUUID(), acceleratorHere()];
    const order = { id, name, revision, started: clock.now(), accelerator };
    const shared = this.#folders.write(places, order, spec, user);
    const start = { system, accelerator };
    const log = openSync(places.log, "a");
    // In a session of its own, so that it outlives whoever started it.
    const machine = spawn(qemu, machineArguments(spec, id, start, places, shared), {
      stdio: ["ignore", log, log],
      detached: true,
    });
    closeSync(log);
    machine.unref();
    await this.#untilThere(machine, spec, places);
    return id;
  }

  /** Resolves once the monitor answers. */
  async #untilThere(machine: ChildProcess, { name }: WorkerSpec, places: MachinePlaces): Promise<void> {
    let failure = "";
    machine.once("error", (error) => (failure = error.message));
    const end = this.#options.clock.elapsed() + limits.machine_start_ms_max;
    while ((await this.#answers(places)) !== true) {
      if (machine.exitCode !== null || machine.signalCode !== null) failure = textOf(places.log);
      if (this.#options.clock.elapsed() > end) failure = "its monitor does not answer";
      if (failure !== "") {
        throw new WeirError("WEIR_MACHINE", `worker ${name}: qemu does not start: ${failure.trim()}`, {
          remedy: "correct what it complains of",
        });
      }
      await sleep(this.#options.clock, everyMs);
    }
  }

  /** Whether the machine is there; null where that could not be found out. */
  async #answers({ monitor }: MachinePlaces): Promise<boolean | null> {
    try {
      await askMachine(monitor, "query-status", this.#options.clock);
      return true;
    } catch (error) {
      return error instanceof QmpError && error.fault === "gone" ? false : null;
    }
  }

  /** Where the door of a machine is on this host; null where nobody can say. */
  async #portOf({ monitor }: MachinePlaces): Promise<number | null> {
    const question = { "command-line": "info usernet" };
    const said = askMachine(monitor, "human-monitor-command", this.#options.clock, question);
    return doorPort(await said.catch(() => null));
  }

  async #observe({ order, places }: KeptOrder): Promise<ObservedWorker> {
    boundOutput(places);
    const answered = await this.#answers(places);
    const report = parseReport(textOf(places.report));
    const isStarting = this.#starting.has(order.name) && answered === false;
    const state: WorkerState = isStarting ? "starting" : machineState(answered, report);
    const { id, name, revision, started, accelerator } = order;
    if (answered === true) this.#doors.open(name);
    const hasEnded = state === "exited";
    return {
      id,
      name,
      revision,
      state,
      started,
      exitCode: hasEnded && report.code !== null ? ownExitCode(report.code) : null,
      outOfMemory: hasEnded && report.outOfMemory,
      ...(accelerator === "tcg" ? { slowness: emulatedSlowness } : {}),
    };
  }

  /** Tells the system inside to end its worker. */
  #sayEnd({ word }: MachinePlaces): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect(word, () => socket.end("end\n"));
      // It may have ended meanwhile; whether it does is looked at next.
      socket.on("error", () => resolve());
      socket.on("close", () => resolve());
      socket.setTimeout(limits.machine_answer_ms_max, () => socket.destroy());
    });
  }

  async #endsWithin(places: MachinePlaces, ms: number): Promise<boolean> {
    const { clock } = this.#options;
    const end = clock.elapsed() + ms;
    for (;;) {
      if ((await this.#answers(places)) === false) return true;
      if (clock.elapsed() >= end) return false;
      await sleep(clock, everyMs);
    }
  }
}

/** The process of the machine by its identity, which stands in its command line. */
function processOf(id: string): number | null {
  const found = readdirSync("/proc").find(
    (name) => /^\d+$/.test(name) && textOf(`/proc/${name}/cmdline`).includes(`\0${id}\0`),
  );
  return found === undefined ? null : Number(found);
}

/** By the processor itself, where it can and this user may. */
function acceleratorHere(): Accelerator {
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
  } catch {
    return "tcg";
  }
  return acceleratorOf(textOf("/proc/cpuinfo"));
}
