// Reads back what reached the cloud of a worker that keeps state: by the chain of each message and its number there, which no
// restart changes. Each number once and none left out is each row once. Survives the end of the cloud's server; counts, and
// never acknowledges, creates or removes anything.

import type { JetStreamManager, StoredMsg } from "@nats-io/jetstream";
import { managerOf } from "../connect/jetstream-requests.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { causedAtHeader } from "../connect/row-headers.ts";
import { limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { chainInId, chainOf } from "../worker/chain-names.ts";
import { Arrivals, Latencies } from "./demo-arrivals.ts";
import type { ReadBack } from "./demo-figures.ts";

/** Which branch a chain's rows are of. Each branch of the demonstration has a chain of its own. */
interface ChainOwner {
  readonly chain: string;
  readonly pipeline: string;
  readonly branch: string;
}

export function chainOwners(plans: readonly PipelinePlan[]): readonly ChainOwner[] {
  return plans.flatMap(({ name: pipeline, branches }) =>
    branches.flatMap(({ name: branch, sink }) => {
      if (sink.kind !== "nats") return [];
      return [{ chain: chainInId(chainOf(sink, pipeline)), pipeline, branch }];
    }),
  );
}

export class ChainReader implements ReadBack {
  readonly #link: NatsLink;
  readonly #owners: readonly ChainOwner[];
  /** By stream, the last message that was read, and how many. */
  readonly #streams = new Map<string, { last: number; messages: number }>();
  readonly #arrivals = new Map<ChainOwner, Arrivals>();
  readonly #latencies = new Map<string, Latencies>();
  #foreign = 0;

  private constructor(link: NatsLink, owners: readonly ChainOwner[]) {
    this.#link = link;
    this.#owners = owners;
    for (const owner of owners) {
      this.#arrivals.set(owner, new Arrivals());
      this.#latencies.set(owner.pipeline, new Latencies());
    }
  }

  static async open(url: string, plans: readonly PipelinePlan[], log: Log): Promise<ChainReader> {
    return new ChainReader(await connectNats({ name: "demo-reader", servers: url }, log), chainOwners(plans));
  }

  /** Reads what has come since the last call. Rejects while the cloud's server is away; nothing is lost by that. */
  async follow(): Promise<void> {
    const manager = await managerOf(this.#link, null);
    for (const name of await manager.streams.names().next()) await this.#read(manager, name);
  }

  get rowsByStream(): Readonly<Record<string, number>> {
    const counts = [...this.#streams].map(([name, { messages }]): [string, number] => [name, messages]);
    return Object.fromEntries(counts.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  get foreign(): number {
    return this.#foreign;
  }

  arrivals(pipeline: string, branch: string): Arrivals {
    const owner = this.#owners.find((each) => each.pipeline === pipeline && each.branch === branch);
    return (owner === undefined ? undefined : this.#arrivals.get(owner)) ?? new Arrivals();
  }

  percentile(pipeline: string, share: number): number | null {
    return this.#latencies.get(pipeline)?.percentile(share) ?? null;
  }

  async close(): Promise<void> {
    await this.#link.close();
  }

  /** Message by message, by number: a consumer would have to notice first that its server came back without it. */
  async #read(manager: JetStreamManager, name: string): Promise<void> {
    const stream = this.#streams.get(name) ?? { last: 0, messages: 0 };
    this.#streams.set(name, stream);
    const { state } = await manager.streams.info(name);
    while (stream.last < state.last_seq) {
      const first = stream.last + 1;
      const count = Math.min(limits.demo_reads_at_once, state.last_seq - stream.last);
      const messages = await Promise.all(
        Array.from({ length: count }, (_, place) => manager.streams.getMessage(name, { seq: first + place })),
      );
      stream.last += count;
      for (const message of messages) {
        if (message === null) continue;
        stream.messages++;
        this.#take(message);
      }
    }
  }

  #take({ header, time }: StoredMsg): void {
    const owner = this.#ownerOf(header.get("Weir-Chain"));
    const number = Number(header.get("Weir-Out-Seq"));
    if (owner === null || !(number > 0)) {
      this.#foreign++;
      return;
    }
    // Chains begin with 1.
    this.#arrivals.get(owner)?.note(number - 1);
    this.#latencies.get(owner.pipeline)?.add(time.getTime() - Number(header.get(causedAtHeader)));
  }

  /** A chain's id is that of the log, a dot, and its name. */
  #ownerOf(id: string): ChainOwner | null {
    const name = id.slice(id.indexOf(".") + 1);
    return this.#owners.find(({ chain }) => name === chain) ?? null;
  }
}
