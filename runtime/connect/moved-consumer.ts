// Tells that a server moved a consumer past messages which its stream still has. nats-server 2.9 does that to all consumers of a
// stream from which somebody purges the messages of one subject, be it one that has none: what they had not delivered they
// never would. A consumer that is made anew, behind what has come, delivers it.

import type { JetStreamManager } from "@nats-io/jetstream";
import { type ConsumerSpec, type ConsumerStanding, standingOf } from "./jetstream-consumer.ts";
import type { Delivered } from "./jetstream-delivered.ts";
import { firstFrom } from "./stream-facts.ts";
import type { StreamProgress } from "./stream-progress.ts";

export interface Asked {
  readonly spec: ConsumerSpec;
  readonly consumer: string;
  /** The delivery that was to come. */
  readonly expected: number;
  readonly progress: StreamProgress;
}

/** `unknown`: the server has no answer, or what it says has to be looked at again. */
export type Look =
  | { readonly found: "unknown" | "gone"; readonly standing: null }
  | { readonly found: "unknown" | "moved" | "still"; readonly standing: ConsumerStanding };

export class MovedConsumer {
  /** Behind this message a consumer was made: what it leaves out there is gone. */
  #trusted = -1;
  /** Of a work queue: what the last look found left out. It may have been about to be removed. */
  #suspected: number | null = null;

  trust(received: number): void {
    this.#trusted = received;
  }

  /**
   * A message shows it by the numbers before it that were left out, and where some are of other subjects by how many are said to
   * wait behind it: between two deliveries these become fewer by one at most. `pending`: that number before.
   */
  isSeenBy(delivered: Delivered, progress: StreamProgress, pending: number, isWhole: boolean): boolean {
    if (progress.missingBefore(delivered) === 0 || progress.received === this.#trusted) return false;
    return isWhole || delivered.pending < pending - 1;
  }

  /** Asks after a consumer. It was moved where a message is there that lies before the place where it goes on. */
  async look(manager: JetStreamManager, asked: Asked): Promise<Look> {
    const { spec, consumer } = asked;
    try {
      const standing = await standingOf(manager, spec.stream, consumer);
      if (standing === null) return { found: "gone", standing };
      const isQueue = asked.progress.isQueue;
      const found = isQueue
        ? await this.#lookAtQueue(manager, standing, asked)
        : await lookBehind(manager, standing, asked);
      return { found, standing };
    } catch {
      return { found: "unknown", standing: null };
    }
  }

  async #lookAtQueue(
    manager: JetStreamManager,
    { acknowledged }: ConsumerStanding,
    { spec }: Asked,
  ): Promise<"unknown" | "moved" | "still"> {
    const first = await firstFrom(manager, spec.stream, spec.filter, 1);
    const isLeftOut = first !== null && first <= acknowledged;
    const before = this.#suspected;
    this.#suspected = isLeftOut ? first : null;
    if (!isLeftOut) return "still";
    return first === before ? "moved" : "unknown";
  }
}

async function lookBehind(
  manager: JetStreamManager,
  { reached, nextDelivery }: ConsumerStanding,
  { spec, expected, progress }: Asked,
): Promise<"moved" | "still"> {
  // What it has delivered and is still on its way is no message that it leaves out.
  if (nextDelivery !== expected || !progress.isPlaced || reached <= progress.received) return "still";
  const next = await firstFrom(manager, spec.stream, spec.filter, progress.received + 1);
  return next !== null && next <= reached ? "moved" : "still";
}
