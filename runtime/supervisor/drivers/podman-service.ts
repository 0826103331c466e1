// A Podman of one's own for tests and demonstrations: its store, its containers and its socket in one folder, all
// of it gone when whoever started it is gone, however that ended. Never used for workers that matter.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { sleep, stopwatch, wallClock } from "../../clock.ts";
import { WeirError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { ContainerEngine } from "./container-engine.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface PodmanService {
  readonly socketPath: string;
  /** What the `podman` command needs to see the same store. */
  readonly environment: Readonly<Record<string, string>>;
  /** A folder for whatever has to be gone with it. */
  readonly folder: string;
  /** Takes an image from an archive. */
  load(archive: string): void;
  /** Kills the service, as a crash would; it is started again at once. Containers do not notice. */
  crash(): void;
  /** Ends all containers and removes all that is left of them. */
  stop(): Promise<void>;
}

export const installPodman =
  "apt-get install --no-install-recommends podman runc netavark aardvark-dns iptables catatonit";

function programInPath(name: string, env: Environment): string | null {
  const folders = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return [...folders, "/usr/sbin", "/sbin"].map((folder) => join(folder, name)).find(existsSync) ?? null;
}

/** Why Podman cannot be had here; null when it can. */
export function podmanMissing(env: Environment): string | null {
  if (programInPath("podman", env) === null) return `no podman here: ${installPodman}`;
  if (process.getuid?.() !== 0) return "a Podman of one's own is for root: others name theirs in DOCKER_HOST";
  return null;
}

// Keeps the service running until the end of standard input, which comes when the parent is gone; then leaves nothing
// behind. The service goes first, so that nobody starts a container while the others are removed. Arguments: folder,
// then the command.
const guardScript = `
folder=$1; shift
(
  trap 'kill "$service" 2>/dev/null; exit 0' TERM
  while :; do
    "$@" </dev/null >>"$folder/service.log" 2>&1 &
    service=$!
    echo "$service" > "$folder/service.pid"
    wait "$service"
    sleep 0.2
  done
) &
keeper=$!
while read -r line; do :; done
kill "$keeper"
wait "$keeper" 2>/dev/null
podman rm --all --force --time 0 >/dev/null 2>&1
# What cleans up after containers may still be at it.
for _ in 1 2 3 4 5; do
  umount "$folder/graph/overlay" 2>/dev/null
  rm -rf -- "$folder" 2>/dev/null
  [ -e "$folder" ] || break
  sleep 1
done
`;

/** The engine's settings: the defaults of today's systems fail on some, none of what stands here does. */
function configurationOf(env: Environment, folder: string): string {
  const engine = ['events_logger = "file"'];
  // Without systemd nobody else makes control groups; crun refuses those of both versions at once, runc does not.
  if (!existsSync("/run/systemd/system")) engine.push('cgroup_manager = "cgroupfs"');
  if (programInPath("runc", env) !== null) engine.push('runtime = "runc"');
  const lines = ["[engine]", ...engine, "[containers]", 'log_driver = "k8s-file"'];
  // More than a machine allows would be refused.
  lines.push(
    `default_ulimits = ["nofile=${limits.worker_files_max}:${limits.worker_files_max}", "nproc=4096:4096"]`,
  );
  if (existsSync("/usr/lib/podman/netavark")) {
    // Else networks would be this machine's, and stay.
    const places = `network_config_dir = "${join(folder, "networks")}"`;
    lines.push("[network]", 'network_backend = "netavark"', places);
  }
  return `${lines.join("\n")}\n`;
}

function storageOf(folder: string): string {
  const places = [`graphroot = "${join(folder, "graph")}"`, `runroot = "${join(folder, "run")}"`];
  return ["[storage]", 'driver = "overlay"', ...places, ""].join("\n");
}

function loadArchive(archive: string, environment: Environment): void {
  const { status, stderr } = spawnSync("podman", ["load", "--quiet", "--input", archive], {
    encoding: "utf8",
    env: { ...environment },
  });
  if (status === 0) return;
  throw new WeirError("WEIR_CONTAINER_ENGINE", `podman cannot load ${archive}: ${stderr.trim()}`, {
    remedy: "make the image anew: npm run image",
  });
}

async function ended(guard: ChildProcess): Promise<void> {
  if (guard.exitCode !== null || guard.signalCode !== null) return;
  const gone = new Promise((resolve) => guard.once("exit", resolve));
  guard.stdin?.end();
  await gone;
}

function lastLines(folder: string): string {
  try {
    return readFileSync(join(folder, "service.log"), "utf8").trimEnd().split("\n").slice(-5).join("\n");
  } catch {
    return "(it wrote no log)";
  }
}

async function untilAnswering(socketPath: string, guard: ChildProcess): Promise<boolean> {
  const engine = new ContainerEngine(socketPath, wallClock);
  const start = stopwatch();
  while (guard.exitCode === null && stopwatch() - start < limits.engine_answer_ms_max) {
    const version = existsSync(socketPath) ? await engine.version().catch(() => null) : null;
    if (version !== null) return true;
    await sleep(wallClock, 20);
  }
  return false;
}

/** Starts one and waits until it answers. */
export async function startPodman(env: Environment): Promise<PodmanService> {
  const missing = podmanMissing(env);
  if (missing !== null) throw new WeirError("WEIR_CONTAINER_ENGINE", missing);
  const folder = mkdtempSync(join(tmpdir(), "weir-podman-"));
  writeFileSync(join(folder, "containers.conf"), configurationOf(env, folder));
  writeFileSync(join(folder, "storage.conf"), storageOf(folder));
  const environment = {
    PATH: `${env["PATH"] ?? ""}:/usr/sbin:/sbin`,
    HOME: folder,
    CONTAINERS_CONF: join(folder, "containers.conf"),
    CONTAINERS_STORAGE_CONF: join(folder, "storage.conf"),
  };
  const socketPath = join(folder, "podman.sock");
  const command = ["podman", "system", "service", "--time=0", `unix://${socketPath}`];
  const guard = spawn("/bin/sh", ["-c", guardScript, "weir-podman-guard", folder, ...command], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
    env: environment,
    // Where its monitors leave a file when memory runs out.
    cwd: folder,
  });
  guard.stdin?.on("error", () => {});
  if (await untilAnswering(socketPath, guard)) {
    const work = join(folder, "work");
    mkdirSync(work);
    return {
      socketPath,
      environment,
      folder: work,
      crash: () => process.kill(Number(readFileSync(join(folder, "service.pid"), "utf8")), "SIGKILL"),
      load: (archive) => loadArchive(archive, environment),
      stop: () => ended(guard),
    };
  }
  const log = lastLines(folder);
  await ended(guard);
  rmSync(folder, { recursive: true, force: true });
  throw new WeirError("WEIR_CONTAINER_ENGINE", `podman does not start here:\n${log}`, {
    remedy: installPodman,
  });
}
