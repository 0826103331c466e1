// What is wanted, in a key-value bucket of NATS: written by whoever applies, compare-and-set, so that nobody undoes
// what another did meanwhile; followed by the supervisor of each host. Decides nothing about workers.

import { JetStreamApiCodes } from "@nats-io/jetstream";
import type { KV } from "@nats-io/kv";
import { z } from "zod";
import { type Clock, sleep } from "../clock.ts";
import { backOff } from "../connect/back-off.ts";
import { isCode } from "../connect/jetstream-requests.ts";
import { bucketsOf, isBucket, isOutdated } from "../connect/key-value.ts";
import type { NatsLink } from "../connect/nats-connection.ts";
import { messageOf, WeirError } from "../errors.ts";
import { instanceName, instanceOf, tokensOf } from "../instance.ts";
import { limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Asked } from "./admission.ts";
import { type BucketEntry, entriesOf, jsonOf } from "./bucket-scan.ts";
import { fleet } from "./control-subjects.ts";
import type { Owner } from "./fleet.ts";
import { type WantedPipeline, wantedPipeline } from "./wanted.ts";

export const desiredBucket = "weir_desired";

const pipelineEntry = z.object({
  file: z.string(),
  text: z.string(),
  term: z.int().optional(),
  forget: z.boolean().optional(),
  resumes: z.boolean().optional(),
  leaves: z.boolean().optional(),
  carries: z.int().optional(),
  back: z.boolean().optional(),
  signature: z.unknown().optional(),
});
const hostEntry = z.object({ drain: z.boolean() });
const ownerEntry: z.ZodType<Owner> = z.object({
  host: z.string().nullable(),
  term: z.int().positive(),
  before: z.string().nullable(),
  reason: z.string(),
  carried_since: z.int().positive().optional(),
});

export interface HostState {
  /** Nothing is to run there for the time being. */
  readonly drain: boolean;
}

/** A pipeline as the bucket has it. */
export interface DesiredEntry {
  readonly pipeline: WantedPipeline;
  /** The bucket's own number of this entry: whoever replaces it has to know it. */
  readonly sequence: number;
  /** It was gone back to. */
  readonly back: boolean;
}

/** Whose turn a pipeline of the fleet is, as the bucket has it. */
export interface OwnerEntry {
  readonly owner: Owner;
  readonly sequence: number;
}

/** All that the bucket holds. */
export interface AllDesired {
  /** By host; `fleet` is one of them. */
  readonly hosts: ReadonlyMap<string, HostDesired>;
  readonly owners: ReadonlyMap<string, OwnerEntry>;
}

/** All that is wanted of one host; `state` is null where nobody has told that host anything yet. */
export interface HostDesired {
  readonly state: HostState | null;
  readonly pipelines: ReadonlyMap<string, DesiredEntry>;
  /** Entries that are no pipelines, by the names of their keys, and why; absent where there are none. */
  readonly unreadable?: readonly (Asked["unreadable"][number] & Replaceable)[];
}

/** An entry that another one can take the place of. */
export type Replaceable = Pick<DesiredEntry, "sequence">;

/** What a new entry of that name takes the place of, also where it cannot be read; null where there is none. */
export function replaceable({ pipelines, unreadable = [] }: HostDesired, name: string): Replaceable | null {
  return pipelines.get(name) ?? unreadable.find((each) => each.name === name) ?? null;
}

// A host's keys are one subject with a wildcard: older servers filter by no more than one.
const pipelineKey = (host: string, name: string): string => `${host}.pipeline.${tokensOf(name)}`;
const ownerKey = (name: string): string => `${fleet}.owner.${tokensOf(name)}`;
const hostKey = (host: string): string => `${host}.state`;

function fromKey(tokens: string): string {
  const [pipeline = "", partition = ""] = tokens.split(".");
  return /^\d+$/.test(partition) ? instanceName(pipeline, Number(partition)) : tokens;
}

function stale(what: string, cause: unknown): WeirError {
  return new WeirError("WEIR_STALE", `${what} was changed by somebody else meanwhile`, {
    remedy: "look at it with weir plan, and apply again",
    cause,
  });
}

/** The pipeline, or why there is none. `name`: of its key. */
function readPipeline(entry: Pick<BucketEntry, "revision" | "json">, name: string): DesiredEntry | string {
  try {
    const parsed = pipelineEntry.safeParse(entry.json());
    if (!parsed.success) throw new Error("expected a file, a text, and what else belongs to a pipeline");
    const { file, text, back = false, ...more } = parsed.data;
    const pipeline = wantedPipeline(file, text, { ...more, partition: instanceOf(name).partition });
    if (pipeline.name !== name)
      throw new Error(`its key is that of ${name}, and its text calls it ${pipeline.name}`);
    return { pipeline, sequence: entry.revision, back };
  } catch (error) {
    return `its entry in the bucket ${desiredBucket} cannot be read: ${messageOf(error)}`;
  }
}

function readState(entry: BucketEntry): HostState | null {
  const read = hostEntry.safeParse(jsonOf(entry));
  return read.success ? read.data : null;
}

/** What is wanted of one host while it is read. */
interface Changing {
  state: HostState | null;
  readonly pipelines: Map<string, DesiredEntry>;
  readonly unreadable: NonNullable<HostDesired["unreadable"]>[number][];
}

function allIn(entries: ReadonlyMap<string, BucketEntry>): AllDesired {
  const hosts = new Map<string, Changing>();
  const owners = new Map<string, OwnerEntry>();
  for (const [key, entry] of entries) {
    const [host = "", kind, ...tokens] = key.split(".");
    const name = fromKey(tokens.join("."));
    const known = hosts.get(host) ?? {
      state: null,
      pipelines: new Map<string, DesiredEntry>(),
      unreadable: [],
    };
    hosts.set(host, known);
    if (kind === "state") known.state = readState(entry);
    const pipeline = kind === "pipeline" ? readPipeline(entry, name) : null;
    if (typeof pipeline === "string")
      known.unreadable.push({ name, reason: pipeline, sequence: entry.revision });
    else if (pipeline !== null) known.pipelines.set(pipeline.pipeline.name, pipeline);
    const owner = kind === "owner" && host === fleet ? ownerEntry.safeParse(jsonOf(entry)) : null;
    if (owner?.success === true) owners.set(name, { owner: owner.data, sequence: entry.revision });
  }
  return { hosts, owners };
}

export class DesiredBucket {
  readonly #link: NatsLink;
  readonly #store: KV;

  private constructor(link: NatsLink, store: KV) {
    this.#link = link;
    this.#store = store;
  }

  /** The bucket, which is made where it is not there. */
  static async open(link: NatsLink): Promise<DesiredBucket> {
    const store = await bucketsOf(link).create(desiredBucket, { history: limits.desired_history_max });
    return new DesiredBucket(link, store);
  }

  /** The bucket as it is; null where nobody has made it yet, and whoever only looks does not. */
  static async look(link: NatsLink): Promise<DesiredBucket | null> {
    return (await isBucket(link, desiredBucket)) ? DesiredBucket.open(link) : null;
  }

  /** Another one where anything has changed since. */
  async version(): Promise<number> {
    return (await this.#store.status()).streamInfo.state.last_seq;
  }

  /** Tells one bucket of this name from another; null where there is none. */
  async mark(): Promise<string | null> {
    try {
      return (await this.#store.status()).streamInfo.created;
    } catch (error) {
      if (isCode(error, JetStreamApiCodes.StreamNotFound)) return null;
      throw error;
    }
  }

  async all(): Promise<AllDesired> {
    return allIn(await entriesOf(this.#link, desiredBucket));
  }

  /** Gives a turn; `sequence` is that of the entry that it takes the place of, null for none. */
  async own(name: string, owner: Owner, sequence: number | null): Promise<void> {
    const [key, value] = [ownerKey(name), JSON.stringify(owner)];
    try {
      if (sequence === null) await this.#store.create(key, value);
      else await this.#store.update(key, value, sequence);
    } catch (error) {
      throw isOutdated(error) ? stale(name, error) : error;
    }
  }

  /**
   * What is wanted of a host now. All of it in one go: whoever is told the state is told as well what was wanted before that
   * was written, so that a host which hears of it for the first time does not end everything for a moment.
   */
  async read(host: string): Promise<HostDesired> {
    const pipelines = new Map<string, DesiredEntry>();
    const unreadable: NonNullable<HostDesired["unreadable"]>[number][] = [];
    const entries = await entriesOf(this.#link, desiredBucket, `${host}.>`);
    const found = entries.get(hostKey(host));
    for (const [key, entry] of entries) {
      if (!key.startsWith(pipelineKey(host, ""))) continue;
      const name = fromKey(key.slice(pipelineKey(host, "").length));
      const read = readPipeline(entry, name);
      if (typeof read === "string") {
        unreadable.push({ name, reason: read, sequence: entry.revision });
      } else pipelines.set(read.pipeline.name, read);
    }
    const state = found === undefined ? null : readState(found);
    return { state, pipelines, ...(unreadable.length === 0 ? {} : { unreadable }) };
  }

  /** Wants a pipeline; `replaces` is the entry that it takes the place of, as it was read; `back`: it is gone back to. */
  async put(
    host: string,
    { name, file, text, term, forget, resumes, leaves, carries, signature }: WantedPipeline,
    replaces: Replaceable | null,
    back?: true,
  ): Promise<void> {
    const key = pipelineKey(host, name);
    const value = JSON.stringify({ file, text, term, forget, resumes, leaves, carries, back, signature });
    try {
      // One that was deleted has a last number as well, which `create` knows how to follow.
      if (replaces === null) await this.#store.create(key, value);
      else await this.#store.update(key, value, replaces.sequence);
    } catch (error) {
      throw isOutdated(error) ? stale(name, error) : error;
    }
  }

  async remove(host: string, { pipeline, sequence }: DesiredEntry): Promise<void> {
    try {
      await this.#store.delete(pipelineKey(host, pipeline.name), { previousSeq: sequence });
    } catch (error) {
      throw isOutdated(error) ? stale(pipeline.name, error) : error;
    }
  }

  /** From here on what is wanted of a host counts there. Where somebody has told it something meanwhile, to drain say, that stands. */
  async begin(host: string): Promise<void> {
    const state: HostState = { drain: false };
    try {
      await this.#store.create(hostKey(host), JSON.stringify(state));
    } catch (error) {
      if (!isOutdated(error)) throw error;
    }
  }

  async setState(host: string, state: HostState): Promise<void> {
    await this.#store.put(hostKey(host), JSON.stringify(state));
  }

  /** What was wanted under a name, oldest first, as far as the bucket remembers. */
  async history(host: string, name: string): Promise<readonly DesiredEntry[]> {
    const found: DesiredEntry[] = [];
    const entries = await this.#store.history({ key: pipelineKey(host, name) });
    for await (const entry of entries) {
      const read = entry.operation === "PUT" ? readPipeline(entry, name) : "";
      if (typeof read !== "string") found.push(read);
    }
    return found;
  }

  /** Tells what is wanted of a host, all of it, now and after each change, until `stopped`. */
  async follow(host: string, told: (desired: HostDesired) => void, stopped: AbortSignal): Promise<void> {
    const watch = await this.#store.watch({ key: `${host}.>` });
    const stop = (): void => watch.stop();
    stopped.addEventListener("abort", stop, { once: true });
    // What is there is read as a whole first; the watch tells what comes after.
    try {
      if (stopped.aborted) return;
      told(await this.read(host));
      for await (const entry of watch) if (entry.isUpdate) told(await this.read(host));
    } finally {
      stopped.removeEventListener("abort", stop);
      watch.stop();
    }
  }
}

/** Follows what is wanted of a host for ever, whatever becomes of the connection or the bucket; ends by `stopped`. */
export async function followDesired(
  link: NatsLink,
  host: string,
  told: (desired: HostDesired) => void,
  { clock, log, stopped }: { readonly clock: Clock; readonly log: Log; readonly stopped: AbortSignal },
): Promise<void> {
  let complaint = "";
  for (let attempt = 0; !stopped.aborted; attempt++) {
    const { cuts } = link;
    const over = new AbortController();
    // A watch is not told of all that happened while the connection was cut, nor always that it has ended.
    const ends = [
      clock.every(limits.desired_check_ms, () => {
        if (link.cuts !== cuts && link.connected) over.abort();
      }),
    ];
    try {
      const bucket = await DesiredBucket.open(link);
      const mark = await bucket.mark();
      // Nor is it told that the bucket was deleted, and made anew.
      const look = async (): Promise<void> => {
        const isOther = await bucket.mark().then(
          (now) => now !== mark,
          () => false,
        );
        if (isOther) over.abort();
      };
      ends.push(clock.every(limits.desired_bucket_check_ms, () => void look()));
      const heard = (desired: HostDesired): void => {
        attempt = 0;
        complaint = "";
        told(desired);
      };
      await bucket.follow(host, heard, AbortSignal.any([stopped, over.signal]));
    } catch (error) {
      const message = messageOf(error);
      if (message !== complaint) log.warn(`what is wanted cannot be followed, it stays as it is: ${message}`);
      complaint = message;
    } finally {
      for (const end of ends) end();
    }
    if (!stopped.aborted) await sleep(clock, backOff(attempt, Math.random()));
  }
}
