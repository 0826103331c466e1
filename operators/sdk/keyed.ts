// The friendly form for an operator with a memory: a function of one record and of what is remembered of its key. It lowers to
// `defineOperator`, with a table that the engine keeps; no object is made for a record.

import type { z } from "zod";
import type { ColumnType } from "./batch.ts";
import { AddedValues, checkNames } from "./added-values.ts";
import { checkFunctions, Cursor, named, ofRecord, valuesIn } from "./cursor.ts";
import type { ColumnReference } from "./expression.ts";
import {
  type Collector,
  defineOperator,
  type Draft,
  type Example,
  type Operator,
  type OperatorDefinition,
} from "./operator.ts";
import { type ValuesOf, withFields } from "./record.ts";
import type { RecordView } from "./record-view.ts";
import { type KeyedDeclaration, type KeyedTable, noKey, table } from "./state.ts";

/** Numbers by name: what an operator remembers of a key. */
export type Numbers = Readonly<Record<string, number>>;

/** Settings with a `by`, as `field.keys` makes it; without one, all records are of one key. */
type KeyedConfig = z.ZodType<{ readonly by?: readonly ColumnReference[] | undefined }>;

type Columns = Readonly<Record<string, ColumnType>>;

export interface KeyedSpec<C extends KeyedConfig, M extends Numbers, T extends Columns> {
  /** Its word in a pipeline: lower-case letters, digits and _. */
  readonly name: string;
  /** What it does, in a sentence. */
  readonly summary: string;
  /** The exact rule, in sentences; the summary without it. */
  readonly rule?: string;
  /** Its settings; the key is the one called `by`, of `field.keys`. Without it all records are of one key. */
  readonly config: C;
  /** Runs of it, which `conformanceCases` of `weir/testing` repeats, and takes its random streams from. */
  readonly examples?: readonly Example[];
  /**
   * What is remembered of each key, and what that is before its first record: numbers by name, `() => ({ count: 0 })`. Kept through
   * restarts. A version with other names, or another order of them, does not go on with what was kept.
   */
  readonly memory: (config: z.output<C>) => M;
  /** The columns that are added, or replaced. */
  readonly columns?: (config: z.output<C>) => T;
  /**
   * Takes a record, in order of arrival, with the memory of its key, which it may change. True lets the record go on, false leaves it
   * out (`filtered`); values by column let it go on with these, and one that is left out is null.
   */
  readonly each: (
    config: z.output<C>,
  ) => (record: RecordView, memory: { -readonly [N in keyof M]: number }) => boolean | ValuesOf<T>;
}

/** An operator over records, each with what is remembered of its key. */
export function defineKeyed<C extends KeyedConfig, M extends Numbers, T extends Columns = Columns>(
  spec: KeyedSpec<C, M, T>,
): OperatorDefinition {
  checkFunctions(
    "defineKeyed",
    spec,
    spec.columns === undefined ? ["memory", "each"] : ["memory", "columns", "each"],
  );
  const { name, summary, rule = summary, config, examples = [], memory, columns, each } = spec;
  return defineOperator({
    name,
    summary,
    rule,
    kind: "keyed",
    late: () => false,
    config,
    examples,
    schema: (input, settings) => withFields(input, columns?.(settings) ?? {}),
    state: (settings) => ({ memory: memoryTable(settings.by ?? [], memory(settings)) }),
    create: (settings, { input, output, state }) => {
      const names = Object.keys(columns?.(settings) ?? {});
      const run: Run = {
        table: state.memory,
        memory: new KeyMemory(Object.keys(memory(settings))),
        each: ofRecord(each(settings), "each") as Run["each"],
        added: names.length === 0 ? null : new AddedValues(input, output, names),
      };
      return operatorOf(run);
    },
  });
}

/** A number for each of `memory`, under its name: what was kept of one is never taken for another. */
function memoryTable(by: readonly ColumnReference[], memory: Numbers): KeyedDeclaration {
  const names = Object.keys(memory);
  for (const name of names) {
    const value: unknown = memory[name];
    if (typeof value !== "number")
      throw new TypeError(
        `memory: expected a number for ${name}, got ${shown(value)}: a key has numbers only, each under a name`,
      );
  }
  return table.keyed(by, Object.values(memory), { names });
}

function shown(value: unknown): string {
  if (value === undefined) return "undefined";
  return Array.isArray(value) ? "a list" : named(value);
}

/** The memory of one key at a time, as an object with a property for each number. */
class KeyMemory {
  readonly values: Record<string, number> = {};
  cells: readonly Float64Array[] = [];
  key: number = 0;

  constructor(names: readonly string[]) {
    for (const [place, name] of names.entries())
      Object.defineProperty(this.values, name, {
        enumerable: true,
        get: () => this.cells[place]![this.key],
        set: (value: unknown) => {
          if (typeof value !== "number")
            throw new TypeError(`expected a number for ${name}, got ${named(value)}`);
          this.cells[place]![this.key] = value;
        },
      });
    // A name that is misspelt would be remembered by nobody.
    Object.seal(this.values);
  }
}

interface Run {
  readonly table: KeyedTable;
  readonly memory: KeyMemory;
  readonly each: (record: RecordView, memory: Record<string, number>) => unknown;
  /** Null of one that adds none. */
  readonly added: AddedValues | null;
}

function operatorOf(run: Run): Operator {
  const cursor = new Cursor();
  let ids = new Uint32Array(0);
  return {
    onBatch(batch, out) {
      if (ids.length < batch.count) ids = new Uint32Array(batch.count);
      run.table.keys.identify(batch, ids);
      run.table.reserve();
      run.memory.cells = run.table.cells;
      cursor.batch = batch;
      const draft = run.added === null ? null : out.draft(batch.rows);
      const rows = out.scratch(batch);
      const count = takeAll(run, cursor, ids, rows, draft, out);
      if (draft === null) out.select(batch, rows, count);
      else out.project({ ...batch, selection: rows, count }, run.added!.columns(batch, draft));
    },
  };
}

const expected = "true, false or values by column of each";

/** Writes the rows that go on to `rows`, and their values to `draft`; how many there are. */
function takeAll(
  { memory, each, added }: Run,
  cursor: Cursor,
  ids: Uint32Array,
  rows: Uint32Array,
  draft: Draft | null,
  out: Collector,
): number {
  const { batch } = cursor;
  let count = 0;
  for (let i = 0; i < batch.count; i++) {
    const row = batch.selection[i]!;
    const key = ids[i]!;
    if (key === noKey) {
      out.drop(batch, row, "overflow");
      continue;
    }
    cursor.row = row;
    memory.key = key;
    const taken = each(cursor, memory.values);
    if (taken === false) continue;
    rows[count++] = row;
    if (added !== null) added.put(draft!, row, taken === true ? {} : valuesIn(taken, expected));
    else if (taken !== true) checkNames(valuesIn(taken, expected), []);
  }
  return count;
}
