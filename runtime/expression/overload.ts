// What an entry of the function table is. One entry serves the checker, both back ends, the tests and
// the reference page. Types only.

import type { ColumnType, Scalar } from "../../operators/sdk/index.ts";

/** What a row holds where it is not null. */
export type Value = number | bigint | boolean | string;

/**
 * The meaning of a call, given values that are not null. No value is null for bigint and text and any
 * number that is not finite for numbers; a bool always has a value unless the overload is `partial`.
 */
export type Run = (...values: never[]) => Value | null;

/** The same meaning as program text over numbers, where NaN stands for null. */
export interface NumberCode {
  /** Uses each operand once, in order. NaN in any operand gives NaN. */
  text(...operands: string[]): string;
  /** By operand, true when an infinity in it would be lost, so that it must be turned to NaN before. */
  readonly finite: readonly boolean[];
  /** `operands`: finite operands never give an infinity. `always`: never an infinity. `never`: it may overflow. */
  readonly result: "operands" | "always" | "never";
}

/** What a literal argument was made into, or why it cannot be. */
export type Prepared =
  | { readonly ok: true; readonly run: Run }
  | { readonly ok: false; readonly message: string };

export interface Overload {
  readonly takes: readonly ColumnType[];
  readonly gives: ColumnType;
  readonly run: Run;
  readonly code?: NumberCode;
  /** For a bool: `run` may give null. */
  readonly partial?: true;
  /** The last argument must be a literal text, from which the function of the others is made once. */
  readonly prepare?: (literal: string) => Prepared;
}

export interface FunctionExample {
  readonly text: string;
  readonly given: Readonly<Record<string, Scalar>>;
  /** Types of columns that their value does not show. */
  readonly types?: Readonly<Record<string, ColumnType>>;
  readonly gives: Scalar;
}

export interface FunctionEntry {
  readonly name: string;
  /** `form`: part of the language, with rules of its own; its overloads are empty. */
  readonly kind: "operator" | "function" | "form";
  readonly summary: string;
  /** How it is written, for forms, whose overloads do not tell. */
  readonly written?: string;
  readonly overloads: readonly Overload[];
  readonly examples: readonly FunctionExample[];
}
