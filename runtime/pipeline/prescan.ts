// Bounds on a YAML text before it is parsed: how deep it nests, how many nodes and how many tokens it has. One linear
// pass over its tokens; a parser recurses and takes seconds for a megabyte of brackets. Never builds a tree.

import { Lexer } from "yaml";
import { limits } from "../limits.ts";

export interface ScanFault {
  readonly start: number;
  readonly end: number;
  readonly message: string;
  readonly hint: string;
}

/** Tokens of the lexer that carry no text of the file. */
const markers = new Set(["\u0002", "\u0018", "\u001f"]);

/** What has no marker of its own before it: collections, texts in quotes, and what files may not hold. */
const nodes = /^(?:[-{[]$|["'&*!])/;

/** The first bound that the text breaks, or null. Directives and further documents are refused here as well. */
export function prescan(text: string): ScanFault | null {
  const depth = new Depth();
  let offset = 0;
  let values = 0;
  let tokens = 0;
  let documents = 0;
  let started = false;
  for (const token of new Lexer().lex(text)) {
    if (markers.has(token)) {
      if (token === "\u001f") values++;
      continue;
    }
    const start = offset;
    offset += token.length;
    if (token.startsWith("%") && depth.atLineStart && !started) return directive(start, offset);
    if (token === "---") documents++;
    else if (token.trim() !== "" && !token.startsWith("#")) started = true;
    if (documents > 1 || (token === "---" && started)) return secondDocument(start, offset);
    tokens++;
    if (nodes.test(token) || depth.closesNothing(token)) values++;
    if (depth.take(token) > limits.config_depth_max) {
      return {
        start,
        end: start + 1,
        message: `nested deeper than ${limits.config_depth_max} levels`,
        hint: "a pipeline file needs fewer than 20",
      };
    }
    if (values > limits.config_nodes_max) {
      return {
        start,
        end: offset,
        message: `more than ${limits.config_nodes_max} values in one file`,
        hint: "records of a test stand in this file: try many with weir try FILE --from records.ndjson; rows of a table go into the file that lookup names, table: { file: devices.csv }",
      };
    }
    if (tokens > limits.config_tokens_max) {
      return {
        start,
        end: offset,
        message: `more than ${limits.config_tokens_max} words, signs and line ends in one file`,
        hint: "leave out comments and empty lines",
      };
    }
  }
  return null;
}

function directive(start: number, end: number): ScanFault {
  return { start, end, message: "YAML directives are not read", hint: "remove the line; files are YAML 1.2" };
}

function secondDocument(start: number, end: number): ScanFault {
  return {
    start,
    end,
    message: "a second document begins here; one file is one pipeline",
    hint: "put it in a file of its own",
  };
}

/** Follows indentation and brackets. */
class Depth {
  atLineStart = true;
  readonly #indents: number[] = [];
  #column = 0;
  #brackets = 0;
  /** Keys in this line: each after the first nests (`a: b: c`, an error later, but the parser recurses first). */
  #colons = 0;
  /** Nothing but spaces and list or key indicators so far in this line. */
  #leading = true;

  closesNothing(token: string): boolean {
    return this.#brackets === 0 && (token === "}" || token === "]");
  }

  take(token: string): number {
    const column = this.#column;
    const lineBreak = token.lastIndexOf("\n");
    if (lineBreak >= 0) {
      this.#column = token.length - lineBreak - 1;
      this.#colons = 0;
      this.#leading = this.#column === 0 || token.slice(lineBreak + 1).trim() === "";
      this.atLineStart = this.#column === 0;
      if (token.trim() === "") return this.#depth();
    } else {
      this.#column += token.length;
      this.atLineStart = false;
    }
    if (token === "{" || token === "[") this.#brackets++;
    else if (token === "}" || token === "]") this.#brackets = Math.max(0, this.#brackets - 1);
    else if (lineBreak < 0 && token.trim() !== "") this.#content(token, column);
    return this.#depth();
  }

  #content(token: string, column: number): void {
    if (this.#brackets > 0) return;
    if (token === ":") this.#colons++;
    if (!this.#leading) return;
    while (this.#indents.length > 0 && this.#indents.at(-1)! > column) this.#indents.pop();
    if (this.#indents.at(-1) !== column) this.#indents.push(column);
    this.#leading = token === "-" || token === "?";
  }

  #depth(): number {
    return this.#indents.length + this.#brackets + Math.max(0, this.#colons - 1);
  }
}
