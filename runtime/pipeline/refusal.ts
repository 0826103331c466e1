// What YAML allows and a pipeline file does not: aliases, merge keys, tags, keys that are no names, halves of
// characters, and numbers that a reader and the parser would read differently. Never changes the document.

import { type Document, isMap, isScalar, type Node, type Scalar, visit } from "yaml";

export interface Refusal {
  readonly span: { readonly start: number; readonly end: number };
  readonly message: string;
  readonly hint: string;
  /** True when the values around it cannot be trusted. */
  readonly fatal: boolean;
}

/** Names that JavaScript objects treat specially. */
const reserved = new Set(["__proto__", "constructor", "prototype"]);

/** Everything in the document that is refused, in the order of the file. */
export function refusalsOf(document: Document.Parsed, text: string): readonly Refusal[] {
  const found: Refusal[] = [];
  visit(document, {
    Alias: (_, node) => {
      found.push(
        refusal(
          node,
          `the alias *${node.source} is not read`,
          "write the value out; files hold no aliases",
          true,
        ),
      );
    },
    Pair: (_, pair) => {
      const fault = keyFault(pair.key);
      if (fault !== null) found.push(refusal(pair.key as Node, ...fault, true));
    },
    Node: (key, node) => {
      if ("tag" in node && node.tag !== undefined) {
        const span = tagSpan(text, node);
        found.push({
          span,
          message: `the tag ${text.slice(span.start, span.end)} is not read`,
          hint: text.startsWith("!!", span.start)
            ? "remove it"
            : "remove it; a text that begins with ! stands in quotes",
          fatal: true,
        });
      } else if (isScalar(node)) {
        const fault = halfFault(node) ?? (key === "key" ? null : numberFault(node));
        if (fault !== null) found.push(refusal(node, ...fault, false));
      }
    },
  });
  return found;
}

function refusal(node: Node, message: string, hint: string, fatal: boolean): Refusal {
  const [start, end] = node.range ?? [0, 1];
  return { span: { start, end: Math.max(end, start + 1) }, message, hint, fatal };
}

function keyFault(key: unknown): [message: string, hint: string] | null {
  if (isMap(key) || !isScalar(key)) return ["a key is a name, not a map or a list", "write name: value"];
  if (key.value === null && (key.source ?? "") === "")
    return ["a key is missing before the colon", "write name: value"];
  const name = String(key.value);
  if (name === "<<" && key.type === "PLAIN") return ["merge keys are not read", "write the settings out"];
  if (reserved.has(name)) return [`${name} cannot be a name here`, "choose another name"];
  return null;
}

/** No format can write half of a character: names and texts that differ in it alone would be the same in every row. */
function halfFault({ value }: Scalar): [message: string, hint: string] | null {
  if (typeof value !== "string" || value.isWellFormed()) return null;
  return [
    "an escape in this text is half of a character",
    "write both halves of it, or the character itself",
  ];
}

/** Numbers written so that a person may read another number than the parser does. */
function numberFault(node: Scalar): [message: string, hint: string] | null {
  if (typeof node.value !== "number" || node.type !== "PLAIN") return null;
  const source = node.source ?? "";
  if (!Number.isFinite(node.value))
    return [`${source} is not a number that a setting can hold`, "write a finite number"];
  if (/^[-+]?0[0-9]/.test(source)) {
    return [
      `${source} begins with a zero and is read as ${node.value}`,
      `write ${node.value}, or "${source}" if it is text`,
    ];
  }
  if (/^0[xo]/.test(source))
    return [`${source} is read as ${node.value}`, `write ${node.value}, or "${source}" if it is text`];
  if (/^[-+]?[0-9]+$/.test(source) && !Number.isSafeInteger(node.value)) {
    return [`${source} is larger than a number can hold exactly`, `put it in quotes if it is text`];
  }
  return null;
}

/** The tag stands before the node that it belongs to. */
function tagSpan(text: string, node: Node): { start: number; end: number } {
  const [start, end] = node.range ?? [0, 1];
  const before = text.lastIndexOf("!", start);
  const first = before < 0 ? start : before - (text[before - 1] === "!" ? 1 : 0);
  const match = /^!\S*/.exec(text.slice(first, first + 200));
  // `!!js/function`: the last mark found may be the second of two, or stand inside the tag's own text.
  return match === null
    ? { start, end: Math.max(end, start + 1) }
    : { start: first, end: first + match[0].length };
}
