// The chains of a durable task: each place where rows of a pipeline go is one, and its sinks are entries of it. Knows which
// kind of sink becomes which kind of target; sends nothing by itself, and never waits for a server: its rows do.

import { setImmediate as nextTurn } from "node:timers/promises";
import { csvHeader } from "../codec/csv/encoder.ts";
import type { ChainIdentity, Place, Target, TargetEvents } from "../connect/chain/chain.ts";
import { ChainSender } from "../connect/chain/chain-sender.ts";
import { type Delivery, openDelivery } from "../connect/chain/delivery.ts";
import { fileTarget } from "../connect/chain/file-target.ts";
import { plainTarget } from "../connect/chain/plain-target.ts";
import type { Sink } from "../connect/connect.ts";
import type { NatsLink } from "../connect/nats-connection.ts";
import { natsSink } from "../connect/nats-sink.ts";
import { stdoutSink } from "../connect/stdout-sink.ts";
import { formName } from "../engine/condenser.ts";
import { claimSubject } from "../connect/chain/claim.ts";
import { WeirError } from "../errors.ts";
import type { BranchPlan, PipelinePlan } from "../pipeline/pipeline.ts";
import { backlogOf } from "../state/outbox/lanes.ts";
import type { Outbox } from "../state/outbox/outbox.ts";
import type { UplinkStats } from "../state/outbox/uplinks.ts";
import { isMap, type Plain } from "../state/plain.ts";
import { awaitedTarget } from "./awaited-target.ts";
import { ChainAccount, droppedSince, sumOf } from "./chain-account.ts";
import { chainInId, chainOf, mayOvertake, takesTurns, turnsRemedy } from "./chain-names.ts";
import type { Sender } from "./durable-task.ts";
import { batched, pathOf, type RowSink, streamKey, type Surroundings } from "./open.ts";
import { Hindrance } from "./hindrance.ts";
import { outboxSink } from "./outbox-sink.ts";

type Opening = (events: TargetEvents, identity: ChainIdentity, place: Place | null) => Target;

/** Subjects of lanes begin with it: `up.<host>.<pipeline>.<lane>`. */
const lanePrefix = "up";
/** In place of the host where the pipeline goes from host to host: each has to find what the one before it wrote. */
const anyHost = "fleet";

export interface ChainSetOptions {
  /** The machine's name, which stands in the subjects of lanes. */
  readonly host: string;
  readonly outbox: Outbox;
  /** The log's; the identity of each chain begins with it. */
  readonly identity: ChainIdentity;
  readonly surroundings: Surroundings;
  /** By chain, what the last commit says of the other side. */
  readonly places: Plain;
  /** This host's turn of the pipeline, where it goes from host to host. */
  readonly term: number | undefined;
  /** Rows that wait long are condensed. */
  readonly condenses: boolean;
  /** A chain can never go on. */
  readonly failed: (error: WeirError) => void;
}

export class ChainSet {
  readonly #options: ChainSetOptions;
  readonly #senders = new Map<string, ChainSender>();
  readonly #accounts = new Map<string, ChainAccount>();
  /** By chain, of those whose rows go to a server. */
  readonly #hindrances = new Map<string, Hindrance>();

  constructor(options: ChainSetOptions) {
    this.#options = options;
  }

  get senders(): readonly Sender[] {
    return [...this.#senders.values()];
  }

  /** Resolves once every place is this host's, and nobody else's rows are taken there; rejects, and ends, with any of `ends`. */
  async claimed(ends: readonly Promise<never>[]): Promise<void> {
    const senders = [...this.#senders.values()];
    for (const sender of senders) sender.start();
    try {
      await Promise.race([Promise.all(senders.map((sender) => sender.flush())), ...ends]);
    } catch (error) {
      for (const sender of senders) await sender.close();
      throw error;
    }
  }

  /** A sink whose rows go by way of the outbox; `branch` is null for the dead letter. */
  async sink(spec: RowSink, plan: PipelinePlan, branch: BranchPlan | null): Promise<Sink> {
    const { outbox } = this.#options;
    const chain = chainOf(spec, plan.name);
    if (!this.#senders.has(chain)) await this.#openBoth(chain, spec, plan, branch);
    const form = branch === null || !this.#options.condenses ? null : formName(plan, branch);
    const sink = outboxSink({
      outbox,
      chain,
      ...(form === null ? {} : { form }),
      account: this.#accountOf(chain).share(),
      hindrance: () => this.#hindranceOf(chain),
    });
    if (spec.kind !== "nats" || branch === null) return sink;
    const { connection } = await this.#connection(spec.to);
    return batched(sink, spec, branch.format, connection, this.#options.surroundings.clock);
  }

  #hindranceOf(chain: string): string | null {
    const { outbox, surroundings } = this.#options;
    const hindrance = this.#hindrances.get(chain);
    const away = hindrance?.text ?? this.#senders.get(chain)?.trouble ?? null;
    const uplink = outbox.uplinks
      .stats(surroundings.clock.now())
      .find(({ connection }) => connection === hindrance?.connection);
    const backlog = backlogOf(chain);
    const waits = this.#senders.has(backlog) && outbox.account(backlog).waiting > 0;
    const spent = uplink === undefined ? null : budgetText(uplink, waits);
    const full = outbox.isFull() ? "the outbox is full, so nothing more is read" : null;
    return [away, spent, full].filter((each) => each !== null).join("; ") || null;
  }

  /** A chain and, where it may have one, its backlog. */
  async #openBoth(
    chain: string,
    spec: RowSink,
    plan: PipelinePlan,
    branch: BranchPlan | null,
  ): Promise<void> {
    if (spec.kind === "nats") this.#hindrances.set(chain, new Hindrance(spec.to));
    this.#open(chain, await this.#opening(spec, plan, branch, "live"));
    if (mayOvertake(spec)) this.#open(backlogOf(chain), await this.#opening(spec, plan, branch, "backlog"));
  }

  /** What becomes of the rows of a chain, and of those of its backlog. */
  #accountOf(chain: string): ChainAccount {
    const known = this.#accounts.get(chain);
    if (known !== undefined) return known;
    const { outbox } = this.#options;
    const parts = [chain, backlogOf(chain)].flatMap((name) => {
      const sender = this.#senders.get(name);
      return sender === undefined ? [] : [{ name, sender, before: outbox.account(name).dropped }];
    });
    const account = new ChainAccount(() =>
      sumOf(
        parts.flatMap(({ name, sender, before }) => {
          const { waiting, dropped } = outbox.account(name);
          const kept = { rows: 0, bytes: 0, pending: waiting, dropped: droppedSince(before, dropped) };
          // Of what was taken the outbox knows as well that it waits.
          return [{ ...sender.stats(), pending: 0 }, kept];
        }),
      ),
    );
    this.#accounts.set(chain, account);
    return account;
  }

  /** A connection, whose server may take long. What is wrong with its settings is known by the next turn, and is thrown. */
  async #connection(to: string): Promise<{ readonly connection: Promise<NatsLink> }> {
    const connection = this.#options.surroundings.connections.link(to);
    await Promise.race([connection, nextTurn()]);
    return { connection };
  }

  #open(chain: string, opening: Opening): ChainSender {
    const { outbox, surroundings, failed, places, term } = this.#options;
    const { id, epoch } = this.#options.identity;
    const identity = { id: `${id}.${chainInId(chain)}`, epoch, ...(term === undefined ? {} : { term }) };
    const place = isMap(places) ? placeOf(places[chain] ?? null) : null;
    const sender = new ChainSender({
      chain,
      outbox,
      identity,
      target: (events) => opening(events, identity, place),
      clock: surroundings.clock,
      log: surroundings.log,
      fenced: failed,
      hasWriter: true,
    });
    this.#senders.set(chain, sender);
    return sender;
  }

  async #opening(
    spec: RowSink,
    plan: PipelinePlan,
    branch: BranchPlan | null,
    waited: "live" | "backlog",
  ): Promise<Opening> {
    const { clock, log, readerGone } = this.#options.surroundings;
    const { term } = this.#options;
    if (term !== undefined && branch !== null && !takesTurns(spec)) throw cannotMove(plan.name, spec);
    const header = branch?.format === "csv" ? { header: csvHeader(branch.rows) } : {};
    if (spec.kind === "stdout") {
      const sink = stdoutSink({ ...header, onEnd: readerGone });
      return (events) => plainTarget({ sink, events });
    }
    if (spec.kind === "file") {
      const path = pathOf(plan, spec.path);
      return (events, identity) => fileTarget({ path, ...header, identity, events, clock, log });
    }
    const { connection } = await this.#connection(spec.to);
    const hindrance = this.#hindrances.get(chainOf(spec, plan.name))!;
    return (events, identity, place) =>
      awaitedTarget({
        place: spec.stream === null ? null : place,
        open: async () => {
          const link = await connection;
          hindrance.opened(link);
          if (spec.stream === null) return plainTarget({ sink: natsSink({ link, log }), events });
          const stream = { name: spec.stream, subjects: this.#subjectsOf(spec.to, spec.stream) };
          const opened = await openDelivery(this.#deliveryOf(spec, plan, waited), {
            link,
            stream,
            log: hindrance.heard(log),
            clock,
          });
          return opened({ identity, events, clock, log, place });
        },
      });
  }

  /** What is published to a stream by this worker. */
  #subjectsOf(to: string, stream: string): readonly string[] {
    const { term, surroundings } = this.#options;
    const claims = term === undefined ? [] : [claimSubject(stream)];
    return [...(surroundings.subjects.get(streamKey(to, stream)) ?? []), ...claims];
  }

  #deliveryOf(
    spec: Extract<RowSink, { kind: "nats" }>,
    { name }: PipelinePlan,
    waited: "live" | "backlog",
  ): Delivery {
    const { delivery, lane, to } = spec;
    if (delivery !== "lane") return { kind: delivery ?? "exclusive" };
    const isBacklog = waited === "backlog";
    const { host, term, outbox } = this.#options;
    const names = [term === undefined ? host : anyHost, name, isBacklog ? waited : lane];
    const live = chainOf(spec, name);
    const chain = isBacklog ? backlogOf(live) : live;
    return {
      kind: "lane",
      prefix: lanePrefix,
      names,
      packed: isBacklog || outbox.uplinks.counts(to),
      wrote: (number, bytes) => outbox.turns.wrote(chain, number, bytes),
    };
  }
}

/** What of a budget rows wait for; null for nothing. */
function budgetText({ connection, left, holdsBacklog, until }: UplinkStats, waits: boolean): string | null {
  if (left <= 0)
    return `the budget of uplink ${connection} is used up until ${new Date(until).toISOString()}`;
  if (!waits || !holdsBacklog) return null;
  return `backlog waits for its part of the budget of uplink ${connection}, which is whole at ${new Date(until).toISOString()}`;
}

function cannotMove(pipeline: string, spec: RowSink): WeirError {
  const place = spec.kind === "nats" ? `subject ${spec.subject}` : spec.kind;
  return new WeirError(
    "WEIR_CONFIG",
    `${pipeline} may go from host to host, and what its former host still sends to ${place} could not be refused there`,
    { remedy: `${turnsRemedy}, or name one host for it` },
  );
}

function placeOf(data: Plain): Place | null {
  if (!isMap(data)) return null;
  const { created, sequence, number, healing, subject, ownSequence, ownNumber } = data;
  return typeof created === "string" && typeof sequence === "number" && typeof number === "number"
    ? {
        created,
        sequence,
        number,
        ...(healing === true ? { healing } : {}),
        ...(typeof subject === "string" ? { subject } : {}),
        ...(typeof ownSequence === "number" && typeof ownNumber === "number"
          ? { ownSequence, ownNumber }
          : {}),
      }
    : null;
}
