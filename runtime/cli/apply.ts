// weir plan, apply, rollback and drain: what is wanted of a host, in a bucket of NATS that its supervisor follows.
// Nothing is applied that lint refuses, and nothing that somebody else has changed meanwhile is overwritten.

import { wallClock } from "../clock.ts";
import { WeirError } from "../errors.ts";
import { makeLog } from "../log.ts";
import { type PlannedChange, planChanges, planLines } from "../supervisor/change-plan.ts";
import { DesiredBucket, type HostDesired } from "../supervisor/desired-bucket.ts";
import { type WantedPipeline, wantedPipeline } from "../supervisor/wanted.ts";
import { Connections } from "../worker/connections.ts";
import { type SettingsOptions, settingsFor } from "./device-settings.ts";
import { checkNames, hostToken } from "./host-name.ts";
import { exitConfig, filesOf, isWrong, loadFiles, printDiagnostics } from "./load.ts";
import { print } from "./terminal.ts";

export interface TargetOptions extends SettingsOptions {
  readonly host?: string;
  /** The connection with the bucket. */
  readonly to: string;
}

export interface ApplyOptions extends TargetOptions {
  readonly prune?: boolean;
  readonly json?: boolean;
}

/** Does something with the bucket of a host. */
async function withBucket<T>(
  options: TargetOptions,
  what: (bucket: DesiredBucket, host: string) => Promise<T>,
): Promise<T> {
  const { host = hostToken(), to } = options;
  checkNames({ host });
  const connections = new Connections(settingsFor(options).connections, makeLog("text"), wallClock);
  try {
    return await what(await DesiredBucket.open(await connections.link(to)), host);
  } finally {
    await connections.close();
  }
}

/** The pipelines of the files, linted; null where something is wrong with them, which is told. */
async function checked(names: readonly string[]): Promise<readonly WantedPipeline[] | null> {
  const files = filesOf(names);
  const pipelines = await loadFiles(files);
  printDiagnostics(files, pipelines);
  return isWrong(pipelines) ? null : pipelines.map(({ input }) => wantedPipeline(input.file, input.text));
}

function planFor(
  wanted: readonly WantedPipeline[],
  { pipelines }: HostDesired,
  { prune = false }: ApplyOptions,
): readonly PlannedChange[] {
  const present = new Map([...pipelines].map(([name, { pipeline }]) => [name, pipeline.revision]));
  return planChanges(wanted, present, prune);
}

function show(changes: readonly PlannedChange[], json = false): void {
  if (json) print(JSON.stringify(changes));
  else for (const line of planLines(changes)) print(line);
}

export async function plan(names: readonly string[], options: ApplyOptions): Promise<number> {
  const wanted = await checked(names);
  if (wanted === null) return exitConfig;
  await withBucket(options, async (bucket, host) => {
    show(planFor(wanted, await bucket.read(host), options), options.json);
  });
  return 0;
}

export async function apply(names: readonly string[], options: ApplyOptions): Promise<number> {
  const wanted = await checked(names);
  if (wanted === null) return exitConfig;
  await withBucket(options, async (bucket, host) => {
    const present = await bucket.read(host);
    const changes = planFor(wanted, present, options);
    for (const { name, kind } of changes) {
      const entry = present.pipelines.get(name) ?? null;
      const pipeline = wanted.find((each) => each.name === name);
      if ((kind === "add" || kind === "change") && pipeline !== undefined)
        await bucket.put(host, pipeline, entry);
      if (kind === "remove" && entry !== null) await bucket.remove(host, entry);
    }
    // Last, so that a host which is told for the first time hears all of it at once.
    if (present.state === null) await bucket.setState(host, { drain: false });
    show(changes, options.json);
  });
  return 0;
}

/** Wants again what was wanted before the present revision. */
export async function rollback(name: string, options: TargetOptions): Promise<number> {
  checkNames({ pipeline: name });
  await withBucket(options, async (bucket, host) => {
    const history = await bucket.history(host, name);
    const { pipelines } = await bucket.read(host);
    const present = pipelines.get(name) ?? null;
    const before = history.findLast(({ pipeline }) => pipeline.revision !== present?.pipeline.revision);
    if (before === undefined) {
      throw new WeirError("WEIR_USAGE", `${host} knows no earlier revision of ${name}`, {
        remedy: "apply the file as it was",
      });
    }
    await bucket.put(host, before.pipeline, present);
    show(planChanges([before.pipeline], new Map([[name, present?.pipeline.revision ?? ""]]), false));
  });
  return 0;
}

/** Lets all workers of a host end in order, or run again. */
export async function drain(options: TargetOptions & { readonly undo?: boolean }): Promise<number> {
  await withBucket(options, async (bucket, host) => {
    const drains = options.undo !== true;
    await bucket.setState(host, { drain: drains });
    print(`${host} ${drains ? "drains: weir drain --undo lets it run again" : "runs again what is wanted"}`);
  });
  return 0;
}
