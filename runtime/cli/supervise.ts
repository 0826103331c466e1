// weir supervise: keeps the workers of this host as they are wanted, by a folder of pipelines or by what is on the
// disk from before. SIGTERM ends the supervisor and leaves its workers running, so that it can be replaced; Ctrl-C
// drains them as well.

import { existsSync } from "node:fs";
import { availableParallelism, freemem, totalmem } from "node:os";
import { dirname, join, resolve } from "node:path";
import { wallClock } from "../clock.ts";
import { limits } from "../limits.ts";
import { type Log, type LogFormat, makeLog } from "../log.ts";
import type { NatsLink } from "../connect/nats-connection.ts";
import type { Device } from "../supervisor/device.ts";
import type { WorkerLimits } from "../supervisor/driver.ts";
import { Handovers } from "../supervisor/handovers.ts";
import { Supervisor } from "../supervisor/supervisor.ts";
import { SupervisorFiles } from "../supervisor/supervisor-files.ts";
import { followTrusted, readTrusted } from "../supervisor/trusted-keys.ts";
import { IngestUnit } from "../supervisor/ingest-unit.ts";
import {
  ingestSpec,
  startRevision,
  type WorkerStart,
  workerSocket,
  workerSpec,
} from "../supervisor/worker-start.ts";
import { readRequests } from "../worker/ingest-requests.ts";
import { prepareRunFolder } from "../worker/control.ts";
import { defaultConnection, type DeviceSettings, runFolder } from "../worker/settings.ts";
import { giveBackMemory, keepCompiledCode, boundYoungGeneration } from "../worker/settle.ts";
import { TurnFolders, termsIn } from "../worker/turn-folders.ts";
import { settingsFor } from "./device-settings.ts";
import { checkForgotten, checkWanted, followFolder } from "./followed-folder.ts";
import { checkHost, hostToken } from "./host-name.ts";
import { checkHosting, type Hosting, hostingOf, type HostingOptions } from "./hosting.ts";
import { version } from "./options.ts";
import { openDoors, type Supervised } from "./supervise-answers.ts";

export interface SuperviseOptions {
  readonly nats: readonly string[];
  readonly config: string;
  readonly state: string;
  /** The connection with the bucket of what is wanted. */
  readonly desired?: string;
  /** Pipelines of the folder that begin anew where what is kept does not fit. */
  readonly forget: readonly string[];
  /** A file of public keys: only what one of them has signed runs. */
  readonly trust?: string;
  readonly driver: HostingOptions["driver"];
  readonly machine: string;
  readonly qemu: string;
  readonly image: string;
  readonly network: string;
  readonly within?: string;
  readonly host?: string;
  /** Bytes, processors, and processes with threads that one worker may take. */
  readonly memory: number;
  readonly processors?: number;
  readonly pids?: number;
  readonly admin: string;
  readonly log?: LogFormat;
}

/** Gives back what starting and looking at many workers leaves behind, where it has become too much: soon at first, then not so often. */
function keepSmall(): () => void {
  let last = Number.NEGATIVE_INFINITY;
  let wait: number = limits.supervisor_look_ms;
  return wallClock.every(limits.supervisor_look_ms, () => {
    const now = wallClock.now();
    const large = process.memoryUsage.rss() > limits.supervisor_memory_bytes;
    if (!large || now - last < wait) return;
    last = now;
    wait = Math.min(wait * 2, limits.supervisor_tidy_ms);
    giveBackMemory();
    // By what it grows between two such, it would be above what it may take.
    boundYoungGeneration();
  });
}

/** When the workers of this host have started as well. */
const loaded_ms = 10_000;

/** What of this host's memory all workers may take together. */
const memoryShare = 0.8;

/** The part of the supervisor's own folder beside that of its workers' state. */
function foldersIn(state: string): {
  readonly root: string;
  readonly own: string;
  readonly data: string;
} {
  const root = resolve(state);
  return {
    root,
    own: join(root, "supervisor"),
    data: join(root, "data"),
  };
}

function ended(): Promise<"leave" | "drain"> {
  return new Promise((done) => {
    process.once("SIGTERM", () => done("leave"));
    process.once("SIGINT", () => done("drain"));
  });
}

interface Started extends Supervised {
  readonly files: SupervisorFiles;
  /** The state of its workers. */
  readonly data: string;
  /** From here on pipelines take along what they keep by way of this connection. */
  readonly goBy: (link: Promise<NatsLink>) => void;
}

/** How workers are started here. */
function startingOf(
  options: SuperviseOptions,
  host: string,
  files: SupervisorFiles,
  {
    identity,
    data,
    hosting,
    program,
  }: { hosting: Hosting } & Pick<WorkerStart, "program"> & Record<"identity" | "data", string>,
): WorkerStart {
  const config = existsSync(options.config) ? ["--config", resolve(options.config)] : [];
  const heartbeats = options.desired === undefined ? [] : ["--heartbeats", options.desired];
  return {
    supervisor: identity,
    host,
    assignmentOf: (worker) => files.assignmentPath(worker),
    state: data,
    settings: [...config, ...options.nats.flatMap((each) => ["--nats", each])],
    further: [...heartbeats, "--ask-ingest", ...hosting.further],
    environment: hosting.environment,
    program,
    folders: hosting.folders,
  };
}

/** How far one worker may go. What is not said, its driver knows. */
function limitsOf({ memory, processors, pids }: SuperviseOptions): WorkerLimits {
  return {
    memory_bytes: memory,
    ...(processors === undefined ? {} : { processors }),
    ...(pids === undefined ? {} : { pids }),
  };
}

/** What this host gives its workers: as its settings say, else as it is. */
function capacityOf({ device }: DeviceSettings): Device["capacity"] {
  const memory = device?.capacity?.memory ?? Math.floor(totalmem() * memoryShare);
  return {
    cpu: device?.capacity?.processors ?? availableParallelism(),
    memory,
    workers: device?.capacity?.workers ?? Math.max(1, Math.floor(memory / limits.worker_base_bytes)),
  };
}

/** The device's settings, and the files beside them that they name. */
function configFiles(
  { config, driver }: SuperviseOptions,
  { files }: DeviceSettings,
  log: Log,
): readonly string[] {
  if (!existsSync(config)) return [];
  const inFolder = `${dirname(resolve(config))}/`;
  const beside = files.filter((file) => file.startsWith(inFolder));
  const elsewhere = files.filter((file) => !file.startsWith(inFolder));
  // What lies elsewhere is of the system, which such workers have their own of.
  if (driver !== "process" && elsewhere.length > 0)
    log.warn(
      `${config} names ${elsewhere.join(", ")}: workers have there what their own system has; put it beside ${config} to give it to them`,
    );
  return [config, ...beside];
}

async function start(
  folder: string | undefined,
  options: SuperviseOptions,
  settings: DeviceSettings,
  host: string,
  log: Log,
): Promise<Started> {
  const trusted = options.trust === undefined ? undefined : readTrusted(options.trust);
  const { root, own, data } = foldersIn(options.state);
  const capacity = capacityOf(settings);
  const files = new SupervisorFiles(own);
  files.open();
  const identity = files.identity();
  const read = [...(folder === undefined ? [] : [folder]), ...configFiles(options, settings, log)];
  const places = { state: root, assignments: dirname(files.assignmentPath("any")), data, read };
  const hosting = hostingOf(options, identity, places, process.env);
  const program = [version, await hosting.driver.open()];
  await hosting.ingest.open();
  const starting = startingOf(options, host, files, { identity, data, hosting, program });
  const bounds = limitsOf(options);
  const shared = { clock: wallClock, log, random: Math.random };
  const socketOf = (worker: string): string => workerSocket(hosting.run, identity, worker);
  const hub = Promise.withResolvers<NatsLink>();
  const handovers = new Handovers({
    ...shared,
    host,
    folders: new TurnFolders(data, log),
    bucket: async () => {
      const { HandoverBucket } = await import("../supervisor/handover-bucket.ts");
      return HandoverBucket.open(await hub.promise);
    },
  });
  const supervisor = new Supervisor({
    ...shared,
    handovers,
    driver: hosting.driver,
    files,
    host,
    capacity: {
      processors: capacity.cpu,
      memory_bytes: capacity.memory,
      count: Math.min(limits.host_pipelines_max, capacity.workers * limits.worker_pipelines_max),
    },
    spec: (worker) => workerSpec(starting, worker),
    revision: startRevision(starting),
    limits: bounds,
    socketOf,
    memoryFree: freemem,
    ...(trusted === undefined ? {} : { trusted }),
  });
  const isWanted = (): boolean => readRequests(data).length > 0;
  const spec = ingestSpec(starting, bounds);
  const ingest = new IngestUnit({ ...shared, driver: hosting.ingest, spec, isWanted });
  return { supervisor, ingest, files, data, identity, socketOf, goBy: hub.resolve };
}

/**
 * Follows the bucket of what is wanted, and tells there what happens. Nothing waits for the connection, and its client
 * is loaded only where there is one.
 */
async function followBucket(
  connection: string,
  host: string,
  { supervisor, files, data, goBy }: Started,
  settings: DeviceSettings,
  log: Log,
): Promise<() => void> {
  const { Connections } = await import("../worker/connections.ts");
  const { linkSupervisor } = await import("../supervisor/supervisor-link.ts");
  const connections = new Connections(settings.connections, log, wallClock);
  const { location = "", labels = {}, subjects = [] } = settings.device ?? {};
  const link = connections.link(connection);
  goBy(link);
  const end = linkSupervisor({
    link,
    local: connection === defaultConnection ? undefined : connections.link(defaultConnection),
    terms: () => termsIn(data),
    device: { id: host, location, labels, capacity: capacityOf(settings), subjects, revision: version },
    files,
    fileOf: (name) => join(files.folder, "deployed", `${name}.yaml`),
    supervisor,
    clock: wallClock,
    log,
  });
  return () => {
    end();
    void connections.close();
  };
}

/** Refuses a bucket on a connection that nobody has named, which no waiting would bring. */
async function checkConnection(desired: string | undefined, { connections }: DeviceSettings): Promise<void> {
  if (desired === undefined || Object.hasOwn(connections, desired)) return;
  const { unknownConnection } = await import("../worker/connections.ts");
  throw unknownConnection(desired, Object.keys(connections));
}

/** `given`: the options that were typed, as far as one or another has to know. */
export async function supervise(
  folder: string | undefined,
  options: SuperviseOptions,
  given: readonly string[] = [],
): Promise<number> {
  checkHosting(options, given);
  const settings = settingsFor({ nats: options.nats, config: options.config });
  const { host = hostToken(settings.host ?? undefined), desired, forget } = options;
  checkHost(host);
  await checkConnection(desired, settings);
  checkForgotten(folder, forget);
  const log = makeLog(options.log ?? (process.stderr.isTTY ? "text" : "json"));
  // Workers that are started, and an address that answers, are not to be left behind by a supervisor that cannot be asked.
  prepareRunFolder(runFolder(process.env));
  if (options.trust !== undefined)
    log.info(
      `only what a key of ${options.trust} has signed runs; weir.yaml, and the operators, tables and schemas that pipelines name, are taken as they lie here`,
    );
  const started = await start(folder, options, settings, host, log);
  const { supervisor, ingest } = started;
  checkWanted(folder, desired, supervisor);
  const end = ended();
  // Before there is anything to start: where the address is taken, nobody looks after what was started.
  const doors = await openDoors(started, options.admin, log);
  const following = folder === undefined ? [] : [followFolder(folder, supervisor, { forget, log })];
  const { trust } = options;
  if (trust !== undefined)
    following.push(followTrusted(trust, (keys) => supervisor.trust(keys), { clock: wallClock, log }));
  supervisor.start();
  ingest.start();
  if (desired !== undefined) following.push(await followBucket(desired, host, started, settings, log));
  following.push(keepSmall(), wallClock.after(loaded_ms, keepCompiledCode));
  const how = await end;
  for (const endFollowing of following) endFollowing();
  if (how === "drain") {
    log.info("draining all workers");
    await supervisor.drain();
    await ingest.drain();
  } else log.info("the workers run on");
  for (const door of doors) await door.close();
  await supervisor.close();
  await ingest.close();
  return 0;
}
