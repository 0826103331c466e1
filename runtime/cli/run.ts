// weir run: pipelines in this process until their sources end or a signal drains them.

import { randomUUID } from "node:crypto";
import { wallClock } from "../clock.ts";
import { messageOf, WeirError } from "../errors.ts";
import { type Log, type LogFormat, makeLog } from "../log.ts";
import { promisesOf } from "../pipeline/guarantee.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { type Control, openControl } from "../worker/control.ts";
import { probe, readinessTogether } from "../worker/health.ts";
import { Life } from "../worker/lifecycle.ts";
import { unknownConnection } from "../worker/connections.ts";
import { type DeviceSettings, runFolder } from "../worker/settings.ts";
import { giveBackMemory } from "../worker/settle.ts";
import { StartWaits } from "../worker/start-waits.ts";
import { leftFolders, stateFolders } from "../worker/state-folders.ts";
import { waitingAnswers } from "../worker/waiting-answers.ts";
import { Worker } from "../worker/worker.ts";
import { RunEnd } from "./run-end.ts";
import { summaryOf } from "./run-status.ts";
import { type SettingsOptions, settingsFor } from "./device-settings.ts";
import { checkForget, checkNames } from "./known-names.ts";
import {
  checkedTogether,
  exitConfig,
  filesOf,
  isWrong,
  loadFiles,
  printDiagnostics,
  sameNames,
} from "./load.ts";

export interface RunOptions extends SettingsOptions {
  readonly log?: LogFormat;
  readonly json?: boolean;
}

/** Said once at the start: each promise, and which pipelines give it. */
function promises(plans: readonly PipelinePlan[], { state, outbox }: DeviceSettings): string[] {
  const names = new Map<string, Set<string>>();
  for (const plan of plans) {
    for (const promise of promisesOf(plan, state !== null, outbox)) {
      const givers = names.get(promise);
      if (givers === undefined) names.set(promise, new Set([plan.name]));
      else givers.add(plan.name);
    }
  }
  return [...names].map(([promise, givers]) => `${someOf([...givers])}: ${promise}`);
}

/** Names in a line: the first of them, and how many more there are. */
function someOf(names: readonly string[], most = 5): string {
  const more = names.length - most;
  return more <= 0 ? names.join(", ") : `${names.slice(0, most).join(", ")} and ${more} more`;
}

/** The door for `weir why`, and for whoever looks on. A worker runs without one where it cannot be opened. */
async function openDoor(
  worker: Worker,
  plans: readonly PipelinePlan[],
  life: Life,
  identity: string,
  log: Log,
  waits: StartWaits,
): Promise<Control | null> {
  const answers = (path: string): unknown => {
    if (path === "/readyz") return probe(readinessTogether(life.phase, worker.failures.map(messageOf)));
    if (path === "/outbox") return worker.outboxes();
    if (path === "/status") return worker.status();
    if (path !== "/pipelines") return undefined;
    const times = { now: wallClock.now(), elapsed: wallClock.elapsed() };
    const { away } = worker;
    const cut = plans.filter((plan) => away !== null && connectionsOf(plan).includes(away));
    return waitingAnswers(
      plans.map(({ name }) => name),
      worker.status(),
      times,
      {
        away: new Map(cut.map(({ name }) => [name, away ?? ""])),
        missing: missingOf(plans, cut, away, waits),
      },
    );
  };
  try {
    return await openControl(runFolder(process.env), identity, answers);
  } catch (error) {
    log.warn(`weir why and weir outbox ls will not be answered: ${messageOf(error)}`);
    return null;
  }
}

/** The connections that a pipeline reads and writes by. */
function connectionsOf({ inputs, branches, spec }: PipelinePlan): readonly string[] {
  const ends = [
    ...inputs.map((input) => input.spec.source),
    ...branches.map(({ sink }) => sink),
    ...(spec.deadLetter === null ? [] : [spec.deadLetter.sink]),
  ];
  return ends.flatMap((end) => (end.kind === "nats" ? [end.to] : []));
}

/** By pipeline, what it would wait for if it is not open: a server, else a stream of its. */
function missingOf(
  plans: readonly PipelinePlan[],
  cut: readonly PipelinePlan[],
  away: string | null,
  waits: StartWaits,
): ReadonlyMap<string, string> {
  const found = plans.map((plan) => {
    const ends = [
      ...plan.spec.inputs.map(({ source }) => source),
      ...plan.spec.branches.map(({ sink }) => sink),
    ];
    const streams = ends.flatMap((end) => (end.kind === "nats" && end.stream !== null ? [end.stream] : []));
    const server = cut.includes(plan) ? `the server of the connection ${away}` : null;
    return [plan.name, server ?? waits.of(streams)] as const;
  });
  return new Map(found.flatMap(([name, what]) => (what === null ? [] : [[name, what] as const])));
}

/** Refuses a connection that nobody has named before anything waits for a server. */
function checkConnections(plans: readonly PipelinePlan[], known: readonly string[]): void {
  const unknown = plans.flatMap(connectionsOf).find((name) => !known.includes(name));
  if (unknown !== undefined) throw unknownConnection(unknown, known);
}

export async function run(paths: readonly string[], options: RunOptions): Promise<number> {
  const log = makeLog(options.log ?? (process.stderr.isTTY ? "text" : "json"));
  const files = filesOf(paths);
  const settings = settingsFor(options);
  const loaded = await loadFiles(files, (done) => log.info(`read ${done} of ${files.length} pipeline files`));
  // Without a state folder nobody needs a stream for itself.
  const pipelines = settings.state === null ? loaded : checkedTogether(files, loaded);
  printDiagnostics(files, pipelines);
  if (isWrong(pipelines)) return exitConfig;
  const [twice] = sameNames(pipelines);
  if (twice !== undefined) {
    throw new WeirError("WEIR_CONFIG", `two pipelines are called ${twice}`, {
      remedy: "give each a name of its own",
    });
  }
  const plans = pipelines.map(({ plan }) => plan!);
  const names = plans.map(({ name }) => name);
  checkForget(settings.forget, names);
  checkNames("--accept-loss", settings.acceptLoss, names);
  checkConnections(plans, Object.keys(settings.connections));
  const identity = randomUUID().slice(0, 8);
  const life = new Life(wallClock.now());
  const end = new RunEnd({
    plans,
    log,
    stop: () => {
      life.on("asked", wallClock.now());
      return worker.stop();
    },
  });
  const readerGone = (): void => end.readerGone();
  const waits = new StartWaits();
  const worker = new Worker({ settings, clock: wallClock, log: waits.heardOn(log), identity, readerGone });
  for (const line of promises(plans, settings)) log.info(line);
  if (settings.state !== null)
    for (const line of leftFolders(stateFolders(settings.state), names)) log.info(line);
  else
    log.info(
      "no state folder: with --state nothing is lost and nothing comes twice, whatever ends this process",
    );
  const control = await openDoor(worker, plans, life, identity, log, waits);
  const running = worker.open(pipelines).then(() => {
    giveBackMemory();
    // One that was asked to end while it waited for its server has not run.
    if (life.on("opened", wallClock.now())) log.info(`running: ${someOf(names)}`);
    return worker.run();
  });
  try {
    await Promise.race([running, end.drained]);
  } finally {
    await control?.close();
  }
  for (const status of worker.status()) log.info(summaryOf(status));
  if (options.json === true) process.stderr.write(`${JSON.stringify(worker.status())}\n`);
  await worker.close();
  return end.exitCode;
}
