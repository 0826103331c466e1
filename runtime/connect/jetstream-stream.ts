// The stream that a JetStream sink publishes to: made when it does not exist. One that exists is never altered, but for
// subjects that are added to a shared stream which weir made itself: its writers start one after the other, and none knows
// the others'.

import {
  DiscardPolicy,
  JetStreamApiCodes,
  RetentionPolicy,
  StorageType,
  type JetStreamManager,
} from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import { messageOf, WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import { creationFault, insist, isCode, type Asker } from "./jetstream-requests.ts";
import { includes } from "./subject.ts";

export interface StreamSpec {
  readonly name: string;
  /** The subjects of the stream, if it must be created. */
  readonly subjects: readonly string[];
  /** Bytes that it may hold, if it must be created; then the oldest rows go. Default: `sink_stream_bytes_max`. */
  readonly bytesMax?: number;
  /** Others write it too, each subjects of their own: it takes theirs as they come. */
  readonly shared?: boolean;
  /** No pipeline chooses its subjects: all lanes have the same. */
  readonly fixed?: boolean;
  /** How long it keeps a row, ms, if it must be created. Default: for ever. */
  readonly ageMax?: number;
}

/** "stream name already in use with a different configuration": somebody was faster. */
const nameInUse = 10_058;

/** "subjects overlap with an existing stream". */
const subjectsOverlap = 10_065;

/** What a shared stream that weir made says of itself: only then may writers add to its subjects. */
const sharedDescription = "made by weir; each of its writers adds the subjects that it writes";

/** Makes sure that the stream exists and takes the subjects, waiting for JetStream as long as it takes. */
export function ensureStream(asker: Asker, manager: JetStreamManager, spec: StreamSpec): Promise<void> {
  return insist(asker, `use stream ${spec.name}`, async () => {
    try {
      // Whoever adds at the same time may take away what was added here: until it stands there, it is added again.
      for (let attempt = 0; attempt < limits.stream_update_attempts_max; attempt++) {
        const { config } = await manager.streams.info(spec.name);
        const subjects = config.subjects ?? [];
        const missing = spec.subjects.filter((wanted) => !isCovered(wanted, subjects));
        if (missing.length === 0) return;
        const isOurs = config.description === sharedDescription;
        if (spec.shared !== true || !isOurs) return warnUncovered(asker, spec, subjects, missing);
        await manager.streams.update(spec.name, { ...config, subjects: withSubjects(subjects, missing) });
        asker.log.info(`${asker.name}: added ${missing.join(", ")} to its subjects`);
      }
      throw new Error("others change its subjects again and again");
    } catch (fault) {
      if (isCode(fault, subjectsOverlap)) throw await overlapFault(asker, manager, spec, fault);
      if (!isCode(fault, JetStreamApiCodes.StreamNotFound)) throw fault;
      await create(asker, manager, spec);
    }
  });
}

/** A server has each subject in one stream: which ones are taken, and by whom. */
async function overlapFault(
  { name }: Asker,
  manager: JetStreamManager,
  spec: StreamSpec,
  cause: unknown,
): Promise<WeirError> {
  const taken: string[] = [];
  const takers = new Set<string>();
  for (const subject of spec.subjects) {
    const all = await manager.streams.names(subject).next();
    const others = all.filter((each) => each !== spec.name);
    for (const each of others) takers.add(each);
    if (others.length > 0) taken.push(`${subject} overlaps with subjects of stream ${others.join(", ")}`);
  }
  const why = taken.length === 0 ? messageOf(cause) : taken.join("; ");
  const cure =
    spec.fixed === true
      ? `all lanes of a server go to one stream: write stream: ${[...takers].join(" or ") || "its name"} in this sink as well`
      : "give these rows subjects that no other stream takes, such as ones with another first word";
  return new WeirError(
    "WEIR_CONFIG",
    `${name}: stream ${spec.name} cannot have its subjects: ${why}; ${cure}`,
    {
      remedy: "The server refused it; change the pipeline or what exists on the server.",
      cause,
    },
  );
}

function isCovered(wanted: string, subjects: readonly string[]): boolean {
  return subjects.some((pattern) => includes(pattern, wanted));
}

/** Both, without those that others hold as well: a server refuses subjects that overlap. */
export function withSubjects(before: readonly string[], more: readonly string[]): string[] {
  const all = [...new Set([...before, ...more])];
  return all.filter(
    (each) =>
      !isCovered(
        each,
        all.filter((other) => other !== each),
      ),
  );
}

function warnUncovered(
  asker: Asker,
  spec: StreamSpec,
  subjects: readonly string[],
  missing: readonly string[],
): void {
  asker.log.warn(
    `${asker.name}: stream ${spec.name} exists with subjects ${subjects.join(", ")}, which do not hold ${missing.join(", ")}; weir alters no stream of others, so rows for those subjects will wait: add them to the stream`,
  );
}

async function create(asker: Asker, manager: JetStreamManager, spec: StreamSpec): Promise<void> {
  const bytesMax = spec.bytesMax ?? limits.sink_stream_bytes_max;
  try {
    await manager.streams.add({
      name: spec.name,
      ...(spec.shared === true ? { description: sharedDescription } : {}),
      subjects: withSubjects([], spec.subjects),
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      max_bytes: bytesMax,
      ...(spec.ageMax === undefined ? {} : { max_age: nanos(spec.ageMax) }),
    });
  } catch (fault) {
    if (isCode(fault, nameInUse)) return ensureStream(asker, manager, spec);
    if (isCode(fault, subjectsOverlap)) throw await overlapFault(asker, manager, spec, fault);
    throw creationFault(fault, `stream ${spec.name}`, bytesMax);
  }
  asker.log.info(
    `${asker.name}: created stream ${spec.name} with subjects ${spec.subjects.join(", ")}, at most ${bytesMax} bytes`,
  );
}
