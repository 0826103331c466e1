// weir worker: runs what it is told until SIGTERM drains it. Its supervisor, or whoever keeps a folder of pipeline
// files, tells it; a change of one pipeline leaves the others alone.

import { randomUUID } from "node:crypto";
import { wallClock } from "../clock.ts";
import { variablesOf } from "../engine/loader.ts";
import { messageOf, WeirError } from "../errors.ts";
import { type Log, type LogFormat, makeLog } from "../log.ts";
import { openAdmin, parseAddress } from "../worker/admin.ts";
import { AssignedWorker } from "../worker/assigned-worker.ts";
import { readAssigned } from "../worker/assigned-pipelines.ts";
import { type Control, openControl } from "../worker/control.ts";
import { runFolder } from "../worker/settings.ts";
import { giveBackMemory, keepCompiledCode } from "../worker/settle.ts";
import { checkNames, hostToken } from "./host-name.ts";
import { checkForget } from "./known-names.ts";
import { type SettingsOptions, settingsFor } from "./device-settings.ts";

export interface WorkerCommandOptions extends SettingsOptions {
  readonly admin: string;
  readonly name: string;
  readonly host?: string;
  readonly identity?: string;
  readonly heartbeats?: string;
  readonly log?: LogFormat;
}

/** When what loading took is not needed any more, and other workers of the host have started as well: it takes a while of a processor. */
const loaded_ms = 10_000;

/** The doors that were asked for. A worker runs without its socket file where that cannot be made. */
async function openDoors(
  worker: AssignedWorker,
  identity: string,
  admin: string,
  log: Log,
): Promise<Control[]> {
  const address = parseAddress(admin);
  const doors: Control[] = [];
  if (address !== null) {
    const door = await openAdmin(address, worker.answers);
    log.info(`answers http://${door.path}/healthz, /readyz and /metrics`);
    doors.push(door);
  }
  try {
    doors.push(await openControl(runFolder(process.env), identity, worker.answers));
  } catch (error) {
    log.warn(`no questions will be answered on a socket file: ${messageOf(error)}`);
  }
  return doors;
}

function drainSignal(log: Log): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.on(signal, () => {
        log.info(`${signal}: draining`);
        resolve();
      });
    }
  });
}

export async function worker(path: string, options: WorkerCommandOptions): Promise<number> {
  const { name, identity = randomUUID().slice(0, 8), heartbeats = null } = options;
  const given = settingsFor(options);
  const host = options.host ?? hostToken(given.host ?? undefined);
  checkNames({ name, host, identity });
  const log = makeLog(options.log ?? (process.stderr.isTTY ? "text" : "json"));
  // Containers have a name of their own each time, and subjects of lanes must not change with it.
  const settings = { ...given, host: given.host ?? options.host ?? null };
  if (heartbeats !== null && settings.connections[heartbeats] === undefined) {
    throw new WeirError("WEIR_USAGE", `no NATS connection is called ${heartbeats}`, {
      remedy: `--nats ${heartbeats}=nats://host:4222 names one`,
    });
  }
  // What is wrong with it from the beginning is told as a command's failure; later it changes nothing.
  checkForget(
    settings.forget,
    readAssigned(path).map((each) => each.name),
  );
  const drained = drainSignal(log);
  const environment = variablesOf(process.env);
  const running = new AssignedWorker({
    path,
    host,
    worker: name,
    identity: () => randomUUID().slice(0, 8),
    settings,
    environment,
    heartbeats,
    clock: wallClock,
    log,
  });
  const doors = await openDoors(running, identity, options.admin, log);
  running.start();
  const cancelCleaning = wallClock.after(loaded_ms, () => {
    keepCompiledCode();
    giveBackMemory();
  });
  await drained;
  cancelCleaning();
  await running.stop();
  for (const door of doors) await door.close();
  return 0;
}
