// Reads back what reached the cloud of a worker that keeps state: by the chain of each message and its number there, which no
// restart changes. Each number once and none left out is each row once. Survives the end of the cloud's server; counts, and
// never acknowledges, creates or removes anything.

import { type ConsumerMessages, jetstream, type JsMsg } from "@nats-io/jetstream";
import { managerOf } from "../connect/jetstream-requests.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { causedAtHeader } from "../connect/row-headers.ts";
import type { Log } from "../log.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { Arrivals, Latencies } from "./demo-arrivals.ts";
import type { ReadBack } from "./demo-figures.ts";

/** `<pipeline>/<connection>/<stream>` as it stands in the id of a chain. */
function chainName(pipeline: string, to: string, stream: string): string {
  return [pipeline, to, stream].join("/").replaceAll(/[^\w-]/g, "_");
}

/** Which branch a chain's rows are of. Each branch of the demonstration has a chain of its own. */
interface ChainOwner {
  readonly chain: string;
  readonly pipeline: string;
  readonly branch: string;
}

export function chainOwners(plans: readonly PipelinePlan[]): readonly ChainOwner[] {
  return plans.flatMap(({ name: pipeline, branches }) =>
    branches.flatMap(({ name: branch, sink }) => {
      if (sink.kind !== "nats" || sink.stream === null) return [];
      return [{ chain: chainName(pipeline, sink.to, sink.stream), pipeline, branch }];
    }),
  );
}

export class ChainReader implements ReadBack {
  readonly #link: NatsLink;
  readonly #owners: readonly ChainOwner[];
  readonly #readers: ConsumerMessages[] = [];
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

  /** Reads streams that have come to be since the last call. */
  async follow(): Promise<void> {
    const manager = await managerOf(this.#link, null);
    for (const name of await manager.streams.names().next()) {
      if (this.#streams.has(name)) continue;
      const consumer = await jetstream(this.#link.nats).consumers.get(name);
      const messages = await consumer.consume({ callback: (message) => this.#take(name, message) });
      this.#streams.set(name, { last: 0, messages: 0 });
      this.#readers.push(messages);
    }
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
    await Promise.all(this.#readers.map((each) => each.close()));
    await this.#link.close();
  }

  #take(name: string, message: JsMsg): void {
    const stream = this.#streams.get(name);
    // After an end of the server it may be told again what it was told before: the same number is the same message.
    if (stream === undefined || message.seq <= stream.last) return;
    stream.last = message.seq;
    stream.messages++;
    const owner = this.#ownerOf(message.headers?.get("Weir-Chain") ?? "");
    const number = Number(message.headers?.get("Weir-Out-Seq"));
    if (owner === null || !(number > 0)) {
      this.#foreign++;
      return;
    }
    // Chains begin with 1.
    this.#arrivals.get(owner)?.note(number - 1);
    const caused = Number(message.headers?.get(causedAtHeader));
    this.#latencies.get(owner.pipeline)?.add(Number(message.timestampNanos) / 1e6 - caused);
  }

  /** A chain's id is that of the log, a dot, and its name, which may say its lane at its end. */
  #ownerOf(id: string): ChainOwner | null {
    const name = id.slice(id.indexOf(".") + 1);
    return this.#owners.find(({ chain }) => name === chain || name.startsWith(`${chain}_`)) ?? null;
  }
}
