// weir devices and weir deploy: the user's side of a fleet. Asks the registry, and asks devices; decides nothing.

import { userInfo } from "node:os";
import { askService } from "../connect/service.ts";
import { durationText } from "../engine/waiting.ts";
import { WeirError } from "../errors.ts";
import { instanceOf, isMeant } from "../instance.ts";
import { deviceSubject } from "../supervisor/control-subjects.ts";
import type { Deployed } from "../supervisor/deployments.ts";
import type { KnownDevice } from "../supervisor/fleet.ts";
import { knownDevice, stateOf, waitingLines, waitingPipelines } from "../supervisor/fleet-view.ts";
import { checked, type ConnectionOptions, fleetNow, withLink } from "./apply.ts";
import { settingsFor } from "./device-settings.ts";
import { checkNames, checkPipeline } from "./host-name.ts";
import type { CheckedPipeline } from "./load.ts";
import { warnOfNamedFiles } from "./named-files.ts";
import { signatureOf } from "./sign.ts";
import { tableText } from "./table-text.ts";
import { print, styled } from "./terminal.ts";

/** Of a device, what it runs of a pipeline: itself, or partitions of it. */
function runsOf({ device }: KnownDevice, pipeline: string): readonly string[] {
  return device.runs.filter((name) => isMeant(name, pipeline));
}

function rowOf(known: KnownDevice, pipeline: string | undefined): string[] {
  const { id, location, labels, capacity, runs } = known.device;
  return [
    id,
    stateOf(known),
    durationText(known.silent_ms),
    pipeline === undefined ? String(runs.length) : runsOf(known, pipeline).join(" "),
    `${capacity.cpu} / ${Math.round(capacity.memory / 1024 ** 2)} MiB`,
    Object.entries(labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(",") || "-",
    location === "" ? "-" : location,
  ];
}

export interface DevicesOptions extends ConnectionOptions {
  readonly json?: boolean;
  /** Only those that run this pipeline. */
  readonly runs?: string;
}

export async function devices(options: DevicesOptions): Promise<number> {
  const { runs } = options;
  const { registered, all } = await withLink(options, fleetNow);
  const known = registered
    .map(({ device, silent_ms }) => knownDevice(device, all, silent_ms, silent_ms))
    .filter((each) => runs === undefined || runsOf(each, runs).length > 0);
  if (options.json === true) {
    print(JSON.stringify(known.map((each) => ({ ...each.device, state: stateOf(each) }))));
    return 0;
  }
  const head = ["DEVICE", "STATE", "SILENT", "RUNS", "CAPACITY", "LABELS", "LOCATION"];
  const [first = "", ...rows] = tableText([head, ...known.map((each) => rowOf(each, runs))]);
  print(styled("dim", first));
  for (const row of rows) print(row);
  for (const { pipeline, text } of waitingLines(waitingPipelines(registered, all)))
    if (runs === undefined || pipeline === instanceOf(runs).pipeline) print(text);
  return 0;
}

export interface DeployOptions extends ConnectionOptions {
  readonly device: string;
  readonly user?: string;
  readonly remove?: boolean;
  readonly json?: boolean;
}

/** Who asks: as who the connection is, since the server lets a user ask under no other name. */
export function defaultUser({ to, nats, config }: ConnectionOptions): string {
  return settingsFor({ nats, config }).connections[to]?.user ?? userInfo().username;
}

function signatureIn({ input: { file, text }, plan }: CheckedPipeline): unknown {
  const { name } = plan!;
  warnOfNamedFiles(name, file, text, false);
  return signatureOf(file, { name, text });
}

/** Asks a device to run a pipeline file, or not to run a pipeline any more. */
export async function deploy(what: string, options: DeployOptions): Promise<number> {
  const { device, user = defaultUser(options), remove = false, json = false } = options;
  checkNames({ device, user });
  if (remove) checkPipeline(what);
  const pipelines = remove ? [] : await checked([what]);
  if (typeof pipelines === "number") return pipelines;
  const [pipeline] = pipelines;
  if (pipelines.length > 1)
    throw new WeirError("WEIR_USAGE", `${what} is several pipelines`, {
      remedy: "deploy one after the other",
    });
  const request = { pipeline: pipeline?.input.text ?? what, signature: pipeline && signatureIn(pipeline) };
  const subject = deviceSubject(device, remove ? "remove" : "deploy", user);
  const answer = (await withLink(options, (link) => askService(link, subject, request))) as Deployed;
  if (json) print(JSON.stringify(answer));
  else if (answer.state === "waiting")
    print(`${answer.name} waits on ${device} for ${answer.waits_for}; it is deployed by itself then`);
  else print(`${answer.name} is ${answer.state} ${answer.state === "removed" ? "from" : "on"} ${device}`);
  return 0;
}
