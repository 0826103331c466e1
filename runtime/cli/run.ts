// weir run: pipelines in this process until their sources end or a signal drains them.

import { randomUUID } from "node:crypto";
import { wallClock } from "../clock.ts";
import { waitingOf } from "../engine/waiting.ts";
import { messageOf, WeirError } from "../errors.ts";
import { type Log, type LogFormat, makeLog } from "../log.ts";
import { endToEnd, guaranteeText } from "../pipeline/guarantee.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { type Control, openControl } from "../worker/control.ts";
import { runFolder } from "../worker/settings.ts";
import { giveBackMemory } from "../worker/settle.ts";
import { Worker, type WorkerStatus } from "../worker/worker.ts";
import { type SettingsOptions, settingsFor } from "./device-settings.ts";
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

/** One line a pipeline: what came in, what went out, where the rest went, and what its steps show besides. */
function summaryOf({ name, pipeline, sources }: WorkerStatus): string {
  const read = sources.map((source) => `${source.name} ${source.records}`).join(", ");
  const branches = pipeline.branches.map((branch) => {
    const ledger = branch.ledger
      .map(({ step, reason, records }) => `${reason} at ${step}: ${records}`)
      .join(", ");
    const rows = `${branch.name}: in ${branch.in}, out ${branch.out} in ${branch.rows} rows, held ${branch.held}`;
    return ledger === "" ? rows : `${rows}, ${ledger}`;
  });
  const metrics = pipeline.metrics.map((each) => `${each.name} at ${each.step}: ${each.value}`);
  const tables = pipeline.references.map(
    ({ table, rows, loads, refused }) =>
      `table ${table}: ${rows} rows, loaded ${loads} times, ${refused} refused`,
  );
  return `${name}: ${sources.length > 1 ? `read ${read}; ` : ""}${[...branches, ...metrics, ...tables].join("; ")}`;
}

/** What a pipeline promises, by branch. */
function promisesOf(plan: PipelinePlan, durable: boolean): string[] {
  return endToEnd(plan, durable).map(
    (guarantee, place) => `${plan.branches[place]!.name}: ${guaranteeText(guarantee)}`,
  );
}

/** Said once at the start: each promise, and which pipelines give it. */
function promises(plans: readonly PipelinePlan[], durable: boolean): string[] {
  const names = new Map<string, Set<string>>();
  for (const plan of plans) {
    for (const promise of promisesOf(plan, durable)) {
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
async function openDoor(worker: Worker, identity: string, log: Log): Promise<Control | null> {
  const answers = (path: string): unknown => {
    if (path === "/outbox") return worker.outboxes();
    if (path === "/status") return worker.status();
    if (path !== "/pipelines") return undefined;
    const now = wallClock.now();
    return worker.status().map(({ name, pipeline }) => ({ name, waiting: waitingOf(pipeline, now) }));
  };
  try {
    return await openControl(runFolder(process.env), identity, answers);
  } catch (error) {
    log.warn(`weir why and weir outbox ls will not be answered: ${messageOf(error)}`);
    return null;
  }
}

export async function run(names: readonly string[], options: RunOptions): Promise<number> {
  const log = makeLog(options.log ?? (process.stderr.isTTY ? "text" : "json"));
  const files = filesOf(names);
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
  const identity = randomUUID().slice(0, 8);
  const worker = new Worker({ settings, clock: wallClock, log, identity });
  const drained = new Promise<never>((_resolve, reject) => {
    let stopping = false;
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.on(signal, () => {
        if (stopping) return;
        stopping = true;
        log.info(`${signal}: draining`);
        worker.stop().catch(reject);
      });
    }
  });
  const durable = settings.state !== null;
  for (const line of promises(
    pipelines.map(({ plan }) => plan!),
    durable,
  ))
    log.info(line);
  if (!durable)
    log.info(
      "no state folder: with --state nothing is lost and nothing comes twice, whatever ends this process",
    );
  const control = await openDoor(worker, identity, log);
  const running = worker.open(pipelines).then(() => {
    giveBackMemory();
    log.info(`running: ${someOf(pipelines.map(({ plan }) => plan!.name))}`);
    return worker.run();
  });
  try {
    await Promise.race([running, drained]);
  } finally {
    await control?.close();
  }
  for (const status of worker.status()) log.info(summaryOf(status));
  if (options.json === true) process.stderr.write(`${JSON.stringify(worker.status())}\n`);
  await worker.close();
  return 0;
}
