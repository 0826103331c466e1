// The stream that a JetStream sink publishes to: made when it does not exist, never altered when it does.

import {
  DiscardPolicy,
  JetStreamApiCodes,
  RetentionPolicy,
  StorageType,
  type JetStreamManager,
} from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import { limits } from "../limits.ts";
import { insist, isCode, type Asker } from "./jetstream-requests.ts";
import { covers } from "./subject.ts";

export interface StreamSpec {
  readonly name: string;
  /** The subjects of the stream, if it must be created. */
  readonly subjects: readonly string[];
  /** Bytes that it may hold, if it must be created; then the oldest rows go. Default: `sink_stream_bytes_max`. */
  readonly bytesMax?: number;
  /** How long it keeps a row, ms, if it must be created. Default: for ever. */
  readonly ageMax?: number;
}

/** "stream name already in use with a different configuration": somebody was faster. */
const nameInUse = 10_058;

/** Makes sure that the stream exists, waiting for JetStream as long as it takes. */
export function ensureStream(asker: Asker, manager: JetStreamManager, spec: StreamSpec): Promise<void> {
  return insist(asker, `use stream ${spec.name}`, async () => {
    try {
      const { config } = await manager.streams.info(spec.name);
      warnUncovered(asker, spec, config.subjects ?? []);
    } catch (fault) {
      if (!isCode(fault, JetStreamApiCodes.StreamNotFound)) throw fault;
      await create(asker, manager, spec);
    }
  });
}

function warnUncovered(asker: Asker, spec: StreamSpec, subjects: readonly string[]): void {
  const missing = spec.subjects.filter((wanted) => !subjects.some((pattern) => covers(pattern, wanted)));
  if (missing.length === 0) return;
  asker.log.warn(
    `${asker.name}: stream ${spec.name} exists with subjects ${subjects.join(", ")}, which do not hold ${missing.join(", ")}; weir never alters a stream, so rows for those subjects will wait`,
  );
}

async function create(asker: Asker, manager: JetStreamManager, spec: StreamSpec): Promise<void> {
  const bytesMax = spec.bytesMax ?? limits.sink_stream_bytes_max;
  try {
    await manager.streams.add({
      name: spec.name,
      subjects: [...spec.subjects],
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      max_bytes: bytesMax,
      ...(spec.ageMax === undefined ? {} : { max_age: nanos(spec.ageMax) }),
    });
  } catch (fault) {
    if (isCode(fault, nameInUse)) return;
    throw fault;
  }
  asker.log.info(
    `${asker.name}: created stream ${spec.name} with subjects ${spec.subjects.join(", ")}, at most ${bytesMax} bytes`,
  );
}
