// Turns that somebody asks for: a pipeline of the fleet, or a partition of one, is to run on another device than it does. Pure.
// What is placed stays, so that the control centre leaves it there; only what would fit there as if it had been placed is moved.

import { z } from "zod";
import { WeirError } from "../errors.ts";
import { instanceOf, isMeant } from "../instance.ts";
import { type Policy, refusal as policyRefusal } from "./control-policy.ts";
import { hostsOf, type KnownDevice, nextOwner, type Owner, type Turn } from "./fleet.ts";
import { hasLabels, labelText } from "./labels.ts";
import { type Host, type Placeable, placeOnHosts } from "./place.ts";
import { spread } from "./spread.ts";

/** Who is to run what. */
export interface Destination {
  readonly name: string;
  readonly host: string;
}

export interface Moves {
  readonly turns: readonly Turn[];
  readonly refused: readonly { readonly name: string; readonly reason: string }[];
}

/** A pipeline, or one partition of it, and the device that is to have it; null for all that fit, which share its partitions. */
export interface MoveRequest {
  readonly pipeline: string;
  readonly host: string | null;
}

const moveRequest: z.ZodType<MoveRequest> = z.strictObject({
  pipeline: z.string(),
  host: z.string().nullable(),
});

/** What became of it. */
export interface Moved {
  readonly moved: readonly {
    readonly name: string;
    readonly from: string | null;
    readonly to: string | null;
    readonly term: number;
    /** What it keeps goes along; absent of a control centre that does not say. */
    readonly carries?: boolean;
  }[];
  readonly refused: Moves["refused"];
}

export function readMove(request: unknown): MoveRequest {
  const read = moveRequest.safeParse(request);
  if (read.success) return read.data;
  throw new WeirError("WEIR_USAGE", "the request is not what is expected here", {
    remedy:
      'send {"pipeline": NAME, "host": DEVICE}, or null as the host to share its partitions among all that fit',
  });
}

export interface FleetNow {
  readonly pipelines: readonly Placeable[];
  readonly devices: readonly KnownDevice[];
  readonly owners: ReadonlyMap<string, Owner>;
  readonly policy: Policy;
  /** Pipelines whose partitions the control centre shares evenly by itself. */
  readonly spread: ReadonlySet<string>;
}

/** What a user may have moved of what is asked for. Throws where no pipeline of that name is wanted of the fleet. */
export function movesFor({ pipeline: name, host }: MoveRequest, user: string, fleet: FleetNow): Moves {
  const { pipelines, devices, owners, policy } = fleet;
  const meant = pipelines.filter((each) => isMeant(each.name, name));
  if (meant.length === 0)
    throw new WeirError("WEIR_USAGE", `no pipeline ${name} is wanted of the fleet`, {
      remedy: "weir apply FILE --fleet wants one; weir devices says which devices there are",
    });
  if (host !== null && fleet.spread.has(instanceOf(name).pipeline))
    throw new WeirError(
      "WEIR_USAGE",
      `the partitions of ${name} are shared evenly among all devices that fit`,
      {
        remedy: "its placement says so: without `spread: true` they stay where somebody moves them",
      },
    );
  const destinations =
    host === null
      ? spreadOver(meant, devices, owners, policy.lost_after)
      : meant.map((each) => ({ name: each.name, host }));
  const forbidden = destinations.flatMap(({ name: each, host: to }) => {
    const device = devices.find(({ device: { id } }) => id === to)?.device;
    const { demand, labels: wants } = meant.find(({ name: other }) => other === each)!;
    const asked = { user, pipeline: instanceOf(each).pipeline, demand, wants };
    const reason = device === undefined ? null : policyRefusal(policy, asked, device, []);
    return reason === null ? [] : [{ name: each, reason }];
  });
  const allowed = destinations.filter(({ name: each }) => forbidden.every((other) => other.name !== each));
  const { turns, refused } = turnsByHand(allowed, pipelines, devices, owners, policy.lost_after);
  return { turns, refused: [...forbidden, ...refused] };
}

/** The destinations that can be met, in their order, each beside those before it, and why the others cannot. */
export function turnsByHand(
  destinations: readonly Destination[],
  pipelines: readonly Placeable[],
  devices: readonly KnownDevice[],
  owners: ReadonlyMap<string, Owner>,
  lost_after: number,
  why: string = "somebody moved it",
): Moves {
  const hosts = hostsOf(devices, lost_after);
  const where = new Map<string, string>();
  for (const [name, { host }] of owners) if (host !== null) where.set(name, host);
  const turns: Turn[] = [];
  const refused: { name: string; reason: string }[] = [];
  for (const { name, host: to } of destinations) {
    const last = owners.get(name);
    if (last?.host === to) continue;
    const host = hosts.find((each) => each.name === to);
    const pipeline = pipelines.find((each) => each.name === name);
    const reason =
      last === undefined || pipeline === undefined
        ? "no control centre has placed it yet"
        : refusal(pipeline, host, to, pipelines, hosts, where);
    if (reason !== null) refused.push({ name, reason });
    else {
      where.set(name, to);
      const carries = pipeline?.carriesState === true;
      turns.push({ name, owner: nextOwner(last, { host: to, reason: why, carries }) });
    }
  }
  return { turns, refused };
}

/** Why it cannot run on a host; null where it can, and nothing has to go for it. */
function refusal(
  pipeline: Placeable,
  host: Host | undefined,
  to: string,
  pipelines: readonly Placeable[],
  hosts: readonly Host[],
  where: ReadonlyMap<string, string>,
): string | null {
  if (host === undefined) return `no device called ${to} has said that it is there`;
  if (host.state !== "connected") return `${to} is ${host.state}`;
  if (!hasLabels(host.labels, pipeline.labels))
    return `${to} does not have the labels ${labelText(pipeline.labels)}`;
  const after = placeOnHosts(pipelines, hosts, new Map([...where, [pipeline.name, to]])).where;
  const stays = [...where].every(([name, at]) => at !== to || after.get(name) === to);
  return stays && after.get(pipeline.name) === to ? null : `${to} has no room for it beside what runs there`;
}

/**
 * Who is to run which of the partitions so that all devices that may have as many, or one more; as few as can be are moved. What
 * runs on a device that cannot be heard just now stays there until it is lost.
 */
export function spreadOver(
  partitions: readonly Placeable[],
  devices: readonly KnownDevice[],
  owners: ReadonlyMap<string, Owner>,
  lost_after: number,
): readonly Destination[] {
  const hosts = hostsOf(devices, lost_after);
  const fitting = hosts.filter(
    ({ state, labels }) =>
      state === "connected" && partitions.every((each) => hasLabels(labels, each.labels)),
  );
  const silent = new Set(hosts.filter(({ state }) => state === "disconnected").map(({ name }) => name));
  const members = partitions
    .map(({ name }) => name)
    .filter((name) => !silent.has(owners.get(name)?.host ?? ""));
  const used = new Set(members.map((name) => owners.get(name)?.host));
  // Where there are more devices than partitions, those that have some are among the ones that count.
  const names = fitting
    .map(({ name }) => name)
    .sort((a, b) => Number(used.has(b)) - Number(used.has(a)) || (a < b ? -1 : 1));
  const count = Math.min(names.length, members.length);
  if (count === 0) return [];
  const before = new Map(members.map((name) => [name, owners.get(name)?.host ?? ""]));
  const where = spread(members, before, count, (number) => names[number - 1] ?? `${number}`);
  return members.map((name) => ({ name, host: where.get(name)! }));
}

/**
 * The next turn by which partitions come nearer to being shared evenly; null where they are, and as long as one of them is on its
 * way: each begins anew where it comes to, so that no more are moved than have to be, and one after the other.
 */
export function nextSpread(
  partitions: readonly Placeable[],
  pipelines: readonly Placeable[],
  devices: readonly KnownDevice[],
  owners: ReadonlyMap<string, Owner>,
  lost_after: number,
): Turn | null {
  const heard = new Set(
    hostsOf(devices, lost_after).flatMap(({ name, state }) => (state === "connected" ? [name] : [])),
  );
  const runs = new Map(devices.map(({ device }) => [device.id, new Set(device.runs)]));
  const isThere = ({ name }: Placeable): boolean => {
    const host = owners.get(name)?.host ?? "";
    return heard.has(host) && runs.get(host)?.has(name) === true;
  };
  if (!partitions.every(isThere)) return null;
  const destinations = spreadOver(partitions, devices, owners, lost_after);
  const why = "its partitions are shared evenly";
  return turnsByHand(destinations, pipelines, devices, owners, lost_after, why).turns[0] ?? null;
}
