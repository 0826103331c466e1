// What users ask a device to run, or not to run any more: the device asks the control centre, and wants it once that has
// confirmed. What nobody can confirm just now is kept on the disk and asked again. Decides nothing itself.

import { z } from "zod";
import type { NatsLink } from "../connect/nats-connection.ts";
import { askService, errorOf } from "../connect/service.ts";
import { messageOf, WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Log } from "../log.ts";
import { confirmSubject } from "./control-subjects.ts";
import { DesiredBucket, replaceable } from "./desired-bucket.ts";
import type { Waiting } from "./supervisor-files.ts";
import { revisionMark, type WantedPipeline, wantedPipeline } from "./wanted.ts";

export interface DeploymentsOptions {
  readonly host: string;
  /** The connection with the bucket and the control centre; null until it is there. */
  readonly link: () => NatsLink | null;
  /** Where the file of a pipeline would be. */
  readonly fileOf: (name: string) => string;
  readonly files: {
    waiting(): readonly Waiting[];
    keepWaiting(waiting: readonly Waiting[]): void;
  };
  readonly tell: (
    what: "deployed" | "removed" | "refused",
    name: string,
    reason: string,
    revision?: string,
  ) => void;
  /** Why this device lets a pipeline not in that is asked for now; null where it does. */
  readonly refusalOf: (pipeline: WantedPipeline) => string | null;
  readonly log: Log;
}

const deployRequest = z.strictObject({ pipeline: z.string().min(1), signature: z.unknown().optional() });
const answerOfControl = z.object({ confirmed: z.boolean(), reason: z.string().nullable() });

/** What a user is told. */
export type Deployed =
  | { readonly state: "deployed"; readonly name: string; readonly revision: string }
  | { readonly state: "removed"; readonly name: string }
  | {
      readonly state: "waiting";
      readonly name: string;
      readonly revision: string;
      readonly waits_for: string;
    };

export class Deployments {
  readonly #options: DeploymentsOptions;
  #waiting: readonly Waiting[];
  /** Names that somebody is asked for just now. */
  readonly #asked = new Set<string>();
  #retrying = false;

  constructor(options: DeploymentsOptions) {
    this.#options = options;
    this.#waiting = options.files.waiting();
  }

  /** What waits to be confirmed. */
  get waiting(): readonly { readonly name: string; readonly user: string }[] {
    return this.#waiting.map((each) => ({ name: nameOf(each), user: each.user }));
  }

  /** `user`: who asks, as the server lets it be said. */
  async deploy(request: unknown, user: string): Promise<Deployed> {
    const { pipeline: text, signature } = requested(request, "the text of a pipeline");
    // Its name is known once it is read.
    const { name } = wantedPipeline("pipeline", text);
    const wanted = wantedPipeline(this.#options.fileOf(name), text, { signature });
    const { revision } = wanted;
    this.#letIn(wanted);
    // A user's newest wish for a name is the one that counts. Those of others wait on: whether this one may is not known yet.
    this.#keep(this.#without(name, user));
    this.#asked.add(name);
    try {
      await this.#ask(wanted, user);
      this.#keep(this.#without(name));
    } catch (error) {
      if (!isUnreachable(error)) throw error;
      if (this.#waiting.length >= limits.deployments_waiting_max) throw tooMany();
      this.#keep([...this.#waiting, { user, file: wanted.file, text, signature }]);
      return { state: "waiting", name, revision, waits_for: `the control centre: ${messageOf(error)}` };
    } finally {
      this.#asked.delete(name);
    }
    return { state: "deployed", name, revision };
  }

  async remove(request: unknown, user: string): Promise<Deployed> {
    const { pipeline: name } = requested(request, "the name of a pipeline");
    const { host, tell } = this.#options;
    const before = this.#waiting.length;
    this.#keep(this.#without(name, user));
    const isWithdrawn = this.#waiting.length < before;
    const link = this.#options.link();
    // Unlike what is to be deployed, it is not kept: it may be wanted again by then.
    if (link?.connected !== true) throw notRemoved(name, isWithdrawn);
    const bucket = await DesiredBucket.open(link);
    const entry = (await bucket.read(host)).pipelines.get(name) ?? null;
    const others = this.#waiting.find((each) => nameOf(each) === name);
    const known = entry?.pipeline ?? (others === undefined ? null : pipelineOf(others));
    if (known === null && !isWithdrawn)
      throw new WeirError("WEIR_USAGE", `${host} is not to run a pipeline called ${name}`, {
        remedy: `nats req weir.device.${host}.status '' says what it is to run`,
      });
    if (known !== null) {
      await this.#confirmed(link, known, user);
      this.#keep(this.#without(name));
      if (entry !== null) await bucket.remove(host, entry);
    }
    tell("removed", name, `by ${user}`);
    return { state: "removed", name };
  }

  /** Asks again for what waits, in order, as far as it can be asked. */
  async retry(): Promise<void> {
    if (this.#retrying) return;
    this.#retrying = true;
    try {
      for (const each of this.#waiting) {
        const wanted = pipelineOf(each);
        // Withdrawn meanwhile, or about to be replaced.
        if (!this.#waiting.includes(each) || this.#asked.has(wanted.name)) continue;
        try {
          // It may have waited for longer than its signature is good, or have been changed on the disk.
          this.#letIn(wanted);
          await this.#ask(wanted, each.user);
        } catch (error) {
          if (isUnreachable(error)) return;
          this.#options.tell("refused", wanted.name, errorOf(error).error.message, wanted.revision);
        }
        this.#keep(this.#waiting.filter((other) => other !== each));
      }
    } finally {
      this.#retrying = false;
    }
  }

  async #ask(wanted: WantedPipeline, user: string): Promise<void> {
    const { host, tell } = this.#options;
    const link = this.#connected();
    await this.#confirmed(link, wanted, user);
    const bucket = await DesiredBucket.open(link);
    const desired = await bucket.read(host);
    const entry = desired.pipelines.get(wanted.name);
    const isThere = entry !== undefined && revisionMark(entry.pipeline) === revisionMark(wanted);
    if (!isThere) await bucket.put(host, wanted, replaceable(desired, wanted.name));
    if (desired.state === null) await bucket.begin(host);
    tell("deployed", wanted.name, `revision ${wanted.revision} by ${user}`, wanted.revision);
  }

  #letIn(wanted: WantedPipeline): void {
    const refusal = this.#options.refusalOf(wanted);
    if (refusal === null) return;
    throw new WeirError("WEIR_REFUSED", `${this.#options.host} refuses ${wanted.name}: ${refusal}`, {
      remedy: "weir sign FILE --key release.key, with a key that the device trusts, and deploy it again",
    });
  }

  async #confirmed(link: NatsLink, { name, placement }: WantedPipeline, user: string): Promise<void> {
    const { processors, memory, labels } = placement;
    const request = { user, pipeline: name, processors, memory, labels };
    const answer = await askService(link, confirmSubject(this.#options.host), request);
    const { confirmed, reason } = answerOfControl.parse(answer);
    if (confirmed) return;
    throw new WeirError("WEIR_REFUSED", `the control centre refuses: ${reason}`, {
      remedy: "its policy says who may run what where: the file of weir control --policy",
    });
  }

  #connected(): NatsLink {
    const link = this.#options.link();
    if (link?.connected === true) return link;
    throw new WeirError("WEIR_NATS_UNAVAILABLE", "this device is not connected to it", {
      remedy: "nothing: it is asked as soon as the connection is there",
    });
  }

  /** What waits but for that name, or for that user's wish for it. */
  #without(name: string, user?: string): readonly Waiting[] {
    return this.#waiting.filter(
      (each) => nameOf(each) !== name || (user !== undefined && each.user !== user),
    );
  }

  #keep(waiting: readonly Waiting[]): void {
    if (waiting.length === 0 && this.#waiting.length === 0) return;
    this.#options.files.keepWaiting(waiting);
    this.#waiting = waiting;
  }
}

function pipelineOf({ file, text, signature }: Waiting): WantedPipeline {
  return wantedPipeline(file, text, { signature });
}

function nameOf(waiting: Waiting): string {
  return pipelineOf(waiting).name;
}

function requested(request: unknown, what: string): z.infer<typeof deployRequest> {
  const read = deployRequest.safeParse(request);
  if (read.success) return read.data;
  throw new WeirError("WEIR_USAGE", "the request is not what is expected here", {
    remedy: `send {"pipeline": ${what}}, with "signature" where it is signed; who asks is the last word of the subject: weir.device.ID.deploy.USER`,
  });
}

function isUnreachable(error: unknown): boolean {
  return error instanceof WeirError && error.code === "WEIR_NATS_UNAVAILABLE";
}

function notRemoved(name: string, waited: boolean): WeirError {
  const and = waited ? `${name} does not wait to be deployed any more, and ` : "";
  return new WeirError(
    "WEIR_NATS_UNAVAILABLE",
    `${and}what runs is not removed: this device is not connected to the control centre`,
    { remedy: "ask again once it is connected: what is to be removed is not kept" },
  );
}

function tooMany(): WeirError {
  const most = limits.deployments_waiting_max;
  return new WeirError("WEIR_USAGE", `${most} requests wait for the control centre already`, {
    remedy: "wait until it can be reached",
  });
}
