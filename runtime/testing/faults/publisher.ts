// Feeds numbered records to the stream at the edge, a message of many lines at a time, each stored before the next is sent, so
// that the stream has them in order and once however often its server ends. Never runs ahead of what has arrived by more than
// it is told.

import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { sleep, wallClock } from "../../clock.ts";
import { silentLog } from "../../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../../connect/nats-connection.ts";
import { limits } from "../../limits.ts";
import { probeAt } from "./records.ts";

export const sourceStream = "IN";
export const sourceSubject = "in.rows";

/** Records from `first` up to `end` are in message `sequence` of the stream. */
interface Sent {
  readonly first: number;
  readonly end: number;
  readonly sequence: number;
}

export interface Pace {
  /** Records of one message. */
  readonly lines: number;
  /** How far it may be ahead of `arrived` at first. */
  readonly ahead: number;
  readonly arrived: () => number;
  /** The least time between two messages, so that runs leave the machine some rest. */
  readonly every_ms: number;
  /** Records from `first` up to `end` as the text of a message. */
  readonly text: (first: number, end: number) => string;
}

export class Publisher {
  readonly #link: NatsLink;
  readonly #pace: Pace;
  readonly #sent: Sent[] = [];
  #next = 0;
  /** How far it may be ahead of what has arrived. */
  ahead: number;
  #running: Promise<void> | null = null;
  #stopped = false;

  private constructor(link: NatsLink, pace: Pace) {
    this.#link = link;
    this.#pace = pace;
    this.ahead = pace.ahead;
  }

  static async open(url: string, pace: Pace): Promise<Publisher> {
    return new Publisher(await connectNats({ name: "faults-publisher", servers: url }, silentLog), pace);
  }

  /** Records that the stream was given. */
  get published(): number {
    return this.#next;
  }

  /** Begins, or goes on. */
  start(): void {
    this.#stopped = false;
    this.#running ??= this.#run().finally(() => (this.#running = null));
  }

  /** Resolves once nothing is on its way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** Records in messages that the stream does not hold any more, behind its `last`. The publisher stands still. */
  forget(last: number): ReadonlySet<number> {
    return this.#recordsOf(({ sequence }) => sequence > last);
  }

  /** Records of messages up to `last` that a worker which had `arrived` had not taken. */
  unread(last: number, arrived: number): ReadonlySet<number> {
    return this.#recordsOf(({ sequence, first }) => sequence <= last && first > arrived);
  }

  /** How many messages hold `records`. */
  messagesOf(records: ReadonlySet<number>): number {
    return this.#sent.filter(({ first }) => records.has(first)).length;
  }

  /** Sends the last record. */
  async probe(): Promise<void> {
    await this.#store(this.#next + 1, `${JSON.stringify(probeAt(this.#next))}\n`);
  }

  async close(): Promise<void> {
    await this.stop();
    await this.#link.close();
  }

  #recordsOf(which: (sent: Sent) => boolean): ReadonlySet<number> {
    const found = new Set<number>();
    for (const sent of this.#sent)
      if (which(sent)) for (let seq = sent.first; seq < sent.end; seq++) found.add(seq);
    return found;
  }

  async #run(): Promise<void> {
    const { lines, arrived, every_ms, text } = this.#pace;
    while (!this.#stopped) {
      if (this.#next - arrived() > this.ahead) await sleep(wallClock, limits.faults_look_ms);
      else {
        await this.#store(this.#next + lines, text(this.#next, this.#next + lines));
        if (every_ms > 0) await sleep(wallClock, every_ms);
      }
    }
  }

  async #store(end: number, payload: string): Promise<void> {
    const first = this.#next;
    for (;;) {
      try {
        const { seq: sequence } = await jetstream(this.#link.nats).publish(sourceSubject, payload, {
          msgID: `from-${first}`,
          timeout: limits.faults_publish_ms_max,
        });
        this.#sent.push({ first, end, sequence });
        this.#next = end;
        return;
      } catch {
        // The server is away, or its answer is: the stream knows the message by its id.
        await sleep(wallClock, limits.faults_look_ms);
      }
    }
  }
}

/** Makes the stream that records are published to. */
export async function makeSourceStream(
  url: string,
  bounds: { readonly max_msgs?: number } = {},
): Promise<void> {
  const link = await connectNats({ name: "faults", servers: url }, silentLog);
  try {
    const manager = await jetstreamManager(link.nats);
    await manager.streams.add({ name: sourceStream, subjects: [sourceSubject], ...bounds });
  } finally {
    await link.close();
  }
}
