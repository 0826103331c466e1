// The process that takes rows from the sink and notes how late each is: one of its own, so that what the benchmark did before,
// and the collector's work for that, is in no latency. Every sample is kept as it is, 8 bytes each in an array that is made
// beforehand, and sorted at the end: percentiles are exact, where an HdrHistogram would round them to its buckets to save memory that
// a run of seconds does not need.
//
//     node bench/wire/subscriber.ts URL SUBJECT ROWS_AT_MOST

import { connect } from "@nats-io/transport-node";
import { messageOf } from "../../runtime/errors.ts";

/** Asks for the figures of all rows but the first `skip`. */
export interface SubscriberOrder {
  readonly skip: number;
}

export type SubscriberAnswer =
  | { readonly kind: "ready" }
  | { readonly kind: "figures"; readonly p50_ms: number; readonly p99_ms: number; readonly last_ms: number }
  | { readonly kind: "failed"; readonly message: string };

const [url = "", subject = "", rowsMax = ""] = process.argv.slice(2);
const begins = Buffer.from('{"at":').length;
/** Digits of a time with its fraction. */
const digits = 17;

async function run(): Promise<void> {
  const latencies = new Float64Array(Number(rowsMax));
  let count = 0;
  const client = await connect({ servers: url });
  client.subscribe(subject, {
    callback: (_fault, { data }) => {
      const at = Number(Buffer.from(data.buffer, data.byteOffset + begins, digits).toString("latin1"));
      latencies[count++] = performance.timeOrigin + performance.now() - at;
    },
  });
  await client.flush();
  process.on("message", ({ skip }: SubscriberOrder) => {
    const last_ms = latencies[count - 1] ?? Number.NaN;
    const counted = latencies.slice(skip, count).sort();
    const share = (part: number): number => counted[Math.floor(counted.length * part)] ?? Number.NaN;
    answer({ kind: "figures", p50_ms: share(0.5), p99_ms: share(0.99), last_ms });
  });
  answer({ kind: "ready" });
}

function answer(message: SubscriberAnswer): void {
  process.send!(message);
}

run().catch((error: unknown) => answer({ kind: "failed", message: messageOf(error) }));
