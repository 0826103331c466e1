// Reads back what reached the cloud, as a consumer that knows nothing of the worker: every message of
// every stream of the server. Counts; never acknowledges, creates or removes anything.

import { jetstream, type ConsumerMessages, type JsMsg } from "@nats-io/jetstream";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { causedAtHeader } from "../connect/row-headers.ts";
import { managerOf } from "../connect/jetstream-requests.ts";
import type { Log } from "../log.ts";
import { Arrivals, Latencies, parseRowId } from "./demo-arrivals.ts";

export class CloudReader {
  readonly #link: NatsLink;
  readonly #identity: string;
  readonly #readers: ConsumerMessages[] = [];
  readonly #streams = new Map<string, number>();
  readonly #branches = new Map<string, Arrivals>();
  readonly #latencies = new Map<string, Latencies>();
  #foreign = 0;

  private constructor(link: NatsLink, identity: string) {
    this.#link = link;
    this.#identity = identity;
  }

  /** Reads the streams that are there now, from their first message on. `identity` is that of the worker's run. */
  static async open(url: string, identity: string, log: Log): Promise<CloudReader> {
    const link = await connectNats({ name: "demo-reader", servers: url }, log);
    const reader = new CloudReader(link, identity);
    const manager = await managerOf(link, null);
    const names = await manager.streams.names().next();
    for (const name of names) await reader.#read(name);
    return reader;
  }

  /** Messages by stream. */
  get rowsByStream(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#streams].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  get rows(): number {
    return [...this.#streams.values()].reduce((total, count) => total + count, 0);
  }

  /** Messages that are no row of this run. */
  get foreign(): number {
    return this.#foreign;
  }

  /** The rows of one branch. */
  arrivals(pipeline: string, branch: string): Arrivals {
    return this.#branches.get(`${pipeline}.${branch}`) ?? new Arrivals();
  }

  /** From the arrival of the record that completed a row at the edge to its storage in the cloud, ms. */
  percentile(pipeline: string, share: number): number | null {
    return this.#latencies.get(pipeline)?.percentile(share) ?? null;
  }

  async close(): Promise<void> {
    await Promise.all(this.#readers.map((each) => each.close()));
    await this.#link.close();
  }

  async #read(stream: string): Promise<void> {
    this.#streams.set(stream, 0);
    const consumer = await jetstream(this.#link.nats).consumers.get(stream);
    const messages = await consumer.consume({ callback: (message) => this.#take(stream, message) });
    this.#readers.push(messages);
  }

  #take(stream: string, message: JsMsg): void {
    this.#streams.set(stream, this.#streams.get(stream)! + 1);
    const id = parseRowId(message.headers?.get("Nats-Msg-Id") ?? "", this.#identity);
    if (id === null) {
      this.#foreign++;
      return;
    }
    entry(this.#branches, id.branch, () => new Arrivals()).note(id.number);
    const pipeline = id.branch.slice(0, id.branch.lastIndexOf("."));
    const caused = Number(message.headers?.get(causedAtHeader));
    const stored = Number(message.timestampNanos) / 1e6;
    entry(this.#latencies, pipeline, () => new Latencies()).add(stored - caused);
  }
}

function entry<T>(map: Map<string, T>, key: string, make: () => T): T {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
