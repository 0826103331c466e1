// What a container engine is asked for when it makes a worker: always without root, without capabilities, on a
// root that is read-only, within bounds. Pure; asks nobody.

import { isAbsolute, normalize } from "node:path";
import { WeirError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { WorkerSpec } from "../driver.ts";
import { reachesEngine } from "./engine-socket.ts";
import { checkSpec } from "./worker-name.ts";

export const supervisorLabel = "io.weir.supervisor";
export const workerLabel = "io.weir.worker";
export const revisionLabel = "io.weir.revision";

/** What holds for all workers of a supervisor. */
export interface ContainerSettings {
  /** Who the workers belong to; `[a-z0-9_-]{1,64}`. */
  readonly supervisor: string;
  readonly image: string;
  /** The engine's network that workers join. `host` gives up their isolation from this host's own services. */
  readonly network: string;
  /** Numbers, `65532:65532`. Never root. */
  readonly user: string;
}

const allowedName = /^[a-z0-9_-]{1,64}$/;

function refused(spec: WorkerSpec, what: string, remedy: string): WeirError {
  return new WeirError("WEIR_WORKER_REFUSED", `worker ${JSON.stringify(spec.name)}: ${what}`, { remedy });
}

/** The container's name, which an engine gives only once: no worker runs twice. */
export function containerName(supervisor: string, worker: string): string {
  return `weir.${supervisor}.${worker}`;
}

function checkFolder(spec: WorkerSpec, path: string, sockets: readonly string[]): void {
  if (!isAbsolute(path) || normalize(path) !== path || path.includes("\0")) {
    throw refused(spec, `the folder ${JSON.stringify(path)}`, "name folders by absolute paths without ..");
  }
  if (reachesEngine(path, sockets)) {
    throw refused(
      spec,
      `the folder ${path} is or holds the engine's socket, and would make it root on this host`,
      "name a folder without it, such as one under /var/lib",
    );
  }
}

function checkLimit(spec: WorkerSpec, what: string, value: number | undefined): void {
  if (value === undefined || (Number.isFinite(value) && value > 0)) return;
  throw refused(spec, `${what} of ${value}`, "give a number above 0, or none");
}

/** Refuses a worker that an engine must not be asked for; `sockets` are those of the engine that would be asked. */
export function checkWorker(
  spec: WorkerSpec,
  { supervisor, user }: ContainerSettings,
  sockets: readonly string[],
): void {
  checkSpec(spec);
  if (!allowedName.test(supervisor)) {
    const what = `the supervisor's name ${JSON.stringify(supervisor)}`;
    throw refused(spec, what, "use a to z, 0 to 9, _ and -, at most 64 of them");
  }
  if (!/^[1-9]\d*:[1-9]\d*$/.test(user)) {
    throw refused(spec, `the user ${user}`, "give numbers that are not root's, such as 65532:65532");
  }
  for (const { host, inside } of spec.folders) {
    checkFolder(spec, host, sockets);
    checkFolder(spec, inside, sockets);
  }
  checkLimit(spec, "memory_bytes", spec.limits.memory_bytes);
  checkLimit(spec, "processors", spec.limits.processors);
  checkLimit(spec, "pids", spec.limits.pids);
}

/** The bounds of a worker; swap would only make it slow before it is killed. */
function boundsOf({ memory_bytes, processors, pids }: WorkerSpec["limits"]) {
  return {
    ...(memory_bytes === undefined ? {} : { Memory: memory_bytes, MemorySwap: memory_bytes }),
    ...(processors === undefined ? {} : { NanoCpus: Math.round(processors * 1e9) }),
    PidsLimit: pids ?? limits.worker_pids_default,
    // Both, because some engines take the ones that are not named from nowhere.
    Ulimits: [
      { Name: "nofile", Soft: limits.worker_files_max, Hard: limits.worker_files_max },
      { Name: "nproc", Soft: limits.worker_processes_max, Hard: limits.worker_processes_max },
    ],
  };
}

/**
 * Podman gives a root that is read-only folders of its own which anybody may write, without a bound and with programs, and no
 * setting of its socket says otherwise. What is named here goes before: empty ones, of root.
 */
const closed = ["/run", "/var/tmp"];

function temporaryFolders({ folders }: WorkerSpec): Readonly<Record<string, string>> {
  const places = closed.filter((place) => !folders.some(({ inside }) => inside === place));
  return {
    ...Object.fromEntries(places.map((place) => [place, "rw,noexec,nosuid,nodev,size=65536,mode=755"])),
    "/tmp": `rw,noexec,nosuid,nodev,size=${limits.worker_tmp_bytes}`,
  };
}

/** The body of the request that makes the worker's container. Seccomp is the engine's own, by not naming one. */
export function containerBody(
  spec: WorkerSpec,
  settings: ContainerSettings,
): Readonly<Record<string, unknown>> {
  const { supervisor, image, network, user } = settings;
  return {
    Image: image,
    Cmd: spec.command,
    Env: Object.entries(spec.environment).map(([name, value]) => `${name}=${value}`),
    User: user,
    Labels: { [supervisorLabel]: supervisor, [workerLabel]: spec.name, [revisionLabel]: spec.revision },
    StopSignal: "SIGTERM",
    // The supervisor has the worker's heartbeat; asking again in the container would cost a process each time.
    Healthcheck: { Test: ["NONE"] },
    HostConfig: {
      ...boundsOf(spec.limits),
      ReadonlyRootfs: true,
      Privileged: false,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      Tmpfs: temporaryFolders(spec),
      Mounts: spec.folders.map(({ host, inside, writable }) => ({
        Type: "bind",
        Source: host,
        Target: inside,
        ReadOnly: !writable,
      })),
      NetworkMode: network,
      // Whether it is started again is the supervisor's decision.
      RestartPolicy: { Name: "no" },
      LogConfig: {
        Type: "json-file",
        Config: { "max-size": String(limits.worker_log_file_bytes_max) },
      },
    },
  };
}
