// Rows as the values of a key-value bucket: a row's subject is its key, and the value's header says which entry it is. A put
// replaces the revision that was there and no other, so that a delayed older row never replaces a newer one. Others may put
// the same keys; whoever came last stands.

import { JetStreamApiCodes } from "@nats-io/jetstream";
import { limits } from "../../limits.ts";
import type { Entry } from "../../state/outbox/entry.ts";
import { creationFault, insist, isCode } from "../jetstream-requests.ts";
import { bucketsOf } from "../key-value.ts";
import type { Target } from "./chain.ts";
import { natsStreamPort, type NatsStreamPortOptions } from "./nats-stream-port.ts";
import type { StreamTargetOptions } from "./stream-target.ts";
import type { StreamPort } from "./stream-port.ts";
import { subjectTarget } from "./subject-target.ts";

export interface BucketTargetOptions extends StreamTargetOptions {
  readonly bucket: string;
}

export function bucketTarget(options: BucketTargetOptions): Target {
  return subjectTarget({
    ...options,
    prefix: `$KV.${options.bucket}.`,
    sharesSubjects: true,
    unfit: keyFault,
  });
}

function keyFault({ row }: Entry): string | null {
  const isKey = /^[-/=.\w]+$/.test(row.subject) && !/^\.|\.$|\.\./.test(row.subject);
  return isKey ? null : "key";
}

/** The bucket's stream; the bucket is made where it does not exist. */
export function bucketPort(
  bucket: string,
  { link, domain, log, clock }: Omit<NatsStreamPortOptions, "stream" | "make">,
): Promise<StreamPort> {
  return natsStreamPort({
    link,
    log,
    ...(domain === undefined ? {} : { domain }),
    ...(clock === undefined ? {} : { clock }),
    stream: { name: `KV_${bucket}`, subjects: [] },
    make: (asker, manager) =>
      insist(asker, `use bucket ${bucket}`, async () => {
        try {
          await manager.streams.info(`KV_${bucket}`);
        } catch (fault) {
          if (!isCode(fault, JetStreamApiCodes.StreamNotFound)) throw fault;
          const max_bytes = limits.sink_stream_bytes_max;
          try {
            await bucketsOf(link, domain).create(bucket, { history: 1, max_bytes });
          } catch (refused) {
            throw creationFault(refused, `bucket ${bucket}`, max_bytes);
          }
          asker.log.info(`${asker.name}: created bucket ${bucket}`);
        }
      }),
  });
}
