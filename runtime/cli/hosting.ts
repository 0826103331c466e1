// What runs the workers of `weir supervise`, and what they see there: processes see this host as it is, containers and virtual
// machines only what they are given, at the same path as outside, so that every path that a worker is told means the same.

import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { WeirError } from "../errors.ts";
import { makeFolder } from "../folder.ts";
import { wallClock } from "../clock.ts";
import { partUrl } from "../layout.ts";
import { limits } from "../limits.ts";
import type { Driver, WorkerSpec } from "../supervisor/driver.ts";
import { ContainerDriver } from "../supervisor/drivers/container-driver.ts";
import { findEngineSocket } from "../supervisor/drivers/engine-socket.ts";
import { systemIn } from "../supervisor/drivers/machine-command.ts";
import { ProcessDriver } from "../supervisor/drivers/process-driver.ts";
import { VmDriver } from "../supervisor/drivers/vm-driver.ts";
import { workerSocket } from "../supervisor/worker-start.ts";
import { runFolder } from "../worker/settings.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface HostingOptions {
  readonly driver: Driver["kind"];
  /** The folder of the system that virtual machines start from, and what runs them. */
  readonly machine: string;
  readonly qemu: string;
  readonly image: string;
  readonly network: string;
  /** The container that the supervisor itself is in. */
  readonly within?: string;
}

/** What is for one kind of driver alone, by the name of its option. */
const driverOfOption: Readonly<Record<string, HostingOptions["driver"]>> = {
  image: "container",
  network: "container",
  within: "container",
  machine: "vm",
  qemu: "vm",
};

/** Throws WEIR_USAGE where one of the options that were `given` is for another driver, or is empty. */
export function checkHosting(options: HostingOptions, given: readonly string[]): void {
  for (const [name, driver] of Object.entries(driverOfOption)) {
    if (!given.includes(name)) continue;
    if (driver !== options.driver)
      throw new WeirError(
        "WEIR_USAGE",
        `--${name} is for workers of --driver ${driver}, not ${options.driver}`,
        {
          remedy: `leave it out, or add --driver ${driver}`,
        },
      );
    const value = options[name as "image"];
    if (value.trim() === "")
      throw new WeirError("WEIR_USAGE", `--${name} is empty`, { remedy: "name one, or leave it out" });
  }
}

export interface HostingPlaces {
  /** All of the supervisor's. */
  readonly state: string;
  /** Where workers find what they are to run. */
  readonly assignments: string;
  /** Where their commit logs are. */
  readonly data: string;
  /** The pipelines, and the device's settings, where there are any. */
  readonly read: readonly string[];
}

export interface Hosting {
  readonly driver: Driver;
  /** Runs the ingest of the workers' journals, apart from them. */
  readonly ingest: Driver;
  /** Where workers' socket files are. */
  readonly run: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly folders: WorkerSpec["folders"];
  /** Further arguments of workers. */
  readonly further: readonly string[];
}

/** Who workers in containers and virtual machines are: the supervisor's own user, or the image's, where that is root. */
export function containerUser(user: number, group: number): string {
  return user === 0 || group === 0 ? "65532:65532" : `${user}:${group}`;
}

function workerUser(): string {
  return containerUser(process.getuid?.() ?? 0, process.getgid?.() ?? 0);
}

/** What of the environment workers get: all of it as processes, elsewhere what is meant for weir. */
export function workerEnvironment(env: Environment, kind: HostingOptions["driver"]): Record<string, string> {
  const set = Object.entries(env).filter((each): each is [string, string] => each[1] !== undefined);
  return Object.fromEntries(set.filter(([name]) => kind === "process" || name.startsWith("WEIR_")));
}

/** Whom the ingest belongs to: its driver must not take workers for its own. */
function ingestIdentity(identity: string): string {
  return `${identity}-ingest`;
}

function processes(identity: string, places: HostingPlaces, env: Environment): Hosting {
  const driverIn = (folder: string, supervisor: string): Driver =>
    new ProcessDriver({
      folder: join(places.state, "supervisor", folder),
      supervisor,
      program: [process.execPath, fileURLToPath(partUrl("weir.js"))],
      clock: wallClock,
    });
  const driver = driverIn("processes", identity);
  const ingest = driverIn("ingest", ingestIdentity(identity));
  const run = runFolder(env);
  // Processes of one user may share compiled code, which is a sixth of a start. Containers may not: whoever can write there
  // can put code into the others.
  const compiled = env["NODE_COMPILE_CACHE"] ?? join(places.state, "supervisor", "compiled");
  const environment = {
    ...workerEnvironment(env, "process"),
    NODE_COMPILE_CACHE: compiled,
    WEIR_RUN_FOLDER: run,
  };
  return { driver, ingest, run, environment, folders: [], further: [] };
}

/** Folders that a worker has to have a look into, at their own paths. */
function givenFolders({ assignments, data, read }: HostingPlaces): WorkerSpec["folders"] {
  const at = (path: string, writable: boolean) => ({ host: path, inside: path, writable });
  const there = read.filter((path) => existsSync(path)).map((path) => at(resolve(path), false));
  return [at(assignments, false), at(data, true), ...there];
}

function containers(
  options: HostingOptions,
  identity: string,
  places: HostingPlaces,
  env: Environment,
): Hosting {
  const driverOf = (supervisor: string): Driver =>
    new ContainerDriver({
      supervisor,
      image: options.image,
      network: options.network,
      user: workerUser(),
      socketPath: findEngineSocket(env, process.getuid?.() ?? 0),
      ...(options.within === undefined ? {} : { within: options.within }),
      clock: wallClock,
    });
  const run = join(places.state, "run");
  return {
    driver: driverOf(identity),
    ingest: driverOf(ingestIdentity(identity)),
    run,
    environment: { ...workerEnvironment(env, "container"), WEIR_RUN_FOLDER: run },
    folders: [...givenFolders(places), { host: run, inside: run, writable: true }],
    further: [],
  };
}

function machines(
  options: HostingOptions,
  identity: string,
  places: HostingPlaces,
  env: Environment,
): Hosting {
  const run = runFolder(env);
  const driverIn = (folder: string, supervisor: string): Driver =>
    new VmDriver({
      folder: join(places.state, "supervisor", folder),
      system: systemIn(resolve(options.machine)),
      qemu: options.qemu,
      user: workerUser(),
      socketOf: (worker) => workerSocket(run, supervisor, worker),
      clock: wallClock,
    });
  return {
    driver: driverIn("machines", identity),
    ingest: driverIn("machine-ingest", ingestIdentity(identity)),
    run,
    environment: { ...workerEnvironment(env, "vm"), WEIR_RUN_FOLDER: "/tmp/run" },
    folders: givenFolders(places),
    further: ["--admin", `0.0.0.0:${limits.machine_door_port}`],
  };
}

/** How workers are hosted, as the command says. */
export function hostingOf(
  options: HostingOptions,
  identity: string,
  places: HostingPlaces,
  env: Environment,
): Hosting {
  if (options.driver === "process") return processes(identity, places, env);
  makeFolder(dirname(places.data));
  const within = options.driver === "vm" ? machines : containers;
  return within(options, identity, places, env);
}
