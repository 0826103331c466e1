// The structure of a regular expression, as far as its cost depends on it: what is repeated, what is an
// alternative, and which characters may stand where. Never matches anything.

/** Characters as bits: one for each of ASCII's 128, and one for all others together. */
export type CharacterSet = bigint;

export const noCharacters: CharacterSet = 0n;
const otherCharacters: CharacterSet = 1n << 128n;

export type PatternNode =
  | { readonly kind: "characters"; readonly set: CharacterSet }
  /** `^`, `$`, `\b`, `\B`: matches no character. */
  | { readonly kind: "start" | "end" | "boundary" }
  | { readonly kind: "sequence"; readonly parts: readonly PatternNode[] }
  | { readonly kind: "alternatives"; readonly options: readonly PatternNode[] }
  | { readonly kind: "repeat"; readonly body: PatternNode; readonly min: number; readonly max: number };

/** Why a pattern is refused. */
export class PatternRefusal extends Error {}

const quantifier = /([*+?]|\{(\d+)(,(\d*))?\})\??/y;
const escaped = /\\(?:u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|c[a-zA-Z]|[pP]\{[^}]*\}|[^])/uy;
const bracketed = /\[(?:\\[^]|[^\]\\])*\]/uy;

/** The structure of `source`. Syntax that it lets pass by mistake is found by `RegExp` itself. */
export function readPattern(source: string, flags: string): PatternNode {
  return new PatternReader(source, flags).whole();
}

class PatternReader {
  readonly #source: string;
  readonly #flags: string;
  #at = 0;

  constructor(source: string, flags: string) {
    this.#source = source;
    this.#flags = flags;
  }

  whole(): PatternNode {
    const node = this.#alternatives();
    if (this.#at < this.#source.length) throw new PatternRefusal("not a regular expression (unmatched ))");
    return node;
  }

  #alternatives(): PatternNode {
    const options = [this.#sequence()];
    while (this.#source[this.#at] === "|") {
      this.#at++;
      options.push(this.#sequence());
    }
    return options.length === 1 ? options[0]! : { kind: "alternatives", options };
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (this.#at < this.#source.length && !"|)".includes(this.#source[this.#at]!)) {
      parts.push(this.#repeated(this.#atom()));
    }
    return { kind: "sequence", parts };
  }

  #repeated(body: PatternNode): PatternNode {
    quantifier.lastIndex = this.#at;
    const match = quantifier.exec(this.#source);
    if (match === null) return body;
    this.#at = quantifier.lastIndex;
    const [, sign, least, comma, most] = match;
    if (least === undefined) {
      return { kind: "repeat", body, min: sign === "+" ? 1 : 0, max: sign === "?" ? 1 : Infinity };
    }
    const min = Number(least);
    return {
      kind: "repeat",
      body,
      min,
      max: comma === undefined ? min : most === "" ? Infinity : Number(most),
    };
  }

  #atom(): PatternNode {
    const first = this.#source[this.#at]!;
    switch (first) {
      case "(":
        return this.#group();
      case "^":
        this.#at++;
        return { kind: "start" };
      case "$":
        this.#at++;
        return { kind: "end" };
      case "[":
        return this.#token(bracketed);
      case "\\":
        return this.#escape();
      default: {
        const character = String.fromCodePoint(this.#source.codePointAt(this.#at)!);
        this.#at += character.length;
        return { kind: "characters", set: this.#setOf(character) };
      }
    }
  }

  #group(): PatternNode {
    this.#at++;
    if (this.#source.startsWith("?:", this.#at)) this.#at += 2;
    else if (this.#source[this.#at] === "?") {
      throw new PatternRefusal("look-around and named groups are not supported; use (…) or (?:…)");
    }
    const node = this.#alternatives();
    if (this.#source[this.#at] !== ")")
      throw new PatternRefusal("not a regular expression (unterminated group)");
    this.#at++;
    return node;
  }

  #escape(): PatternNode {
    const next = this.#source[this.#at + 1] ?? "";
    if (next === "b" || next === "B") {
      this.#at += 2;
      return { kind: "boundary" };
    }
    if (/[1-9k]/.test(next)) throw new PatternRefusal("back-references are not supported");
    return this.#token(escaped);
  }

  #token(shape: RegExp): PatternNode {
    shape.lastIndex = this.#at;
    const token = shape.exec(this.#source)?.[0];
    if (token === undefined) throw new PatternRefusal("not a regular expression");
    this.#at += token.length;
    return { kind: "characters", set: this.#setOf(token) };
  }

  /** What one token matches. What it may match beyond ASCII is not looked into: rather too much than too little. */
  #setOf(token: string): CharacterSet {
    const pattern = new RegExp(`^(?:${token})$`, this.#flags);
    let set = noCharacters;
    for (let code = 0; code < 128; code++) {
      if (pattern.test(String.fromCharCode(code))) set |= 1n << BigInt(code);
    }
    const asciiOnly =
      /^(?:[ -~]|\\[dw.\\+*?()[\]{}|/^$-]|\[(?!\^)(?:\\[dw.\\+*?()[\]{}|/^$-]|[ -[\]-~])*\])$/.test(token);
    return asciiOnly && token !== "." && !this.#flags.includes("i") ? set : set | otherCharacters;
  }
}
