// The syntax tree of an expression: what was written and where, before anything has a type.
// Types only; it knows no columns and no functions.

/** Character offsets into the expression's text, end exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export const arithmeticOperators = ["+", "-", "*", "/", "%"] as const;
export const comparisonOperators = ["==", "!=", "<", "<=", ">", ">="] as const;
export type BinaryOperator = (typeof arithmeticOperators)[number] | (typeof comparisonOperators)[number];

export type Syntax =
  /** `integer` is the exact value of a number written without point or exponent, else null. */
  | (Span & { readonly kind: "number"; readonly value: number; readonly integer: bigint | null })
  | (Span & { readonly kind: "text"; readonly value: string })
  | (Span & { readonly kind: "bool"; readonly value: boolean })
  | (Span & { readonly kind: "null" })
  /** A column; `position.lat` is one name. */
  | (Span & { readonly kind: "name"; readonly name: string })
  /** `f(x, y)`; `x.f(y)` is the same call. `callee` is where the function's name stands. */
  | (Span & { readonly kind: "call"; readonly name: string; readonly callee: Span; readonly args: Syntax[] })
  | (Span & {
      readonly kind: "binary";
      readonly operator: BinaryOperator;
      readonly left: Syntax;
      readonly right: Syntax;
    })
  | (Span & {
      readonly kind: "logic";
      readonly operator: "&&" | "||";
      readonly left: Syntax;
      readonly right: Syntax;
    })
  | (Span & { readonly kind: "not" | "negate"; readonly operand: Syntax })
  | (Span & {
      readonly kind: "choice";
      readonly condition: Syntax;
      readonly accepted: Syntax;
      readonly otherwise: Syntax;
    })
  | (Span & { readonly kind: "in"; readonly operand: Syntax; readonly list: readonly Syntax[] });

/** A call in a syntax tree. */
export type CallSyntax = Extract<Syntax, { kind: "call" }>;
