// A stream of numbers from 0 on through a pipeline that only forwards them: what is missing, twice or out of order in the cloud shows at
// once. For tests that kill workers of any driver.

import type { JetStreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { sleep, wallClock } from "../clock.ts";
import type { SupervisorStatus } from "../supervisor/status.ts";

/** From the subject `NAME.in` to `NAME.out`, in the stream `NAME-out`. `source`: what else its source says. */
export function numberedPipeline(name: string, source: string, about = ""): string {
  return `name: ${name}
about: "${about}"
source: { nats: { subject: ${name}.in, ${source} }, format: json, schema: { n: float64 } }
steps:
  - sink: { nats: { subject: ${name}.out, stream: ${name}-out }, format: json }
`;
}

/** Numbers are published until it is asked what has arrived. */
export class Numbers {
  sent = 0;
  readonly #nats: NatsConnection;
  readonly #stop: () => void;

  constructor(nats: NatsConnection, subjects: readonly string[], every_ms: number) {
    this.#nats = nats;
    this.#stop = wallClock.every(every_ms, () => {
      // Not after a test that failed.
      if (nats.isClosed()) return;
      const record = JSON.stringify({ n: this.sent++ });
      for (const subject of subjects) nats.publish(subject, record);
    });
  }

  /** Publishes no more, and resolves with what each stream has, once it has the last number. */
  async arrived(manager: JetStreamManager, streams: readonly string[]): Promise<(readonly number[])[]> {
    this.#stop();
    await this.#nats.flush();
    return Promise.all(streams.map((stream) => numbersUpTo(manager, stream, this.sent - 1)));
  }

  /** All from `begin` on. */
  from(begin: number): readonly number[] {
    return Array.from({ length: this.sent - begin }, (_, place) => begin + place);
  }
}

/** Rows of all `count` pipelines come through. */
export function areFlowing({ pipelines }: SupervisorStatus, count: number): boolean {
  const flows = pipelines.filter(({ beat }) => beat?.phase === "running" && beat.rows > 0);
  return pipelines.length === count && flows.length === count;
}

/** The revision of a pipeline that runs. */
export function runningRevision({ pipelines }: SupervisorStatus, name: string): string | null | undefined {
  return pipelines.find((each) => each.name === name)?.runs;
}

/** The numbers in a stream, once it has that one. */
async function numbersUpTo(
  manager: JetStreamManager,
  stream: string,
  last: number,
): Promise<readonly number[]> {
  const numberAt = async (seq: number): Promise<number> =>
    (await manager.streams.getMessage(stream, { seq }))?.json<{ n: number }>().n ?? -1;
  let { first_seq, last_seq } = (await manager.streams.info(stream)).state;
  while (last_seq === 0 || (await numberAt(last_seq)) < last) {
    await sleep(wallClock, 50);
    ({ first_seq, last_seq } = (await manager.streams.info(stream)).state);
  }
  const numbers: number[] = [];
  for (let seq = first_seq; seq <= last_seq; seq += 100) {
    const some = Array.from({ length: Math.min(100, last_seq + 1 - seq) }, (_, place) => seq + place);
    numbers.push(...(await Promise.all(some.map(numberAt))));
  }
  return numbers;
}
