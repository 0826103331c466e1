// A YAML text to a document whose every value knows where it stands. What YAML allows and weir does
// not (aliases, merge keys, tags, keys that are no names, numbers that are ambiguous) is refused here,
// each as a diagnostic. Never throws for what a file holds, and never knows what a pipeline is.

import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  parseDocument,
  type Scalar,
  visit,
  type YAMLMap,
} from "yaml";
import { messageOf } from "../errors.ts";
import { LineIndex } from "./line-index.ts";
import type { Diagnostic, Path } from "./pipeline.ts";
import { prescan } from "./prescan.ts";
import { redact, redactWords } from "./redact.ts";
import { rejoinCalls } from "./rejoin.ts";
import { offsetInText } from "./scalar-offset.ts";
import { refusalsOf } from "./refusal.ts";
import { syntaxMistake } from "./syntax-mistake.ts";
import { readText } from "./text.ts";

/** A stretch of the file's text, end exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface DocumentAnswer {
  /** Null when the text cannot be read any further. */
  readonly document: ConfigDocument | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** Codes of parser errors after which the rest of the document still means what it says. */
const survivable = new Set(["DUPLICATE_KEY"]);

/** The document in `content`; a string, or the bytes of a file. */
export function readDocument(file: string, content: string | Uint8Array): DocumentAnswer {
  const { text, diagnostics } = readText(file, content);
  if (diagnostics.length > 0) return { document: null, diagnostics };
  const lines = new LineIndex(text);
  const at = (span: Span, message: string, hint: string | null): Diagnostic =>
    diagnosticAt(file, lines, span, message, hint, "error");
  const scanned = prescan(text);
  if (scanned !== null) return { document: null, diagnostics: [at(scanned, scanned.message, scanned.hint)] };
  let parsed: Document.Parsed;
  try {
    parsed = parseDocument(text, {
      merge: false,
      uniqueKeys: true,
      prettyErrors: false,
      logLevel: "error",
      version: "1.2",
      stringKeys: false,
    });
  } catch (thrown) {
    // The bounds above keep the parser from running out of stack; whatever is left is the file's fault all the same.
    const message = `this is not YAML that can be read: ${messageOf(thrown)}`;
    return { document: null, diagnostics: [at({ start: 0, end: 1 }, message, null)] };
  }
  const joined = rejoinCalls(parsed, text);
  const mistakes = parsed.errors.filter(
    // The arguments of two calls are no keys that are there twice.
    ({ code, pos }) =>
      code !== "DUPLICATE_KEY" || !joined.some(({ start, end }) => pos[0] >= start && pos[0] < end),
  );
  const fatal = mistakes.findIndex((error) => !survivable.has(error.code));
  // Behind the first one that a parser cannot go on from, it only stumbles.
  const errors = (fatal < 0 ? mistakes : mistakes.slice(0, fatal + 1)).map((error) => {
    const mistake = syntaxMistake(error, text, lines);
    return at(mistake, mistake.message, mistake.hint);
  });
  if (fatal >= 0) return { document: null, diagnostics: errors };
  const refusals = refusalsOf(parsed, text);
  const all = [...errors, ...refusals.map((refusal) => at(refusal.span, refusal.message, refusal.hint))];
  if (refusals.some((refusal) => refusal.fatal)) return { document: null, diagnostics: all };
  return { document: new ConfigDocument(file, text, lines, parsed, new Map(), new Map()), diagnostics: all };
}

function diagnosticAt(
  file: string,
  lines: LineIndex,
  span: Span,
  message: string,
  hint: string | null,
  severity: Diagnostic["severity"],
): Diagnostic {
  const { line, column } = lines.place(span.start);
  const end = Math.min(span.end, lines.endOfLine(span.start));
  return { file, line, column, length: Math.max(1, end - span.start), message, hint, severity };
}

/** A document that was read. Values are plain; their places are found by their path. */
export class ConfigDocument {
  readonly file: string;
  readonly text: string;
  readonly lines: LineIndex;
  readonly #parsed: Document.Parsed;
  readonly #replaced: ReadonlyMap<Scalar, unknown>;
  readonly #secrets: ReadonlyMap<Scalar, readonly string[]>;

  constructor(
    file: string,
    text: string,
    lines: LineIndex,
    parsed: Document.Parsed,
    replaced: ReadonlyMap<Scalar, unknown>,
    secrets: ReadonlyMap<Scalar, readonly string[]>,
  ) {
    this.file = file;
    this.text = text;
    this.lines = lines;
    this.#parsed = parsed;
    this.#replaced = replaced;
    this.#secrets = secrets;
  }

  /** The whole document as plain data. */
  get value(): unknown {
    return this.#plain(this.#parsed.contents);
  }

  /** The value at a path; undefined when there is none. */
  valueAt(path: Path): unknown {
    const { node, rest } = this.#walk(path);
    return rest > 0 ? undefined : this.#plain(node);
  }

  /** Where the value at `path` stands; of a map or list, its key; of what is not there, its nearest owner. */
  spanOf(path: Path): Span {
    const { node, key, rest } = this.#walk(path);
    const collection = isMap(node) || isSeq(node);
    if (key !== null && (collection || rest > 0 || isEmpty(node))) return spanOfNode(key);
    return node === null ? { start: 0, end: 1 } : collection ? firstOf(node) : spanOfNode(node);
  }

  /** Where the key at `path` stands; the value where there is no key. */
  keySpanOf(path: Path): Span {
    const { key, rest } = this.#walk(path);
    return key !== null && rest === 0 && typeof path.at(-1) === "string"
      ? spanOfNode(key)
      : this.spanOf(path);
  }

  /** Where characters `start` to `end` of the text value at `path` stand; all of it when that cannot be told. */
  spanWithin(path: Path, start: number, end: number): Span {
    const { node, rest } = this.#walk(path);
    if (rest > 0 || !isScalar(node) || this.#replaced.has(node)) return this.spanOf(path);
    const from = offsetInText(this.text, node, start);
    const to = offsetInText(this.text, node, Math.max(start, end - 1));
    return from === null || to === null ? this.spanOf(path) : { start: from, end: to + 1 };
  }

  /** A mistake in it, told without secrets. */
  diagnostic(
    span: Span,
    message: string,
    hint: string | null = null,
    severity: Diagnostic["severity"] = "error",
  ): Diagnostic {
    const clean = (text: string): string => this.#clean(text, span);
    return diagnosticAt(
      this.file,
      this.lines,
      span,
      clean(message),
      hint === null ? null : clean(hint),
      severity,
    );
  }

  #clean(text: string, { start }: Span): string {
    const own = [...this.#secrets].find(([node]) => {
      const span = spanOfNode(node);
      return start >= span.start && start < span.end;
    });
    const redacted = redact(text, [...this.#secrets.values()].flat());
    return own === undefined ? redacted : redactWords(redacted, own[1]);
  }

  /** Every scalar that is a value, not a key, in the order of the file. */
  scalars(): readonly Scalar[] {
    const found: Scalar[] = [];
    visit(this.#parsed, {
      Scalar: (key, node) => {
        if (key !== "key") found.push(node);
      },
    });
    return found;
  }

  /** The same document with other values in some scalars, and the secrets in those values. */
  replacing(
    replaced: ReadonlyMap<Scalar, unknown>,
    secrets: ReadonlyMap<Scalar, readonly string[]>,
  ): ConfigDocument {
    return new ConfigDocument(this.file, this.text, this.lines, this.#parsed, replaced, secrets);
  }

  #plain(node: unknown): unknown {
    if (isMap(node))
      return Object.fromEntries(node.items.map((pair) => [keyText(pair.key), this.#plain(pair.value)]));
    if (isSeq(node)) return node.items.map((item) => this.#plain(item));
    if (!isScalar(node)) return null;
    return this.#replaced.has(node) ? this.#replaced.get(node) : node.value;
  }

  /** Follows a path as far as it goes: the last node, its key or its nearest owner's key, and how many steps were left. */
  #walk(path: Path): { node: Node | null; key: Node | null; rest: number } {
    let node: Node | null = this.#parsed.contents;
    let key: Node | null = null;
    for (const [done, step] of path.entries()) {
      // A setting that takes one or a list may be asked for by its place where one was written.
      if (step === 0 && isScalar(node)) continue;
      const pair: YAMLMap["items"][number] | undefined = isMap(node)
        ? node.items.find((each) => keyText(each.key) === String(step))
        : undefined;
      const item = isSeq(node) && typeof step === "number" ? node.items[step] : undefined;
      if (pair === undefined && item === undefined) return { node, key, rest: path.length - done };
      if (pair !== undefined) key = pair.key as Node;
      else key = null;
      node = (pair === undefined ? item : pair.value) as Node | null;
    }
    return { node, key, rest: 0 };
  }
}

/** A key as text, however it was written. */
export function keyText(key: unknown): string {
  return isScalar(key) ? (typeof key.value === "string" ? key.value : (key.source ?? String(key.value))) : "";
}

export function spanOfNode(node: unknown): Span {
  const range = isAlias(node) || isScalar(node) || isMap(node) || isSeq(node) ? node.range : undefined;
  return range ? { start: range[0], end: Math.max(range[1], range[0] + 1) } : { start: 0, end: 1 };
}

function isEmpty(node: Node | null): boolean {
  return node === null || (isScalar(node) && node.value === null && node.range?.[0] === node.range?.[1]);
}

/** The first key of a map, the first item of a list. */
function firstOf(node: unknown): Span {
  if (isMap(node) && node.items.length > 0) return spanOfNode(node.items[0]!.key);
  return spanOfNode(node);
}
