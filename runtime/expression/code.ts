// The code back end: one generated loop an expression, in two variants: for batches without a null in
// the columns read, and for others. Texts that depend on one string column are looked up in tables.

import type { Batch, Column } from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import { Emitter } from "./emit.ts";
import type { Kernel } from "./kernel.ts";
import { LiftedTable, lift, type Lookup } from "./lift.ts";
import { Output } from "./output.ts";
import { RelabelKernel } from "./relabel.ts";
import { type Layout, Scope } from "./scope.ts";
import { columnsOf, isNumber, partsOf, type Tree } from "./tree.ts";

type Arguments = readonly [
  columns: readonly Column[],
  valid: readonly Uint8Array[],
  tables: readonly Lookup[],
];
/** Writes to `rows` the rows that are true; returns how many. */
type SelectLoop = (
  ...given: [...Arguments, selection: Uint32Array, count: number, rows: Uint32Array]
) => number;
/** Writes a value for each selected row; returns how many are null. */
type EvaluateLoop = (
  ...given: [...Arguments, selection: Uint32Array, count: number, out: unknown, output: Output]
) => number;

type Maker = (constants: readonly unknown[], numbers: Float64Array) => unknown;

/** The one place where text becomes code; `Emitter` says why nothing of the user's is in it. */
function made(body: string): Maker {
  // oxlint-disable-next-line typescript/no-implied-eval -- the purpose of this back end
  return new Function("constants", "numbers", body) as Maker;
}

/** By text and functions called in it. Thousands of rules that differ in their numbers alone are one piece of code. */
const makers = new Map<string, Maker>();
const functions = new WeakMap<object, number>();
let functionsKnown = 0;

/** A loop of this text; its machine code is shared by all that call the same functions. */
function loopOf(text: string, { constants, numbers }: Scope): unknown {
  const called = constants.map((constant) => (typeof constant === "function" ? numberOf(constant) : 0));
  const key = `${called.join()} ${text}`;
  let maker = makers.get(key);
  if (maker === undefined) {
    // Loops that were made live on.
    if (makers.size >= limits.expression_codes_max) makers.clear();
    makers.set(key, (maker = made(text)));
  }
  return maker(constants, Float64Array.from(numbers));
}

function numberOf(called: object): number {
  let number = functions.get(called);
  if (number === undefined) functions.set(called, (number = ++functionsKnown));
  return number;
}

let allowed: boolean | undefined;

/** Whether this process may make code of text. */
export function codeAllowed(): boolean {
  if (allowed === undefined) {
    try {
      made("return true")([], new Float64Array(0));
      allowed = true;
    } catch {
      allowed = false;
    }
  }
  return allowed;
}

let ones = new Uint8Array(0);

/** A validity array of rows that are all valid; shared, never written to. */
function allValid(rows: number): Uint8Array {
  if (ones.length < rows) ones = new Uint8Array(Math.max(rows, ones.length * 2, 8_192)).fill(1);
  return ones;
}

export class CodeKernel implements Kernel {
  readonly #tree: Tree;
  readonly #layout: Layout;
  readonly #output: Output;
  readonly #relabel: RelabelKernel | null;
  // Made when first needed, by variant: without nulls, with nulls.
  readonly #selectLoops: (SelectLoop | undefined)[] = [];
  readonly #evaluateLoops: (EvaluateLoop | undefined)[] = [];

  constructor(tree: Tree) {
    this.#tree = lift(tree);
    const lifted: Layout["lifted"][number][] = [];
    gather(this.#tree, lifted);
    this.#layout = { columns: [...columnsOf(this.#tree)], lifted };
    this.#output = new Output(tree.type);
    const relabels = this.#tree.kind === "lifted" && tree.type === "string";
    this.#relabel = relabels ? new RelabelKernel(lifted[0]!.table) : null;
  }

  evaluate(batch: Batch): Column {
    if (this.#relabel !== null) return this.#relabel.evaluate(batch);
    const variant = this.#variant(batch);
    const loop = (this.#evaluateLoops[variant] ??= this.#evaluateLoop(variant === 1));
    const output = this.#output;
    const out = output.begin(batch.rows);
    const { columns, selection, count } = batch;
    const nulls = loop(
      columns,
      this.#valid(batch, variant),
      this.#tables(batch),
      selection,
      count,
      out,
      output,
    );
    return output.finish(nulls);
  }

  select(batch: Batch, rows: Uint32Array): number {
    const variant = this.#variant(batch);
    const loop = (this.#selectLoops[variant] ??= this.#selectLoop(variant === 1));
    const { columns, selection, count } = batch;
    return loop(columns, this.#valid(batch, variant), this.#tables(batch), selection, count, rows);
  }

  #variant(batch: Batch): 0 | 1 {
    for (const index of this.#layout.columns) if (batch.columns[index]!.valid !== null) return 1;
    return 0;
  }

  #valid(batch: Batch, variant: 0 | 1): readonly Uint8Array[] {
    if (variant === 0) return [];
    return this.#layout.columns.map((index) => batch.columns[index]!.valid ?? allValid(batch.rows));
  }

  #tables(batch: Batch): readonly Lookup[] {
    return this.#layout.lifted.map(({ table }) => {
      const { dictionary } = batch.columns[table.index]!;
      if (dictionary === null) throw new TypeError(`expected a string column at ${table.index}`);
      return table.lookup(dictionary);
    });
  }

  #selectLoop(nullable: boolean): SelectLoop {
    const emitter = new Emitter(new Scope(this.#layout, nullable));
    const condition = emitter.truth(this.#tree);
    // Where the condition has no branch, the loop has none either: the row is written, and kept or not.
    const body = emitter.isCheap(this.#tree)
      ? `rows[found] = r; found += ${condition} & 1;`
      : `if (${condition}) rows[found++] = r;`;
    return this.#compiled(emitter.scope, "rows", "let found = 0;", body, "found") as SelectLoop;
  }

  #evaluateLoop(nullable: boolean): EvaluateLoop {
    const emitter = new Emitter(new Scope(this.#layout, nullable));
    const body = this.#store(emitter);
    const before = "const texts = output.texts, there = output.valid; let good = 0;";
    return this.#compiled(emitter.scope, "out, output", before, body, "count - good") as EvaluateLoop;
  }

  /** Statements that store row `r` and whether it is there. */
  #store(emitter: Emitter): string {
    const tree = this.#tree;
    if (tree.type === "bool" && !emitter.scope.mayBeNull(tree))
      return `out[r] = ${emitter.truth(tree)} & 1; good++;`;
    if (tree.type === "bool") {
      return `const y = ${emitter.kleene(tree)}, w = (y !== 1) & 1; out[r] = y >> 1; there[r] = w; good += w;`;
    }
    if (isNumber(tree.type)) {
      const { value, valid } = emitter.number(tree, "y");
      return `const y = ${value}, w = ${valid} & 1; out[r] = y; there[r] = w; good += w;`;
    }
    const stored = tree.type === "string" ? "texts.code(y)" : "y";
    const value = emitter.value(tree);
    return `const y = ${value}; if (y === null) there[r] = 0; else { out[r] = ${stored}; there[r] = 1; good++; }`;
  }

  #compiled(scope: Scope, parameters: string, before: string, body: string, result: string): unknown {
    const { columns, lifted } = this.#layout;
    const loads = columns.map((index, slot) => {
      const column = `columns[${index}]`;
      return `const c${slot} = ${column}.values, d${slot} = ${column}.dictionary, v${slot} = valid[${slot}];`;
    });
    const tables = lifted.map((_, slot) => `const t${slot} = tables[${slot}];`);
    const constants = scope.constants.map((_, slot) => `const k${slot} = constants[${slot}];`);
    const numbers = scope.numbers.map((_, slot) => `const n${slot} = numbers[${slot}];`);
    const temporaries = Array.from({ length: scope.temporaries }, (_, slot) => `x${slot}`);
    const text = `"use strict";
${constants.join("\n")}
return function (columns, valid, tables, selection, count, ${parameters}) {
${[...loads, ...tables, ...numbers].join("\n")}
${before}
${temporaries.length === 0 ? "" : `let ${temporaries.join(", ")};`}
for (let i = 0; i < count; i++) {
const r = selection[i];
${body}
}
return ${result};
};`;
    return loopOf(text, scope);
  }
}

function gather(tree: Tree, into: Layout["lifted"][number][]): void {
  if (tree.kind === "lifted") into.push({ tree, table: new LiftedTable(tree) });
  else for (const part of partsOf(tree)) gather(part, into);
}
