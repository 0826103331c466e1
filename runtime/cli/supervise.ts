// weir supervise: keeps the workers of this host as they are wanted, by a folder of pipelines or by what is on the
// disk from before. SIGTERM ends the supervisor and leaves its workers running, so that it can be replaced; Ctrl-C
// drains them as well.

import { existsSync } from "node:fs";
import { availableParallelism, freemem, totalmem } from "node:os";
import { dirname, join, resolve } from "node:path";
import { wallClock } from "../clock.ts";
import { messageOf, WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import { type Log, type LogFormat, makeLog } from "../log.ts";
import type { Device } from "../supervisor/device.ts";
import { Supervisor } from "../supervisor/supervisor.ts";
import { SupervisorFiles } from "../supervisor/supervisor-files.ts";
import { wantedInFolder } from "../supervisor/wanted.ts";
import { IngestUnit } from "../supervisor/ingest-unit.ts";
import {
  ingestSpec,
  startRevision,
  type WorkerStart,
  workerSocket,
  workerSpec,
} from "../supervisor/worker-start.ts";
import { type Answers, openControl } from "../worker/control.ts";
import { readRequests } from "../worker/ingest-requests.ts";
import { defaultConnection, type DeviceSettings, runFolder } from "../worker/settings.ts";
import { giveBackMemory } from "../worker/settle.ts";
import { settingsFor } from "./device-settings.ts";
import { checkHost, hostToken } from "./host-name.ts";
import { type Hosting, hostingOf } from "./hosting.ts";
import { version } from "./options.ts";

export interface SuperviseOptions {
  readonly nats: readonly string[];
  readonly config: string;
  readonly state: string;
  /** The connection with the bucket of what is wanted. */
  readonly desired?: string;
  readonly driver: "process" | "container";
  readonly image: string;
  readonly network: string;
  readonly within?: string;
  readonly host?: string;
  readonly memory: number;
  readonly log?: LogFormat;
}

/** Gives back what looking at many workers leaves behind, where it has become too much; not again and again. */
function keepSmall(): () => void {
  let last = wallClock.now();
  return wallClock.every(limits.supervisor_look_ms, () => {
    const now = wallClock.now();
    const large = process.memoryUsage.rss() > limits.supervisor_memory_bytes;
    if (!large || now - last < limits.supervisor_tidy_ms) return;
    last = now;
    giveBackMemory();
  });
}

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

/** Follows the folder; what is wrong in it is told once for each fault, and takes nothing away that runs. */
function followFolder(folder: string, supervisor: Supervisor, log: Log): () => void {
  let told = "";
  const look = (): void => {
    try {
      const { pipelines, faults } = wantedInFolder(folder);
      const complaint = faults.join("\n");
      if (complaint !== told) for (const fault of faults) log.error(fault);
      told = complaint;
      // Of a file that cannot be read just now, what was wanted before is wanted still.
      const broken = supervisor.wanted.filter(
        ({ name, file }) =>
          faults.some((fault) => fault.startsWith(`${file}:`)) &&
          !pipelines.some((each) => each.name === name),
      );
      supervisor.want([...pipelines, ...broken]);
    } catch (error) {
      const message = messageOf(error);
      if (message !== told) log.error(`${folder} cannot be read, what is wanted stays as it is: ${message}`);
      told = message;
    }
  };
  look();
  return wallClock.every(limits.supervisor_look_ms, look);
}

function answersOf({ supervisor, ingest }: Started): Answers {
  return async (path) => {
    if (path === "/supervisor") return { ...supervisor.status(), ingest: ingest.status() };
    const [, named] = /^\/release\/([a-z0-9_-]{1,64})$/.exec(path) ?? [];
    if (named !== undefined) return supervisor.release(named) || undefined;
    const [, worker, lines] = /^\/logs\/([a-z0-9_-]{1,64})\/(\d{1,5})$/.exec(path) ?? [];
    if (worker === undefined) return undefined;
    const of = worker === "ingest" ? ingest.logs(Number(lines)) : supervisor.logs(worker, Number(lines));
    return (await of) ?? undefined;
  };
}

function ended(): Promise<"leave" | "drain"> {
  return new Promise((done) => {
    process.once("SIGTERM", () => done("leave"));
    process.once("SIGINT", () => done("drain"));
  });
}

interface Started {
  readonly supervisor: Supervisor;
  readonly ingest: IngestUnit;
  readonly files: SupervisorFiles;
  readonly identity: string;
}

/** How workers are started here. */
function startingOf(
  options: SuperviseOptions,
  host: string,
  files: SupervisorFiles,
  { identity, data, hosting }: { identity: string; data: string; hosting: Hosting },
): WorkerStart {
  const config = existsSync(options.config) ? ["--config", resolve(options.config)] : [];
  const heartbeats = options.desired === undefined ? [] : ["--heartbeats", options.desired];
  return {
    supervisor: identity,
    host,
    assignmentOf: (worker) => files.assignmentPath(worker),
    state: data,
    settings: [...config, ...options.nats.flatMap((each) => ["--nats", each])],
    further: [...heartbeats, "--ask-ingest"],
    environment: hosting.environment,
    folders: hosting.folders,
    limits: { memory_bytes: options.memory },
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

async function start(
  folder: string | undefined,
  options: SuperviseOptions,
  settings: DeviceSettings,
  host: string,
  log: Log,
): Promise<Started> {
  const { root, own, data } = foldersIn(options.state);
  const capacity = capacityOf(settings);
  const files = new SupervisorFiles(own);
  files.open();
  const identity = files.identity();
  const read = [folder, existsSync(options.config) ? options.config : undefined].filter(
    (path) => path !== undefined,
  );
  const places = { state: root, assignments: dirname(files.assignmentPath("any")), data, read };
  const hosting = hostingOf(options, identity, places, process.env);
  for (const each of [hosting.driver, hosting.ingest]) await each.open();
  const starting = startingOf(options, host, files, { identity, data, hosting });
  const shared = { clock: wallClock, log, random: Math.random };
  const supervisor = new Supervisor({
    ...shared,
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
    socketOf: (worker) => workerSocket(hosting.run, identity, worker),
    memoryFree: freemem,
  });
  const isWanted = (): boolean => readRequests(data).length > 0;
  const ingest = new IngestUnit({ ...shared, driver: hosting.ingest, spec: ingestSpec(starting), isWanted });
  return { supervisor, ingest, files, identity };
}

/**
 * Follows the bucket of what is wanted, and tells there what happens. Nothing waits for the connection, and its client
 * is loaded only where there is one.
 */
async function followBucket(
  connection: string,
  host: string,
  { supervisor, files }: Started,
  settings: DeviceSettings,
  log: Log,
): Promise<() => void> {
  const { Connections } = await import("../worker/connections.ts");
  const { linkSupervisor } = await import("../supervisor/supervisor-link.ts");
  const connections = new Connections(settings.connections, log, wallClock);
  const { location = "", labels = {}, subjects = [] } = settings.device ?? {};
  const end = linkSupervisor({
    link: connections.link(connection),
    local: connection === defaultConnection ? undefined : connections.link(defaultConnection),
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

function checkWanted(
  folder: string | undefined,
  { desired }: SuperviseOptions,
  supervisor: Supervisor,
): void {
  if (folder !== undefined && desired !== undefined) {
    throw new WeirError("WEIR_USAGE", "what is wanted comes from a folder or from a bucket, not from both", {
      remedy: "leave out the folder, or --desired",
    });
  }
  if (folder !== undefined || desired !== undefined || supervisor.wanted.length > 0) return;
  throw new WeirError("WEIR_USAGE", "there is nothing to supervise", {
    remedy: "name a folder of pipeline files: weir supervise pipelines/ --state /var/lib/weir",
  });
}

export async function supervise(folder: string | undefined, options: SuperviseOptions): Promise<number> {
  const settings = settingsFor({ nats: options.nats, config: options.config });
  const { host = hostToken(settings.host ?? undefined), desired } = options;
  checkHost(host);
  const log = makeLog(options.log ?? (process.stderr.isTTY ? "text" : "json"));
  const started = await start(folder, options, settings, host, log);
  const { supervisor, ingest, identity } = started;
  checkWanted(folder, options, supervisor);
  const end = ended();
  const following = folder === undefined ? [] : [followFolder(folder, supervisor, log)];
  supervisor.start();
  ingest.start();
  if (desired !== undefined) following.push(await followBucket(desired, host, started, settings, log));
  const control = await openControl(runFolder(process.env), `supervisor-${identity}`, answersOf(started));
  following.push(keepSmall());
  const how = await end;
  for (const endFollowing of following) endFollowing();
  if (how === "drain") {
    log.info("draining all workers");
    await supervisor.drain();
    await ingest.drain();
  } else log.info("the workers run on");
  await control.close();
  await supervisor.close();
  await ingest.close();
  return 0;
}
