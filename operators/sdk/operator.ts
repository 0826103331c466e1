// The operator contract, and the friendly forms that lower to it. An operator never sees a promise, a
// clock, a thread, a subject or another operator.

import { z } from "zod";
import type { Batch, Column, ColumnType, Schema } from "./batch.ts";
import { checkFunctions } from "./cursor.ts";
import type { Expression, WritableColumn } from "./expression.ts";
import type { ReferenceDeclarations, ReferenceTables } from "./reference.ts";
import type { KeyTable, RecordStore, TableDeclarations, Tables } from "./state.ts";

/** Why a record left the stream before a sink; the ledger counts by these. */
export const reasons = [
  "filtered",
  "late",
  "ahead",
  "decode",
  "type",
  "time",
  "duplicate",
  "overflow",
  "expired",
  "rejected",
  "fault",
] as const;
export type Reason = (typeof reasons)[number];

/** A batch being made: columns of the operator's output schema with room for `rows` rows. Strings are put in with `text`. */
export interface Draft {
  readonly columns: readonly WritableColumn[];
  readonly time: Float64Array;
  /** How many input records each row stands for; 1 beforehand. */
  readonly weight: Float64Array;
  /**
   * The watermark in force when each row is sent: beforehand the last that the operator was told of. One that
   * sends its rows in order of their times puts those here, which does not depend on how records were cut
   * into batches.
   */
  readonly watermark: Float64Array;
  /** The code to put in a string column for `text`. */
  text(column: number, text: string): number;
}

/** Where an operator puts its output. What it neither forwards nor holds is counted in the ledger. */
export interface Collector {
  /** Forwards a batch as it is. */
  emit(batch: Batch): void;
  /** Forwards the `count` rows named by `rows`, ascending and selected in `batch`; the others are counted under `reason` (default `filtered`). */
  select(batch: Batch, rows: Uint32Array, count: number, reason?: Reason): void;
  /** Forwards the batch's rows with other columns, those of the output schema. */
  project(batch: Batch, columns: readonly Column[]): void;
  /** Row numbers to write to, at least `batch.count` of them; the content is lost at the next call. */
  scratch(batch: Batch): Uint32Array;
  /** Leaves one selected row out: counted under `reason`. Forward or hold the others only. */
  drop(batch: Batch, row: number, reason: Reason): void;
  /** Refuses one selected row: counted under `reason`, and sent to the dead letter with `detail`. Forward or hold the others only. */
  reject(batch: Batch, row: number, reason: Reason, detail: string): void;
  /** A new batch of `rows` rows of the output schema, to be written and then sent with `append`. */
  draft(rows: number): Draft;
  append(draft: Draft): void;
  /** In `onBatch`: what is sent stands for `records` more than came, as elements of lists do of which each counts as a record from here on. */
  more(records: number): void;
  /**
   * Sends kept records as they came, in the order given, and lets go of them. For operators that do not change columns.
   * `watermarks`: by place, the watermark in force now that it is sent; without it, the one when it came, so
   * that a window behind would take for punctual what it has closed. `batch`: the present one, whose rows
   * may stand among the slots, row r as -2 - r; they are then sent as well, without having been kept.
   */
  release(store: RecordStore, slots: Int32Array, watermarks?: Float64Array, batch?: Batch | null): void;
  /**
   * Sends kept records as they came, and goes on keeping them. What they stand for goes with them: from then on they stand for
   * nothing, so that they may be sent again.
   */
  copy(store: RecordStore, slots: Int32Array, watermarks: Float64Array): void;
  /** Lets go of kept records, the first `count` of `slots`: counted under `reason`. */
  discard(store: RecordStore, slots: Int32Array, count: number, reason: Reason): void;
}

/** What the engine drives: one thread, never concurrently, in stream order. */
export interface Operator {
  /** Returns nothing, so that one that is `async` is refused: an operator waits for nothing. */
  onBatch(batch: Batch, out: Collector): void | undefined;
  /** Takes what the operator's `partial` sent in place of the records themselves. Where there is one only. */
  merge?(batch: Batch, out: Collector): void | undefined;
  /**
   * Event time has reached `watermark` (ms); Infinity at the end of the stream. One that has very many rows to send may leave
   * some for later, and return how far it has come with them: what follows stays there as well, and it is called again, with
   * this watermark or a later one, when there is room. Nothing that comes meanwhile may change those rows.
   */
  onWatermark?(watermark: number, out: Collector): number | void;
  /**
   * The event time at which it next sends rows by itself, ms; Infinity when it waits for records only. For
   * people who ask why nothing comes; without it, the earliest timer and waiting slot of the tables.
   */
  due?(): number;
  /**
   * A key of one of the tables is about to be forgotten, because it was silent for its time to live or
   * because room is needed: send or let go of what is held of it alone.
   */
  onForget?(keys: KeyTable, key: number, out: Collector): void | undefined;
}

/** A run of the operator that the reference shows and the tests repeat. Columns of `input` get the types of `schema`. */
export interface Example {
  readonly title: string;
  readonly config: unknown;
  readonly schema: Readonly<Record<string, ColumnType>>;
  /** The column that holds event time, in ms. Without it every record is at time 0. */
  readonly time?: string;
  /** How late its records may come, as a duration such as `15s`; none may without it. */
  readonly lateness?: string;
  /** What the reference tables hold: by file or bucket, and by key. */
  readonly lookups?: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;
  readonly input: readonly Readonly<Record<string, unknown>>[];
  readonly output: readonly Readonly<Record<string, unknown>>[];
}

/** A mistake in a configuration that the field specs cannot see. `path` leads to it from the operator's own setting. */
export class ConfigurationError extends Error {
  readonly path: readonly (string | number)[];
  constructor(path: readonly (string | number)[], message: string) {
    super(message);
    this.name = "ConfigurationError";
    this.path = path;
  }
}

/**
 * What of a keyed operator may be done where records are decoded, on any thread: it sends fewer rows in place of the records of a
 * batch, each with the number of records that it stands for as its weight, and the operator's `merge` does with them what
 * `onBatch` would have done with the records. Remembers nothing from one batch to the next.
 */
export interface PartialOperator {
  /** The columns of the rows that it sends. */
  readonly schema: Schema;
  readonly tables: TableDeclarations;
  /**
   * The watermark column of its batches holds, by row, the largest event time before that row in the batch, and
   * so must that of its rows; the watermark in force is that time less `lateness`, or a later one.
   */
  create(tables: Tables<TableDeclarations>, lateness: number): Operator;
}

/** An operator as the catalogue holds it. */
export interface OperatorDefinition {
  /** Its YAML word and its file's name. */
  readonly name: string;
  readonly summary: string;
  /** The exact rule, in sentences, for the reference. */
  readonly rule: string;
  /** `stateless` may run on any thread in any order; `keyed` runs at home, in stream order. */
  readonly kind: "stateless" | "keyed";
  readonly config: z.ZodType;
  readonly examples: readonly Example[];
  /**
   * Columns out, from columns in. Pure. A field that is passed on as the same object promises that its
   * values were not changed, and the whole schema passed on promises it for all: a sink may then copy
   * them from the original bytes. Whoever replaces values makes a new field.
   */
  schema(input: Schema, config: unknown): Schema;
  /**
   * For an operator that keeps the records for which one expression is true and does nothing else: that
   * expression. The engine may then answer several such steps together.
   */
  condition?(config: unknown): Expression;
  /**
   * True where each record goes on as it is, whatever the others say: then it needs no key in `by` where keys have clocks of their
   * own, of which each has the operator for itself.
   */
  readonly keyless?: boolean;
  /** It takes out of records what is not to leave the device: dead letters that would are warned of. */
  readonly conceals?: boolean;
  /** For a keyed operator, false where it leaves no record out as `late`: a branch of late records would get none. */
  late?(config: unknown): boolean;
  /** How long, in ms of event time, a key may be silent and still have a row due: one that is forgotten sooner never has it. */
  silence?(config: unknown): number;
  state(config: unknown): TableDeclarations;
  /** What may be done before the operator, where records are decoded; null where there is no such thing with these settings. */
  partial?(config: unknown): PartialOperator | null;
  /** Tables that the operator looks records up in, by the setting that names each. For keyed operators only. */
  references(config: unknown): ReferenceDeclarations;
  create(config: unknown, context: OperatorContext<TableDeclarations, ReferenceDeclarations>): Operator;
}

/** Numbers that the step shows beside its counts; never part of the stream. */
export interface Metrics {
  /** Shows the largest value so far under a name. */
  max(name: string, value: number): void;
  /** Shows the sum of all amounts so far. */
  add(name: string, amount: number): void;
}

export interface OperatorContext<D extends TableDeclarations, R extends ReferenceDeclarations> {
  readonly input: Schema;
  readonly output: Schema;
  readonly state: Tables<D>;
  readonly references: ReferenceTables<R>;
  readonly metrics: Metrics;
}

/** What `defineOperator` takes; the configuration's type follows from its field specs. */
export interface OperatorSpec<
  C extends z.ZodType,
  D extends TableDeclarations,
  R extends ReferenceDeclarations,
> {
  /** Its word in a pipeline: lower-case letters, digits and _. */
  readonly name: string;
  /** What it does, in a sentence. */
  readonly summary: string;
  /** The exact rule, in sentences. */
  readonly rule: string;
  /** `stateless` may run on any thread in any order, and has no tables; `keyed` runs in one, in stream order. */
  readonly kind: "stateless" | "keyed";
  /** Its settings, as `z.strictObject({ … })` with `field.*`; typed and checked before anything runs. */
  readonly config: C;
  /** Runs of it, which `conformanceCases` of `weir/testing` repeats, and takes its random streams from. */
  readonly examples: readonly Example[];
  /** Columns out from columns in, those that came without it. A replaced column is a new field; a passed one is the same object. */
  readonly schema?: (input: Schema, config: z.output<C>) => Schema;
  /** The tables that are kept for it, also through a restart: `({ by }) => ({ last: table.keyed(by, [Number.NaN]) })`. */
  readonly state?: (config: z.output<C>) => D;
  /** Tables from files or buckets that it looks records up in, by the setting that names each. */
  readonly references?: (config: z.output<C>) => R;
  readonly condition?: (config: z.output<C>) => Expression;
  readonly keyless?: boolean;
  readonly conceals?: boolean;
  readonly late?: (config: z.output<C>) => boolean;
  readonly silence?: (config: z.output<C>) => number;
  readonly partial?: (config: z.output<C>) => PartialOperator | null;
  /** Makes the operator, on tables that may hold what one before it kept: whatever else it remembers is lost in a restart. */
  readonly create: (config: z.output<C>, context: OperatorContext<D, R>) => Operator;
}

/** An operator over columns. The form that built-ins use. */
export function defineOperator<
  C extends z.ZodType,
  D extends TableDeclarations = Readonly<Record<string, never>>,
  R extends ReferenceDeclarations = Readonly<Record<string, never>>,
>(spec: OperatorSpec<C, D, R>): OperatorDefinition {
  checkFunctions("defineOperator", spec, ["create"]);
  const { schema, state, references, condition, late, silence, partial, ...rest } = spec;
  return {
    ...rest,
    config: strictly(spec.config),
    ...(partial === undefined ? {} : { partial: (config) => partial(config as z.output<C>) }),
    ...(late === undefined ? {} : { late: (config) => late(config as z.output<C>) }),
    ...(silence === undefined ? {} : { silence: (config) => silence(config as z.output<C>) }),
    ...(condition === undefined ? {} : { condition: (config) => condition(config as z.output<C>) }),
    schema: schema === undefined ? (input) => input : (input, config) => schema(input, config as z.output<C>),
    state: state === undefined ? () => ({}) : (config) => state(config as z.output<C>),
    references: references === undefined ? () => ({}) : (config) => references(config as z.output<C>),
    create: (config, context) => spec.create(config as z.output<C>, context as OperatorContext<D, R>),
  };
}

/** A setting that is misspelt is told of, also where nobody said whether: `z.object` alone would pass over it. */
function strictly(config: z.ZodType): z.ZodType {
  return config instanceof z.ZodObject && config.def.catchall === undefined ? config.strict() : config;
}
