// What a pipeline is, as data: the spec that a file parses to, and the plan that it is checked into.
// Types and their names only. Pure: nothing in this room opens a file, a connection or a clock.

import type { ColumnReference, ColumnType, OperatorDefinition, Schema } from "../../operators/sdk/index.ts";
import type { FieldRead, Format, TimeUnit } from "../codec/codec.ts";
import type { ProtoMessage } from "../codec/protobuf/message.ts";
import type { Framing } from "../codec/framing.ts";

/** Leads to a value in a document: `["steps", 0, "filter"]`. */
export type Path = readonly (string | number)[];

/** Where a mistake is and what to do: printed as a compiler would. Lines and columns count from 1. */
export interface Diagnostic {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Characters under the caret. */
  readonly length: number;
  readonly message: string;
  /** "did you mean filter?", or what to do. */
  readonly hint: string | null;
  readonly severity: "error" | "warning";
}

/** The bytes that a journal takes, how long (ms) it keeps, and the field by which publishers number their records. */
export interface JournalSpec {
  readonly bytes: number;
  readonly age: number;
  readonly sequence: string | null;
}

export type SourceSpec =
  | {
      readonly kind: "nats";
      readonly to: string;
      readonly subject: string;
      readonly stream: string | null;
      readonly consumer: string | null;
      readonly overflow: "drop_oldest" | "drop_newest";
      /** Core NATS is written to a journal by a process of its own. */
      readonly journal: JournalSpec | null;
      /** The only one that is read of a partitioned stream; null: all that the subject names. */
      readonly partition: number | null;
    }
  | {
      readonly kind: "file";
      readonly path: string;
      readonly rate: number | null;
      readonly speed: number | null;
    }
  | { readonly kind: "host"; readonly every: number; readonly sensors: readonly string[] };

/** A message of several rows: the most of them, their bytes, and how long (ms) one waits for others. */
export interface SinkBatch {
  readonly rows: number;
  readonly bytes: number;
  readonly wait: number;
}

/**
 * How a stream comes to have each row once. `exclusive`: nobody else writes to it. `subject`: nobody else writes the row's
 * subject. `lane`: many rows in one message on a subject of the host's own. `bucket`: values of a key-value bucket.
 * `message_id`: by ids alone, within the stream's duplicate window.
 */
export const deliveries = ["exclusive", "subject", "lane", "bucket", "message_id"] as const;
export type Delivery = (typeof deliveries)[number];

export type SinkSpec =
  | {
      readonly kind: "nats";
      readonly to: string;
      readonly subject: string;
      /** For `bucket`, the bucket, whose keys the subjects are. */
      readonly stream: string | null;
      /** Null for core NATS. */
      readonly delivery: Delivery | null;
      /** How many rows share a message; null: none do. */
      readonly batch: SinkBatch | null;
      /** Rows of `alarm` are sent before those of `live` where they wait together. */
      readonly lane: "alarm" | "live";
    }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "stdout" }
  /** Rows are counted and go nowhere. */
  | { readonly kind: "nothing" };

/** Event time: which field, in what unit, how late (ms), silent for how long (ms), how far ahead of the clock (ms). */
export interface TimeSpec {
  readonly field: string;
  readonly unit: TimeUnit;
  readonly lateness: number;
  readonly idle: number | null;
  readonly ahead: number;
  /** The column whose every value has a watermark of its own; null where all share one. */
  readonly per: string | null;
}

/** Where records come from, in what format, with which fields and which time. */
export interface InputSpec {
  /** `source` for the only one of a pipeline, else its name under `sources`. */
  readonly name: string;
  /** Leads to it in the document. */
  readonly path: Path;
  readonly source: SourceSpec;
  readonly format: Format;
  /** What a record of `protobuf` is; null for other formats. */
  readonly message: ProtoMessage | null;
  /** How many records a message holds; `message`: one. */
  readonly framing: Framing;
  /** Declared fields; null when the file leaves them to inference, as only a pipeline with one source may. */
  readonly schema: Readonly<Record<string, ColumnType>> | null;
  readonly time: TimeSpec | null;
}

/** How many keys a step remembers, for how long, and what becomes of a new one when there are too many. */
export interface KeyBounds {
  readonly max: number;
  /** A key is forgotten when it has been silent for this long, in ms of event time; null: never. */
  readonly ttl: number | null;
  /** `refuse`: records of a new key are counted as `overflow`. `forget_oldest`: the key that was silent longest makes room. */
  readonly when_full: "refuse" | "forget_oldest";
}

/** Those of the bounds that a file declares. */
export type DeclaredKeys = { readonly [K in keyof KeyBounds]?: KeyBounds[K] | undefined };

/** What a pipeline may take, as far as its file says. */
export interface LimitsSpec {
  /** Of every keyed step that declares none itself. */
  readonly keys: DeclaredKeys;
  /** The most records a second that are expected; null when the file does not say. */
  readonly rate: number | null;
  /** The most bytes that the state of all steps may take. */
  readonly memory: number;
}

/** A resolution that rows which wait are condensed to, and how old they are allowed to get in it, in ms. */
export interface Tier {
  /** How much time one row then stands for; 0: as they were made. */
  readonly every: number;
  readonly keep: number;
}

/** What rows that wait to be sent may take, as far as a file says. */
export interface OutboxSpec {
  readonly bytes?: number | undefined;
  /** Older rows are dropped. */
  readonly age?: number | undefined;
  /** What becomes of more. */
  readonly when_full?: "wait" | "drop_oldest" | "condense" | undefined;
  /** Rows that waited so long are sent behind new ones; "never": rows keep their order. */
  readonly backlog_after?: number | "never" | undefined;
  /** From fine to coarse; empty: rows stay as they are. */
  readonly tiers: readonly Tier[];
}

/** Where a pipeline wants to run, and what it is expected to take there. */
export interface PlacementSpec {
  readonly isolation: "shared" | "worker";
  readonly labels: Readonly<Record<string, string>>;
  readonly processors: number;
  /** Bytes. */
  readonly memory: number;
  /** How many partitions its stream has, each of which may run elsewhere; null: it runs as a whole. */
  readonly partitions: number | null;
  /** The most workers that share the partitions; null: as many as the host has to spare. */
  readonly workersMax: number | null;
  /** Its partitions are shared evenly among the hosts of a fleet, also when one comes. */
  readonly spread: boolean;
  /** What it keeps goes along when it is moved from host to host of a fleet. */
  readonly carriesState: boolean;
  /** Of its worker's pool; null: as many as its worker gives. */
  readonly threads: number | null;
}

export interface StepSpec {
  /** The operator's YAML word. */
  readonly operator: string;
  readonly keys: DeclaredKeys;
  /** Parsed by the operator's field specs; settings that name columns are still `Unbound`. */
  readonly config: unknown;
  /** Leads to the step's setting in the document: `["steps", 0, "filter"]`. */
  readonly path: Path;
}

export interface BranchSpec {
  /** `main` for the only one of a pipeline without branches. */
  readonly name: string;
  readonly steps: readonly StepSpec[];
  readonly sink: SinkSpec;
  readonly format: Format;
  /** What a row of `protobuf` is; null for other formats. */
  readonly message: ProtoMessage | null;
  /** Leads to the branch's sink in the document: `["steps", 2, "sink"]`. */
  readonly path: Path;
  /** For a late branch the step whose late records it gets; null for all others. */
  readonly lateOf: StepSpec | null;
}

/** Where a test's record comes in; null leaves it to the only source, and to its subject. */
interface TestPlace {
  readonly source: string | null;
  readonly subject: string | null;
}

/** Rows of reference tables in a test: by table, and by key. */
export type TestLookups = Readonly<
  Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>
>;

export interface TestSpec {
  readonly name: string;
  /** What reference tables hold at the beginning: buckets, and files instead of what the disk has. */
  readonly lookups: TestLookups;
  readonly input: readonly (
    | ({ readonly kind: "record"; readonly record: Readonly<Record<string, unknown>> } & TestPlace)
    /** Bytes as they are, for records that are broken on purpose. */
    | ({ readonly kind: "raw"; readonly text: string } & TestPlace)
    /** The clock moves on by this many ms. */
    | { readonly kind: "pause"; readonly ms: number }
    /** What some reference tables hold from here on. */
    | { readonly kind: "lookups"; readonly lookups: TestLookups }
    /** The pipeline ends and goes on from what it remembers. */
    | { readonly kind: "restart" }
  )[];
  /** By branch, the rows its sink must get, in order; each names the fields that must be equal. */
  readonly expect: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;
  /** How many records the dead letter must get; null when the test does not say. */
  readonly deadLetter: number | null;
}

export interface PipelineSpec {
  readonly file: string;
  readonly name: string;
  readonly about: string | null;
  /** Files of operator definitions, relative to the pipeline's file. */
  readonly use: readonly string[];
  /** In the order of the file. Either all have a time field or none has. */
  readonly inputs: readonly InputSpec[];
  readonly steps: readonly StepSpec[];
  /** Late branches come last. */
  readonly branches: readonly BranchSpec[];
  readonly limits: LimitsSpec;
  readonly outbox: OutboxSpec;
  readonly placement: PlacementSpec;
  readonly deadLetter: { readonly sink: SinkSpec } | null;
  readonly tests: readonly TestSpec[];
}

/** An operator bound to its place: configuration compiled against the input's columns. */
export interface StepPlan {
  /** Names it in the ledger and in messages: `1 filter`, `condensed/1 window`. */
  readonly label: string;
  readonly definition: OperatorDefinition;
  readonly config: unknown;
  readonly keys: KeyBounds;
  readonly input: Schema;
  readonly output: Schema;
  readonly spec: StepSpec;
}

/** `cloud.reefer.{device}` taken apart: literal parts and the columns between them. */
export interface SubjectTemplate {
  readonly text: string;
  readonly parts: readonly (string | ColumnReference)[];
}

export interface BranchPlan {
  readonly name: string;
  readonly steps: readonly StepPlan[];
  readonly sink: SinkSpec;
  readonly subject: SubjectTemplate | null;
  readonly format: Format;
  readonly message: ProtoMessage | null;
  /** What the rows hold when they reach the sink. */
  readonly rows: Schema;
  /** True when the original bytes are forwarded: nothing was changed and the formats are the same. */
  readonly forwards: boolean;
  /** For a late branch the step whose late records it gets; null for all others. */
  readonly lateOf: StepPlan | null;
}

/** What is taken out of the payloads and subjects of one source, and where it stands in the chain's schema. */
export interface InputPlan {
  readonly spec: InputSpec;
  /** What is decoded from a payload. */
  readonly fields: readonly FieldRead[];
  /** Columns taken from the subject's tokens: `sensors.{site}.{device}.temp`; token counts from 0. */
  readonly subjectFields: readonly { readonly name: string; readonly token: number }[];
  /** The time field's place in `fields`; null for processing time. */
  readonly timeIndex: number | null;
  /** By column of the chain's schema, its place in `fields` followed by `subjectFields`; -1 where this source has none. */
  readonly places: readonly number[];
}

/** The column that names the keys which have watermarks of their own, where the chain and where home begins. */
export interface PerKey {
  readonly entry: ColumnReference;
  readonly home: ColumnReference;
}

/** Where there are several sources, the column of each row that holds the name of its own: the last of the schema. */
export const sourceColumn = "source";

export interface PipelinePlan {
  readonly spec: PipelineSpec;
  readonly name: string;
  readonly inputs: readonly InputPlan[];
  /**
   * The chain's input. With one source: its `fields`, then its `subjectFields`, and the rest is open. With
   * several: each column of any of them, then `source`, and no rest.
   */
  readonly schema: Schema;
  /** Where keys have watermarks of their own. */
  readonly per: PerKey | null;
  /** Steps that every branch shares. */
  readonly steps: readonly StepPlan[];
  readonly branches: readonly BranchPlan[];
}
