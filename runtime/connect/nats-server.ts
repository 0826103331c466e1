// A real nats-server for tests, demonstrations and benchmarks: found on this machine, started on free
// loopback ports with a store of its own, and gone when whoever started it is gone, however that ended.
// Never used for a server that holds data which matters: the store is temporary unless one is named.

import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { sleep, stopwatch, wallClock } from "../clock.ts";
import { messageOf, WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import { findContainerEngine, findNatsServerBinary, installLines, natsImage } from "./nats-server-search.mjs";

type Environment = Readonly<Record<string, string | undefined>>;

/** How a nats-server can be run here. */
export type NatsServerCommand =
  | { readonly kind: "binary"; readonly path: string }
  | { readonly kind: "container"; readonly engine: string; readonly image: string };

export interface NatsServerOptions {
  /** The server's name; shown by its monitoring and checked after the start. */
  readonly name: string;
  /** JetStream domain, as a leaf needs one. */
  readonly domain?: string;
  /** Opens an MQTT 3.1.1 listener as well. */
  readonly mqtt?: boolean;
  /** A folder for JetStream that outlives the server. Without it the store is temporary and removed. */
  readonly storeDir?: string;
  /** A fixed client port, so that a server can come back where it was. Default: any free one. */
  readonly port?: number;
  /** A fixed port for that, likewise. */
  readonly mqttPort?: number;
  /** Further lines of nats-server configuration. */
  readonly extra?: string;
  /** How to run it; found by itself when absent. */
  readonly command?: NatsServerCommand;
}

export interface RunningNatsServer {
  readonly url: string;
  readonly port: number;
  /** `mqtt://…`, when it was asked for. */
  readonly mqttUrl: string | null;
  readonly serverId: string;
  readonly version: string;
  /** Ends it in an orderly way and removes what it stored, unless a store was named. */
  stop(): Promise<void>;
  /** Ends it without a warning, as a crash would. The store is left for `stop` to remove. */
  kill(): Promise<void>;
  /** Stands still, connections and all, until `proceed`. */
  pause(): Promise<void>;
  proceed(): Promise<void>;
  /** Sends its clients away, one after the other, and ends by itself: as for an upgrade. */
  retire(): Promise<void>;
  /** Goes on with other further lines of its configuration, and with its clients. Throws where it does not take them. */
  reload(extra: string): Promise<void>;
  /** Resolves with the exit code when the server has ended. */
  readonly exited: Promise<number | null>;
}

/** WEIR_NATS_SERVER, PATH and the usual folders, else a container engine that answers; null when there is nothing. */
export async function findNatsServer(env: Environment): Promise<NatsServerCommand | null> {
  let path: string | null;
  try {
    path = findNatsServerBinary(env);
  } catch (fault) {
    throw new WeirError("WEIR_NATS_SERVER_MISSING", messageOf(fault), {
      remedy: "Correct the path, or unset the variable to search the usual places.",
    });
  }
  if (path !== null) return { kind: "binary", path };
  const engine = await findContainerEngine(env);
  return engine === null ? null : { kind: "container", engine, image: natsImage };
}

/** What to do about a missing nats-server, with the exact lines. */
export function missingServerMessage(platform: string): string {
  const lines = installLines(platform).map((line) => `    ${line}`);
  return [
    "no nats-server on this machine: looked at WEIR_NATS_SERVER, PATH, /usr/sbin, /usr/local and Homebrew's folders, and for a Docker or Podman that answers.",
    "Install one:",
    ...lines,
    "or set WEIR_NATS_SERVER to a binary, or WEIR_NATS_URL to a server that runs already.",
  ].join("\n");
}

/** The error for it; a command that ends by it exits with 2. */
export function missingServerError(platform: string): WeirError {
  return new WeirError("WEIR_NATS_SERVER_MISSING", missingServerMessage(platform));
}

// Waits for the end of standard input, which comes when the parent is gone: a parent that is killed cannot
// clean up, but the kernel closes its end of the pipe. Then ends the server and removes what it left. It
// runs in a session of its own, so that Ctrl-C reaches the parent, which then stops the server in order.
// Arguments: folder to remove, engine and container to remove (or empty), then the command.
// Says the server's process id and, once it has ended, its exit code.
const guardScript = `
folder=$1; engine=$2; container=$3; shift 3
exec 3<&0
"$@" </dev/null 3<&- >/dev/null 2>&1 &
server=$!
echo "pid $server"
(
  while read -r line <&3; do :; done
  kill -TERM "$server"
  n=0
  while kill -0 "$server" && [ "$n" -lt 50 ]; do sleep 0.1; n=$((n + 1)); done
  kill -KILL "$server"
) >/dev/null 2>&1 &
watcher=$!
wait "$server"
code=$?
kill "$watcher" 2>/dev/null
trap '' PIPE
echo "exited $code" 2>/dev/null
while read -r line <&3; do :; done
if [ -n "$engine" ]; then "$engine" rm -f "$container" >/dev/null 2>&1; fi
rm -rf -- "$folder"
`;

/** What streams may reserve together: else it is a part of the room on the disk, and on a small one some streams of 1 GiB are too many. */
const storeMax = "1TB";

/** The configuration file's text. JSON strings are valid nats-server strings. */
function configuration(
  options: NatsServerOptions,
  folder: string,
  store: string,
  mqttPort: number | null,
): string {
  const lines = [
    `server_name: ${JSON.stringify(options.name)}`,
    `listen: "127.0.0.1:${options.port ?? -1}"`,
    `ports_file_dir: ${JSON.stringify(folder)}`,
    `log_file: ${JSON.stringify(join(folder, "nats-server.log"))}`,
    `logfile_size_limit: ${limits.nats_server_log_bytes_max}`,
    `jetstream { store_dir: ${JSON.stringify(store)}, max_file_store: ${storeMax}${options.domain === undefined ? "" : `, domain: ${JSON.stringify(options.domain)}`} }`,
  ];
  if (mqttPort !== null) lines.push(`mqtt { listen: "127.0.0.1:${mqttPort}" }`);
  if (options.extra !== undefined) lines.push(options.extra);
  return `${lines.join("\n")}\n`;
}

/** A port that is free now. Something else may take it before it is used, so the caller tries again. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

interface ServerInfo {
  readonly server_id: string;
  readonly server_name: string;
  readonly version: string;
}

/** What the server says of itself when a client connects; null when nobody answers. */
function readInfo(port: number): Promise<ServerInfo | null> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(port, "127.0.0.1");
    const finish = (info: ServerInfo | null): void => {
      socket.destroy();
      resolve(info);
    };
    socket.setTimeout(limits.nats_server_start_ms_max, () => finish(null));
    socket.on("error", () => finish(null));
    socket.on("close", () => finish(null));
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      const end = text.indexOf("\r\n");
      if (end >= 0) finish(JSON.parse(text.slice("INFO ".length, end)) as ServerInfo);
    });
  });
}

/** The client port from the ports file, which the server writes once it listens. */
async function portFrom(folder: string): Promise<number | null> {
  const name = (await readdir(folder)).find((each) => each.endsWith(".ports"));
  if (name === undefined) return null;
  try {
    const ports = JSON.parse(await readFile(join(folder, name), "utf8")) as { nats?: string[] };
    const url = ports.nats?.[0];
    return url === undefined ? null : Number(new URL(url).port);
  } catch {
    return null; // half written
  }
}

function commandLine(command: NatsServerCommand, folder: string, store: string, container: string): string[] {
  const config = join(folder, "nats.conf");
  if (command.kind === "binary") return [command.path, "-c", config];
  const mounts = [...new Set([folder, store.startsWith(folder) ? folder : store])];
  return [
    command.engine,
    "run",
    "--rm",
    "-i",
    "--name",
    container,
    "--network=host",
    ...mounts.flatMap((mount) => ["-v", `${mount}:${mount}`]),
    command.image,
    "-c",
    config,
  ];
}

/** The guard of a server, and what it said; what `stop` and `kill` act on. */
interface Launched {
  readonly guard: ChildProcess;
  readonly folder: string;
  readonly pid: Promise<number>;
  /** The server's end, not the guard's. */
  readonly exited: Promise<number | null>;
  hasExited(): boolean;
}

/** Writes its configuration; says where it stores. */
function configure(options: NatsServerOptions, mqttPort: number | null, folder: string): string {
  const store = options.storeDir ?? join(folder, "jetstream");
  writeFileSync(join(folder, "nats.conf"), configuration(options, folder, store, mqttPort));
  return store;
}

function launch(
  command: NatsServerCommand,
  options: NatsServerOptions,
  mqttPort: number | null,
  folder: string,
): Launched {
  const store = configure(options, mqttPort, folder);
  const container = `weir-${basename(folder)}`;
  const engine = command.kind === "container" ? command.engine : "";
  const server = commandLine(command, folder, store, container);
  const guard = spawn(
    "/bin/sh",
    ["-c", guardScript, "weir-nats-server-guard", folder, engine, container, ...server],
    { stdio: ["pipe", "pipe", "ignore"], detached: true },
  );
  // The guard may be gone before its input is ended.
  guard.stdin?.on("error", () => {});
  return { guard, folder, ...reports(guard) };
}

/** What the guard says of its server. */
function reports(guard: ChildProcess): Pick<Launched, "pid" | "exited" | "hasExited"> {
  const pid = Promise.withResolvers<number>();
  const exited = Promise.withResolvers<number | null>();
  let ended = false;
  const end = (code: number | null): void => {
    ended = true;
    exited.resolve(code);
  };
  let text = "";
  guard.stdout?.on("data", (chunk: Buffer) => {
    text += chunk.toString();
    const started = /^pid (\d+)$/m.exec(text);
    if (started !== null) pid.resolve(Number(started[1]));
    const finished = /^exited (\d+)$/m.exec(text);
    if (finished !== null) end(Number(finished[1]));
  });
  guard.once("error", () => end(null));
  guard.once("exit", () => end(null));
  return { pid: pid.promise, exited: exited.promise, hasExited: () => ended };
}

async function stopLaunched({ guard, folder }: Launched): Promise<void> {
  if (guard.exitCode === null && guard.signalCode === null && guard.pid !== undefined) {
    const gone = new Promise((resolve) => guard.once("exit", resolve));
    guard.stdin?.end();
    await gone;
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
}

async function waitUntilServing(
  launched: Launched,
  options: NatsServerOptions,
): Promise<{ port: number; info: ServerInfo } | null> {
  const start = stopwatch();
  while (!launched.hasExited() && stopwatch() - start < limits.nats_server_start_ms_max) {
    const port = await portFrom(launched.folder);
    const info = port === null ? null : await readInfo(port);
    if (port !== null && info?.server_name === options.name) return { port, info };
    await sleep(wallClock, 10);
  }
  return null;
}

function lastLogLines(folder: string): string {
  try {
    const text = readFileSync(join(folder, "nats-server.log"), "utf8");
    return text.trimEnd().split("\n").slice(-5).join("\n");
  } catch {
    return "(it wrote no log)";
  }
}

/** Starts a nats-server and waits until it serves. Throws a WeirError when there is none or it does not start. */
export async function startNatsServer(
  options: NatsServerOptions,
  env: Environment,
): Promise<RunningNatsServer> {
  const command = options.command ?? (await findNatsServer(env));
  if (command === null) throw missingServerError(process.platform);
  let log = "";
  for (let attempt = 0; attempt < limits.nats_server_start_attempts_max; attempt++) {
    const mqttPort = options.mqtt === true ? (options.mqttPort ?? (await freePort())) : null;
    const folder = mkdtempSync(join(tmpdir(), "weir-nats-"));
    const launched = launch(command, options, mqttPort, folder);
    const serving = await waitUntilServing(launched, options);
    if (serving !== null) return running(launched, options, serving, mqttPort);
    log = lastLogLines(folder);
    await stopLaunched(launched);
    // Only a port that was taken meanwhile is worth another try.
    if (!log.includes("address already in use")) break;
  }
  const program = command.kind === "binary" ? command.path : `${command.engine} run ${command.image}`;
  throw new WeirError("WEIR_NATS_UNAVAILABLE", `${program} did not start as "${options.name}":\n${log}`, {
    remedy: "Run it by hand to see why, or set WEIR_NATS_URL to a server that runs already.",
  });
}

/** Resolves once it says that it has taken its configuration anew. */
async function reloadLaunched({ pid, folder, hasExited }: Launched): Promise<void> {
  const log = join(folder, "nats-server.log");
  const said = (words: string): number => readFileSync(log, "utf8").split(words).length;
  const [taken, refused] = ["Reloaded server configuration", "Failed to reload"] as const;
  const before = { taken: said(taken), refused: said(refused) };
  process.kill(await pid, "SIGHUP");
  for (const start = stopwatch(); stopwatch() - start < limits.nats_server_start_ms_max; ) {
    if (said(taken) > before.taken) return;
    if (hasExited() || said(refused) > before.refused) break;
    await sleep(wallClock, 10);
  }
  throw new WeirError(
    "WEIR_NATS_UNAVAILABLE",
    `nats-server did not take its configuration anew:\n${lastLogLines(folder)}`,
  );
}

function running(
  launched: Launched,
  options: NatsServerOptions,
  { port, info }: { readonly port: number; readonly info: ServerInfo },
  mqttPort: number | null,
): RunningNatsServer {
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    mqttUrl: mqttPort === null ? null : `mqtt://127.0.0.1:${mqttPort}`,
    serverId: info.server_id,
    version: info.version,
    exited: launched.exited,
    stop: () => stopLaunched(launched),
    async kill() {
      if (!launched.hasExited()) process.kill(await launched.pid, "SIGKILL");
      await launched.exited;
    },
    async pause() {
      process.kill(await launched.pid, "SIGSTOP");
    },
    async proceed() {
      process.kill(await launched.pid, "SIGCONT");
    },
    async retire() {
      process.kill(await launched.pid, "SIGUSR2");
    },
    async reload(extra) {
      configure({ ...options, port, extra }, mqttPort, launched.folder);
      await reloadLaunched(launched);
    },
  };
}

/** The server that WEIR_NATS_URL names, used as it is, else one that is started; `stop` ends only what was started. */
export async function givenOrStartedNatsServer(
  options: NatsServerOptions,
  env: Environment,
): Promise<{ readonly url: string; readonly given: boolean; stop(): Promise<void> }> {
  const url = env["WEIR_NATS_URL"];
  if (url !== undefined && url !== "") return { url, given: true, stop: () => Promise.resolve() };
  const server = await startNatsServer(options, env);
  return { url: server.url, given: false, stop: () => server.stop() };
}
