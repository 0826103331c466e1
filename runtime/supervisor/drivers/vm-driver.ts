// Workers as virtual machines of QEMU: what a machine is lies in a folder of its own, and its monitor says whether it is
// there. Machines outlive their supervisor. What the monitor does not say is unknown, and nothing is started over it.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import {
  accessSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { type Clock, sleep } from "../../clock.ts";
import { messageOf, WeirError } from "../../errors.ts";
import { makeFolder } from "../../folder.ts";
import { limits } from "../../limits.ts";
import type { Driver, ObservedWorker, WorkerSpec, WorkerState, WorkerStats } from "../driver.ts";
import {
  type Accelerator,
  accelerator,
  checkMachine,
  machineArguments,
  type MachinePlaces,
  type MachineSystem,
  ordersText,
  type Shared,
} from "./machine-command.ts";
import { MachineDoors } from "./machine-doors.ts";
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

interface Order {
  readonly id: string;
  readonly name: string;
  readonly revision: string;
  readonly started: number;
}

const everyMs = 50;

function placesIn(folder: string): MachinePlaces {
  const place = (name: string): string => join(folder, name);
  return {
    order: place("order.json"),
    given: place("given"),
    monitor: place("monitor.sock"),
    output: place("output.log"),
    report: place("report.log"),
    word: place("word.sock"),
  };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

export class VmDriver implements Driver {
  readonly kind = "vm";
  readonly #options: VmDriverOptions;
  readonly #doors: MachineDoors;
  /** Names of machines that are being made this moment. */
  readonly #starting = new Set<string>();

  constructor(options: VmDriverOptions) {
    this.#options = options;
    this.#doors = new MachineDoors({
      socketOf: options.socketOf,
      portOf: (worker) => this.#portOf(join(options.folder, worker)),
    });
  }

  async open(): Promise<string> {
    const { folder, qemu, system } = this.#options;
    makeFolder(folder, 0o700);
    const missing = Object.values(system).find((file: string) => !existsSync(file));
    if (missing !== undefined) {
      throw new WeirError("WEIR_MACHINE", `there is no ${missing} to start machines from`, {
        remedy: "make it: npm run machine -- KERNEL-FOLDER",
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
    const folder = join(this.#options.folder, spec.name);
    if (Buffer.byteLength(placesIn(folder).monitor) > limits.socket_path_bytes_max) {
      throw new WeirError(
        "WEIR_WORKER_REFUSED",
        `worker ${spec.name}: ${folder} is too long for a socket in it`,
        {
          remedy: "name a shorter folder for machines, or a shorter worker",
        },
      );
    }
    try {
      // To make a folder is what only one of several can do.
      mkdirSync(folder, { mode: 0o700 });
    } catch {
      throw new WeirError("WEIR_WORKER_REFUSED", `there is a worker ${spec.name} already`, {
        remedy: "stop and remove it first",
      });
    }
    this.#starting.add(spec.name);
    try {
      return await this.#make(spec, folder);
    } catch (error) {
      // It may have started all the same: then its monitor answers, and it is found by list.
      if ((await this.#answers(folder)) === false) rmSync(folder, { recursive: true, force: true });
      throw error;
    } finally {
      this.#starting.delete(spec.name);
    }
  }

  async stop(id: string, grace_ms: number): Promise<void> {
    const folder = this.#folderOf(id);
    if (folder === null || (await this.#answers(folder)) === false) return;
    await this.#sayEnd(folder);
    if (!(await this.#endsWithin(folder, grace_ms))) await this.kill(id);
  }

  async kill(id: string): Promise<void> {
    const folder = this.#folderOf(id);
    if (folder === null) return;
    await askMachine(placesIn(folder).monitor, "quit", this.#options.clock).catch((error: unknown) => {
      // One that is gone needs no killing, and one that hangs up has done as it was told.
      if (!(error instanceof QmpError) || error.fault === "refused") throw error;
    });
    if (await this.#endsWithin(folder, limits.machine_answer_ms_max)) return;
    // It does not listen to its monitor.
    const pid = this.#processOf(id);
    if (pid !== null) process.kill(pid, "SIGKILL");
    if (await this.#endsWithin(folder, limits.engine_kill_ms_max)) return;
    throw new WeirError("WEIR_MACHINE", `virtual machine ${id} was ended and is still there`, {
      remedy: "end its qemu process, whose -uuid is the same",
    });
  }

  async remove(id: string): Promise<void> {
    const folder = this.#folderOf(id);
    if (folder === null) return;
    if ((await this.#answers(folder)) !== false) {
      throw new WeirError("WEIR_WORKER_REFUSED", `virtual machine ${id} is running, or may be`, {
        remedy: "stop it first",
      });
    }
    this.#doors.close(basename(folder));
    rmSync(folder, { recursive: true, force: true });
  }

  async list(): Promise<readonly ObservedWorker[]> {
    const orders = this.#orders();
    return Promise.all(orders.map(({ order, folder }) => this.#observe(order, folder)));
  }

  logs(id: string, lines: number): Promise<readonly string[]> {
    const folder = this.#folderOf(id);
    if (folder === null) return Promise.reject(this.#nobody(id));
    const text = textOf(placesIn(folder).output);
    return Promise.resolve(outputLines(text, Math.min(lines, limits.worker_log_lines_max)));
  }

  async stats(id: string): Promise<WorkerStats> {
    const folder = this.#folderOf(id);
    if (folder === null) throw this.#nobody(id);
    const pid = this.#processOf(id);
    return (pid === null ? null : processUse(pid)) ?? { processor_s: 0, memory_bytes: 0, pids: 0 };
  }

  close(): Promise<void> {
    this.#doors.closeAll();
    return Promise.resolve();
  }

  #nobody(id: string): WeirError {
    return new WeirError("WEIR_WORKER_REFUSED", `there is no virtual machine ${JSON.stringify(id)}`, {
      remedy: "name one that list names",
    });
  }

  /** Writes down what is ordered and what it is given, and starts the machine. */
  async #make(spec: WorkerSpec, folder: string): Promise<string> {
    const { system, qemu, user, clock } = this.#options;
    const places = placesIn(folder);
    const order: Order = { id: randomUUID(), name: spec.name, revision: spec.revision, started: clock.now() };
    prepareFolders(spec, user);
    const shared = sharedWith(spec);
    mkdirSync(places.given, { mode: 0o755 });
    for (const { host, tag } of shared.files) copyFileSync(host, join(places.given, tag));
    writeFileSync(join(places.given, "orders"), ordersText(spec, user, shared));
    writeFileSync(places.order, JSON.stringify(order));
    const start = { system, accelerator: acceleratorHere() };
    const parameters = machineArguments(spec, order.id, start, places, shared.folders);
    const log = openSync(join(folder, "qemu.log"), "a");
    // In a session of its own, so that it outlives whoever started it.
    const machine = spawn(qemu, parameters, { stdio: ["ignore", log, log], detached: true });
    closeSync(log);
    machine.unref();
    await this.#untilThere(machine, spec, folder);
    return order.id;
  }

  /** Resolves once the monitor answers. */
  async #untilThere(machine: ChildProcess, { name }: WorkerSpec, folder: string): Promise<void> {
    let failure = "";
    machine.once("error", (error) => (failure = error.message));
    const end = this.#options.clock.now() + limits.machine_start_ms_max;
    while ((await this.#answers(folder)) !== true) {
      if (machine.exitCode !== null || machine.signalCode !== null)
        failure = textOf(join(folder, "qemu.log"));
      if (this.#options.clock.now() > end) failure = "its monitor does not answer";
      if (failure !== "") {
        throw new WeirError("WEIR_MACHINE", `worker ${name}: qemu does not start: ${failure.trim()}`, {
          remedy: "correct what it complains of",
        });
      }
      await sleep(this.#options.clock, everyMs);
    }
  }

  /** What was ordered and has not been removed. A folder without an order is one that is being made. */
  #orders(): readonly { readonly order: Order; readonly folder: string }[] {
    return readdirSync(this.#options.folder).flatMap((name) => {
      const folder = join(this.#options.folder, name);
      try {
        const order = JSON.parse(readFileSync(placesIn(folder).order, "utf8")) as Order;
        return [{ order, folder }];
      } catch {
        return [];
      }
    });
  }

  #folderOf(id: string): string | null {
    return this.#orders().find(({ order }) => order.id === id)?.folder ?? null;
  }

  /** Whether the machine is there; null where that could not be found out. */
  async #answers(folder: string): Promise<boolean | null> {
    try {
      await askMachine(placesIn(folder).monitor, "query-status", this.#options.clock);
      return true;
    } catch (error) {
      return error instanceof QmpError && error.fault === "gone" ? false : null;
    }
  }

  /** Where the door of a machine is on this host; null where nobody can say. */
  async #portOf(folder: string): Promise<number | null> {
    const question = { "command-line": "info usernet" };
    const { monitor } = placesIn(folder);
    const said = askMachine(monitor, "human-monitor-command", this.#options.clock, question);
    return doorPort(await said.catch(() => null));
  }

  async #observe(order: Order, folder: string): Promise<ObservedWorker> {
    const places = placesIn(folder);
    this.#bound(places.output);
    const answered = await this.#answers(folder);
    const report = parseReport(textOf(places.report));
    const isStarting = this.#starting.has(order.name) && answered === false;
    const state: WorkerState = isStarting ? "starting" : machineState(answered, report);
    const { id, name, revision, started } = order;
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
    };
  }

  /** QEMU adds to the file for ever; what is more than is kept goes. */
  #bound(output: string): void {
    const bytes = statSync(output, { throwIfNoEntry: false })?.size ?? 0;
    if (bytes > limits.worker_log_file_bytes_max) truncateSync(output);
  }

  /** Tells the system inside to end its worker. */
  #sayEnd(folder: string): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect(placesIn(folder).word, () => socket.end("end\n"));
      // It may have ended meanwhile; whether it does is looked at next.
      socket.on("error", () => resolve());
      socket.on("close", () => resolve());
      socket.setTimeout(limits.machine_answer_ms_max, () => socket.destroy());
    });
  }

  async #endsWithin(folder: string, ms: number): Promise<boolean> {
    const { clock } = this.#options;
    const end = clock.now() + ms;
    for (;;) {
      if ((await this.#answers(folder)) === false) return true;
      if (clock.now() >= end) return false;
      await sleep(clock, everyMs);
    }
  }

  /** The process of the machine by its identity, which stands in its command line. */
  #processOf(id: string): number | null {
    const found = readdirSync("/proc").find(
      (name) => /^\d+$/.test(name) && textOf(`/proc/${name}/cmdline`).includes(`\0${id}\0`),
    );
    return found === undefined ? null : Number(found);
  }
}

/** What a worker is given: folders as they are, files as they are now. */
function sharedWith({ folders }: WorkerSpec): Readonly<Record<"folders" | "files", readonly Shared[]>> {
  const all = folders.map((folder, n) => ({ ...folder, tag: `shared${n}` }));
  const { folders: shared = [], files = [] } = Object.groupBy(all, ({ host }) =>
    statSync(host).isDirectory() ? "folders" : "files",
  );
  return { folders: shared, files };
}

/** By the processor itself, where it can and this user may. */
function acceleratorHere(): Accelerator {
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
  } catch {
    return "tcg";
  }
  return accelerator(textOf("/proc/cpuinfo"));
}
