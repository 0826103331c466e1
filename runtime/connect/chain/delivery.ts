// The target of a stream, by the way in which its rows are delivered. Knows which target needs which port; sends nothing.

import type { StreamSpec } from "../jetstream-stream.ts";
import { bucketPort, bucketTarget } from "./bucket-target.ts";
import type { Target } from "./chain.ts";
import { exclusiveTarget } from "./exclusive-target.ts";
import { identifiedTarget } from "./identified-target.ts";
import { laneSubject, laneTarget } from "./lane-target.ts";
import { natsStreamPort, type NatsStreamPortOptions } from "./nats-stream-port.ts";
import type { StreamTargetOptions } from "./stream-target.ts";
import { subjectTarget } from "./subject-target.ts";

/** How a chain's rows come to a stream; named as in pipeline files. */
export type Delivery =
  | { readonly kind: "exclusive" | "subject" | "bucket" | "message_id" }
  /** The names are those of host, pipeline and lane. */
  | {
      readonly kind: "lane";
      readonly prefix: string;
      readonly names: readonly string[];
      /** Messages are packed where that gains. */
      readonly packed?: boolean;
      /** Told of each message that was written: the number of its last row, and about what it took on the wire. */
      readonly wrote?: (number: number, bytes: number) => void;
    };

/** Makes the target once the chain is known. */
export type OpenedDelivery = (options: Omit<StreamTargetOptions, "port">) => Target;

/** Opens the port; asks nothing of the server. */
export async function openDelivery(
  delivery: Delivery,
  options: Omit<NatsStreamPortOptions, "make">,
): Promise<OpenedDelivery> {
  const { name } = options.stream;
  if (delivery.kind === "bucket") {
    const port = await bucketPort(name, options);
    return (chain) => bucketTarget({ ...chain, port, bucket: name });
  }
  if (delivery.kind === "lane") {
    const stream: StreamSpec = {
      ...options.stream,
      subjects: [`${delivery.prefix}.>`],
      shared: true,
      fixed: true,
    };
    const port = await natsStreamPort({ ...options, stream });
    const subject = laneSubject(delivery.prefix, ...delivery.names);
    const { packed = false, wrote } = delivery;
    return (chain) =>
      laneTarget({ ...chain, port, subject, packed, ...(wrote === undefined ? {} : { wrote }) });
  }
  const shared = delivery.kind !== "exclusive";
  const port = await natsStreamPort({ ...options, stream: { ...options.stream, shared } });
  const make = {
    exclusive: exclusiveTarget,
    subject: subjectTarget,
    message_id: identifiedTarget,
  }[delivery.kind];
  return (chain) => make({ ...chain, port });
}
