// The cloud as whoever judges a run sees it: by its own connection, which no fault touches but the end of the server itself.
// Makes the streams, tells how far rows have come, and reads back all that is there.

import {
  jetstream,
  jetstreamManager,
  type JetStreamManager,
  type MsgRequest,
  type StoredMsg,
  type StreamConfig,
} from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import { sleep, wallClock } from "../../clock.ts";
import { silentLog } from "../../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../../connect/nats-connection.ts";
import { limits } from "../../limits.ts";
import type { NumberedRecord } from "./records.ts";
import type { CloudContent, CloudMessage } from "./verdict.ts";

export const cloudStreams = { raw: "RAW", windows: "WIN", samples: "SUB" } as const;
const subjects = { raw: ["raw.>"], windows: ["win.>"], samples: ["sub.>"] } as const;
type CloudStream = keyof typeof cloudStreams;

export class Cloud {
  readonly #link: NatsLink;
  readonly #manager: JetStreamManager;
  #arrived = -1;
  #endWatch: () => void = () => {};

  private constructor(link: NatsLink, manager: JetStreamManager) {
    this.#link = link;
    this.#manager = manager;
  }

  static async open(url: string): Promise<Cloud> {
    const link = await connectNats({ name: "faults-reader", servers: url }, silentLog);
    return new Cloud(link, await jetstreamManager(link.nats));
  }

  /** Makes a stream, with a duplicate window so short that no outage is inside it. */
  async make(stream: CloudStream, bounds: Partial<StreamConfig> = {}): Promise<void> {
    await this.#manager.streams.add({
      name: cloudStreams[stream],
      subjects: [...subjects[stream]],
      duplicate_window: nanos(limits.faults_duplicate_window_ms),
      ...bounds,
    });
  }

  get manager(): JetStreamManager {
    return this.#manager;
  }

  /** The number of the last raw record that is there; -1 for none. */
  get arrived(): number {
    return this.#arrived;
  }

  /** Looks again and again how far rows have come. */
  watch(): void {
    let isLooking = false;
    this.#endWatch = wallClock.every(limits.faults_look_ms, () => {
      if (isLooking) return;
      isLooking = true;
      void this.look().finally(() => (isLooking = false));
    });
  }

  async look(): Promise<void> {
    const message = await this.#message("raw", { last_by_subj: subjects.raw[0] });
    // A server whose account is full stores a row, and removes it before it refuses it: seen once is not arrived.
    if (message === null || (await this.#message("raw", { seq: message.seq })) === null) return;
    const line = message.string().trimEnd().split("\n").at(-1)!;
    this.#arrived = Math.max(this.#arrived, (JSON.parse(line) as NumberedRecord).seq);
  }

  /** Resolves once a raw row comes that nobody has seen yet. */
  async nextRow(): Promise<void> {
    const subscription = this.#link.nats.subscribe(subjects.raw[0], { max: 1 });
    for await (const _row of subscription) return;
  }

  /** The last message of a stream; null where there is none, or nobody answers. */
  async last(stream: CloudStream): Promise<CloudMessage | null> {
    const message = await this.#message(stream, { last_by_subj: subjects[stream][0] });
    return message === null ? null : cloudMessage(message.subject, message.header, message.string());
  }

  /** Messages in a stream; 0 where nobody answers. */
  async count(stream: CloudStream): Promise<number> {
    try {
      return (await this.#manager.streams.info(cloudStreams[stream])).state.messages;
    } catch {
      return 0;
    }
  }

  async content(): Promise<CloudContent> {
    return {
      raw: await this.#all("raw"),
      windows: await this.#all("windows"),
      samples: await this.#all("samples"),
    };
  }

  async close(): Promise<void> {
    this.#endWatch();
    await this.#link.close();
  }

  async #message(stream: CloudStream, query: MsgRequest): Promise<StoredMsg | null> {
    try {
      return await this.#manager.streams.getMessage(cloudStreams[stream], query);
    } catch {
      return null;
    }
  }

  async #all(stream: CloudStream): Promise<CloudMessage[]> {
    const name = cloudStreams[stream];
    const { state } = await this.#manager.streams.info(name);
    const messages: CloudMessage[] = [];
    if (state.messages === 0) return messages;
    const consumer = await jetstream(this.#link.nats).consumers.get(name);
    for await (const message of await consumer.consume({ max_messages: 1_000 })) {
      messages.push(cloudMessage(message.subject, message.headers, message.string()));
      if (message.seq >= state.last_seq) break;
    }
    return messages;
  }
}

function cloudMessage(
  subject: string,
  headers: { get(name: string): string } | undefined,
  payload: string,
): CloudMessage {
  const number = headers?.get("Weir-Out-Seq") ?? "";
  const chain = headers?.get("Weir-Chain") ?? "";
  return {
    subject,
    payload,
    chain: chain === "" ? null : chain,
    number: number === "" ? null : Number(number),
  };
}

/** Does it until somebody answers: whoever judges waits for a server that a fault ended. */
export async function insisting<T>(task: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await task();
    } catch (error) {
      if (attempt >= limits.faults_attempts_max) throw error;
      await sleep(wallClock, limits.faults_publish_ms_max / 4);
    }
  }
}
