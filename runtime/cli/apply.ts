// weir plan, apply, rollback and drain: what is wanted of a host, or of whichever fits, in a bucket of NATS that supervisors
// and the control centre follow. Nothing is applied that lint or the pipelines' own tests refuse, and nothing that somebody
// else has changed meanwhile is overwritten.

import { wallClock } from "../clock.ts";
import type { NatsLink } from "../connect/nats-connection.ts";
import { serverFault } from "../connect/server-fault.ts";
import { loadInput, variablesOf } from "../engine/loader.ts";
import { WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import { makeLog } from "../log.ts";
import { type PlannedChange, planChanges, planLines } from "../supervisor/change-plan.ts";
import { fleet } from "../supervisor/control-subjects.ts";
import {
  type AllDesired,
  DesiredBucket,
  type DesiredEntry,
  type HostDesired,
  replaceable,
} from "../supervisor/desired-bucket.ts";
import { DeviceBucket, type Registered } from "../supervisor/device-bucket.ts";
import { placedOf, waitingLines, waitingPipelines } from "../supervisor/fleet-view.ts";
import { earlierRevision } from "../supervisor/rollback.ts";
import { signatureMark } from "../supervisor/signature.ts";
import { revisionMark, type WantedPipeline, wantedPipeline } from "../supervisor/wanted.ts";
import { takesTurns, turnsRemedy } from "../worker/chain-names.ts";
import { Connections } from "../worker/connections.ts";
import type { DeviceSettings } from "../worker/settings.ts";
import { type SettingsOptions, settingsFor } from "./device-settings.ts";
import { checkHost, checkPipeline, hostToken } from "./host-name.ts";
import { checkForget, neverWanted, warnOfStranger } from "./known-names.ts";
import {
  type CheckedPipeline,
  exitConfig,
  filesOf,
  isEmptyFolder,
  isWrong,
  loadFiles,
  printDiagnostics,
} from "./load.ts";
import { warnOfNamedFiles } from "./named-files.ts";
import { asItRuns } from "./running-revision.ts";
import { signatureOf, wantedAgain } from "./sign.ts";
import { type StatePlan, statePlan, statePlanText, threadsText } from "./state-plan.ts";
import { print, warn } from "./terminal.ts";
import { resultLines, testResults } from "./test.ts";

export interface ConnectionOptions extends SettingsOptions {
  /** The connection with the buckets. */
  readonly to: string;
}

export interface TargetOptions extends ConnectionOptions {
  readonly host?: string;
  /** Whichever host fits. */
  readonly fleet?: boolean;
}

export interface ApplyOptions extends TargetOptions {
  /** Further files, as kubectl has them. */
  readonly file?: readonly string[];
  readonly prune?: boolean;
  readonly json?: boolean;
  /** Pipelines that begin anew where what is kept of them does not fit. */
  readonly forget?: readonly string[];
}

function settingsOf({ to: _to, forget: _forget, ...options }: ConnectionOptions): DeviceSettings {
  return settingsFor(options);
}

/** What a supervisor with the same settings is called. */
function ownHost(options: ConnectionOptions): string {
  return hostToken(settingsOf(options).host ?? undefined);
}

/** Does something over the connection. Somebody waits for the answer: a server that is not there is not waited for for ever. */
export async function withLink<T>(
  options: ConnectionOptions,
  what: (link: NatsLink) => Promise<T>,
): Promise<T> {
  const { connections: named } = settingsOf(options);
  const connections = new Connections(named, makeLog("text"), wallClock, limits.nats_command_wait_ms_max);
  try {
    return await what(await connections.link(options.to));
  } catch (error) {
    throw serverFault(error, options.to);
  } finally {
    await connections.close();
  }
}

/** What the devices of a fleet have said, and what is wanted of them. */
export async function fleetNow(
  link: NatsLink,
): Promise<{ readonly registered: readonly Registered[]; readonly all: AllDesired }> {
  const registered = (await (await DeviceBucket.look(link))?.all()) ?? [];
  const all = (await (await DesiredBucket.look(link))?.all()) ?? { hosts: new Map(), owners: new Map() };
  return { registered, all };
}

/** The host that is meant, or all of them. */
function hostOf(options: TargetOptions): string {
  const host = options.fleet === true ? fleet : (options.host ?? ownHost(options));
  if (options.fleet !== true) checkHost(host);
  return host;
}

const nothing: HostDesired = { state: null, pipelines: new Map() };

/** Does something with the bucket of a host. */
function withBucket<T>(
  options: TargetOptions,
  what: (bucket: DesiredBucket, host: string, link: NatsLink) => Promise<T>,
): Promise<T> {
  const host = hostOf(options);
  return withLink(options, async (link) => what(await DesiredBucket.open(link), host, link));
}

/** The pipelines of the files, linted and tested; the exit code where something is wrong with them, which is told. */
export async function checked(names: readonly string[]): Promise<readonly CheckedPipeline[] | number> {
  const files = filesOf(names);
  const pipelines = await loadFiles(files);
  printDiagnostics(files, pipelines);
  if (isWrong(pipelines)) return exitConfig;
  const failed = (await testResults(files, pipelines)).filter(({ faults }) => faults.length > 0);
  for (const line of failed.flatMap(resultLines)) print(line);
  return failed.length > 0 ? 1 : pipelines;
}

/** A file that is named twice, by a folder and by itself say, counts once; of two files with one name neither does. */
function eachOnce(pipelines: readonly CheckedPipeline[]): readonly CheckedPipeline[] {
  const files = new Map<string, CheckedPipeline>();
  for (const each of pipelines) {
    const name = each.plan!.name;
    const first = files.get(name) ?? each;
    files.set(name, first);
    if (first.input.file === each.input.file) continue;
    throw new WeirError(
      "WEIR_CONFIG",
      `${first.input.file} and ${each.input.file} are both a pipeline ${name}`,
      {
        remedy: "give one of them another name, or leave it out",
      },
    );
  }
  return [...files.values()];
}

/** Refuses what may not go from host to host, because a former host could not be kept from sending as well. */
function checkTurns(pipelines: readonly CheckedPipeline[]): void {
  for (const { plan } of pipelines) {
    const branch = plan!.branches.find(({ sink }) => sink.kind !== "nothing" && !takesTurns(sink));
    if (branch === undefined) continue;
    throw new WeirError(
      "WEIR_CONFIG",
      `${plan!.name}: what a host that was lost still sends to the sink of ${branch.name} could not be refused`,
      {
        remedy: `${turnsRemedy}, or apply it to one host`,
      },
    );
  }
}

/** Refuses one that a control centre gave the host: what is changed there it gives again as it was. */
function checkPlaced(present: HostDesired, names: readonly string[], remedy: string): void {
  const placed = names.find((name) => placedOf(present, name) !== undefined);
  if (placed === undefined) return;
  throw new WeirError("WEIR_USAGE", `${placed} is placed by the control centre`, { remedy });
}

/** What is wanted of a host by its name. What a control centre gave it is not touched here. */
function byName(present: HostDesired, pipelines: readonly CheckedPipeline[]): HostDesired {
  const names = pipelines.map(({ plan }) => plan!.name);
  checkPlaced(present, names, "apply it with --fleet, or remove it from the fleet first");
  const named = [...present.pipelines].filter(([, { pipeline }]) => pipeline.term === undefined);
  return { ...present, pipelines: new Map(named) };
}

function planFor(
  wanted: readonly WantedPipeline[],
  { pipelines }: HostDesired,
  { prune = false }: ApplyOptions,
): readonly PlannedChange[] {
  const present = new Map([...pipelines].map(([name, { pipeline }]) => [name, pipeline.revision]));
  const resigned = wanted.filter(({ name, signature }) => {
    const before = pipelines.get(name)?.pipeline;
    return before !== undefined && signatureMark(before.signature) !== signatureMark(signature);
  });
  return planChanges(wanted, present, prune, new Set(resigned.map(({ name }) => name)));
}

/** By pipeline that becomes another revision, what becomes of its state. */
async function statePlans(
  changes: readonly PlannedChange[],
  pipelines: readonly CheckedPipeline[],
  runs: () => Promise<HostDesired>,
): Promise<ReadonlyMap<string, StatePlan>> {
  const plans = new Map<string, StatePlan>();
  const changed = changes.filter(({ kind, from, to }) => kind === "change" && from !== to);
  if (changed.length === 0) return plans;
  const present = await runs();
  for (const { name } of changed) {
    const before = present.pipelines.get(name)?.pipeline;
    const after = pipelines.find(({ plan }) => plan?.name === name)?.plan;
    if (before === undefined || after == null) continue;
    const { file, text } = before;
    const { plan } = await loadInput({ file, text, environment: variablesOf(process.env) }, file);
    // Nobody can tell for one that cannot be read any more, an operator of its own having been removed, say.
    if (plan !== null) plans.set(name, statePlan(plan, after));
  }
  return plans;
}

function show(
  changes: readonly PlannedChange[],
  states: ReadonlyMap<string, StatePlan>,
  { json = false, forget = [] }: Pick<ApplyOptions, "json" | "forget">,
): void {
  if (json)
    return print(JSON.stringify(changes.map((each) => ({ ...each, state: states.get(each.name) ?? null }))));
  for (const [place, line] of planLines(changes).entries()) {
    print(line);
    const { name, kind } = changes[place]!;
    if (kind === "keep" && forget.includes(name))
      print("    begins anew where it does not fit what it keeps, also where it was put aside for that");
    const state = states.get(name);
    if (state === undefined) continue;
    print(`    ${statePlanText(name, state, forget.includes(name))}`);
    const threads = threadsText(state);
    if (threads !== null) print(`    ${threads}`);
  }
}

function wantedOf(
  pipelines: readonly CheckedPipeline[],
  { forget = [] }: ApplyOptions,
): readonly WantedPipeline[] {
  checkForget(
    forget,
    pipelines.map(({ plan }) => plan!.name),
  );
  return pipelines.map(({ input: { file, text }, plan }) => {
    const { name } = plan!;
    const signature = signatureOf(file, { name, text });
    warnOfNamedFiles(name, file, text, true);
    return wantedPipeline(file, text, { forget: forget.includes(name), signature });
  });
}

/** The files that are meant, given either way. */
function namedFiles(names: readonly string[], { file = [], prune }: ApplyOptions): readonly string[] {
  const all = [...names, ...file];
  // That nothing is wanted any more has to be said by a folder that is there.
  if (all.length > 0) return prune === true ? all.filter((name) => !isEmptyFolder(name)) : all;
  throw new WeirError("WEIR_USAGE", "no pipelines are named", {
    remedy: "name files, folders or patterns: pipelines/, or -f pipelines/",
  });
}

/** The pipelines that are meant, each once; the exit code where one is wrong. */
async function chosen(
  names: readonly string[],
  options: ApplyOptions,
): Promise<readonly CheckedPipeline[] | number> {
  const found = await checked(namedFiles(names, options));
  if (typeof found === "number") return found;
  const pipelines = eachOnce(found);
  if (options.fleet === true) checkTurns(pipelines);
  return pipelines;
}

export async function plan(names: readonly string[], options: ApplyOptions): Promise<number> {
  const pipelines = await chosen(names, options);
  if (typeof pipelines === "number") return pipelines;
  const host = hostOf(options);
  await withLink(options, async (link) => {
    const bucket = await DesiredBucket.look(link);
    const present = byName((await bucket?.read(host)) ?? nothing, pipelines);
    const changes = planFor(wantedOf(pipelines, options), present, options);
    const runs = async (): Promise<HostDesired> =>
      bucket === null ? present : await asItRuns(link, bucket, host, present);
    show(changes, await statePlans(changes, pipelines, runs), options);
  });
  return 0;
}

/** Writes what changes, one after the other. Where one cannot be written it is told which were: they stay so. */
async function carryOut(
  bucket: DesiredBucket,
  host: string,
  changes: readonly PlannedChange[],
  wanted: readonly WantedPipeline[],
  present: HostDesired,
): Promise<void> {
  const done: string[] = [];
  try {
    for (const { name, kind } of changes) {
      const entry = present.pipelines.get(name) ?? null;
      const pipeline = wanted.find((each) => each.name === name);
      // One that was put aside because its state did not fit is the same revision, with another answer to that.
      const isNew = kind === "keep" ? pipeline?.forget === true : kind !== "remove";
      if (isNew && pipeline !== undefined) await bucket.put(host, pipeline, replaceable(present, name));
      else if (kind === "remove" && entry !== null) await bucket.remove(host, entry);
      else continue;
      done.push(name);
    }
  } catch (error) {
    if (done.length > 0)
      warn(`before that, ${done.join(", ")} ${done.length === 1 ? "was" : "were"} applied`);
    throw error;
  }
}

export async function apply(names: readonly string[], options: ApplyOptions): Promise<number> {
  const pipelines = await chosen(names, options);
  if (typeof pipelines === "number") return pipelines;
  const wanted = wantedOf(pipelines, options);
  await withBucket(options, async (bucket, host, link) => {
    if (host !== fleet) await warnOfStranger(link, host);
    const present = byName(await bucket.read(host), pipelines);
    const changes = planFor(wanted, present, options);
    const runs = (): Promise<HostDesired> => asItRuns(link, bucket, host, present);
    const states = await statePlans(changes, pipelines, runs);
    await carryOut(bucket, host, changes, wanted, present);
    // Last, so that a host which is told for the first time hears all of it at once.
    if (present.state === null && host !== fleet) await bucket.begin(host);
    show(changes, states, options);
    if (host === fleet) await warnOfWaiting(link, wanted);
  });
  return 0;
}

/** What was applied to a fleet and finds no device is wanted all the same, in case one comes. */
async function warnOfWaiting(link: NatsLink, wanted: readonly WantedPipeline[]): Promise<void> {
  const { registered, all } = await fleetNow(link);
  const names = new Set(wanted.map(({ name }) => name));
  for (const { pipeline, fits, text } of waitingLines(waitingPipelines(registered, all)))
    if (names.has(pipeline) && !fits) warn(text);
}

export interface RollbackOptions extends TargetOptions {
  /** The file of a private key that signs the earlier revision anew. */
  readonly key?: string;
}

/** Whether it was gone back to without a key, which devices refuse that trust keys: it is to be signed, and nothing earlier. */
function isBackWithOldSignature({ pipeline, back }: DesiredEntry, history: readonly DesiredEntry[]): boolean {
  const mark = revisionMark(pipeline);
  return back && history.some((each) => !each.back && revisionMark(each.pipeline) === mark);
}

/** Wants again what was wanted before the present revision; after a rollback, what was before that one. */
export async function rollback(name: string, { key, ...options }: RollbackOptions): Promise<number> {
  checkPipeline(name);
  const host = hostOf(options);
  await withLink(options, async (link) => {
    const bucket = await DesiredBucket.look(link);
    if (bucket === null) throw neverWanted(name, host, []);
    const desired = await bucket.read(host);
    checkPlaced(desired, [name], `weir rollback ${name} --fleet goes back, wherever it runs`);
    // What a turn brought here in the past is not this host's to want again.
    const history = (await bucket.history(host, name)).filter(({ pipeline }) => pipeline.term === undefined);
    const present = desired.pipelines.get(name) ?? null;
    const revisions = history.map(({ pipeline, back }) => ({ pipeline, back, revision: pipeline.revision }));
    const before =
      key !== undefined && present !== null && isBackWithOldSignature(present, history)
        ? present
        : earlierRevision(revisions, present?.pipeline.revision ?? null);
    if (history.length === 0 && present === null)
      throw neverWanted(name, host, [...desired.pipelines.keys()]);
    if (before === undefined) {
      throw new WeirError("WEIR_USAGE", `${host} knows no earlier revision of ${name}`, {
        remedy: "apply the file as it was",
      });
    }
    const pipeline = wantedAgain(before.pipeline, { key, hosts: host === fleet ? null : [host] });
    await bucket.put(host, pipeline, replaceable(desired, name), true);
    const now = new Map([[name, present?.pipeline.revision ?? ""]]);
    const resigned = new Set(key === undefined ? [] : [name]);
    show(planChanges([pipeline], now, false, resigned), new Map(), {});
  });
  return 0;
}

/** Lets all workers of a host end in order, or run again. */
export async function drain(options: TargetOptions & { readonly undo?: boolean }): Promise<number> {
  await withBucket(options, async (bucket, host, link) => {
    await warnOfStranger(link, host);
    const drains = options.undo !== true;
    await bucket.setState(host, { drain: drains });
    print(
      `${host} ${drains ? `drains: weir drain --undo --host ${host} lets it run again` : "runs again what is wanted"}`,
    );
  });
  return 0;
}
