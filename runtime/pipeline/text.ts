// The bytes of a file to text that may be parsed: size, encoding and characters. Runs before any
// parser sees the text, so that nothing hostile is parsed. Never looks at what the text means.

import { limits } from "../limits.ts";
import { LineIndex } from "./line-index.ts";
import type { Diagnostic } from "./pipeline.ts";

/** Longest list of mistakes of one kind that is reported; a file that is not text has thousands. */
const reportedMax = 8;

/** Control characters, byte-order marks, and marks that make text read otherwise than it is written. */
const refused =
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\u200b\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff\ufffe\uffff]/gu;

export interface TextAnswer {
  readonly text: string;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * The text of `content`, which must be UTF-8: bytes, or what a caller made of them, in which a character stands for each byte
 * that is none. With diagnostics the text must not be parsed.
 */
export function readText(file: string, content: string | Uint8Array): TextAnswer {
  const fault = (
    line: number,
    column: number,
    length: number,
    message: string,
    hint: string,
  ): Diagnostic => ({
    file,
    line,
    column,
    length,
    message,
    hint,
    severity: "error",
  });
  const bytes = typeof content === "string" ? Buffer.byteLength(content) : content.byteLength;
  if (bytes > limits.config_bytes_max) {
    const message = `the file is ${bytes} bytes long; the most that is read is ${limits.config_bytes_max}`;
    return { text: "", diagnostics: [fault(1, 1, 1, message, "split it, or move data out of it")] };
  }
  const text =
    typeof content === "string" ? content : new TextDecoder("utf-8", { ignoreBOM: true }).decode(content);
  if (isUtf16(text)) {
    const message = "the file is UTF-16; a pipeline file is UTF-8";
    return { text: "", diagnostics: [fault(1, 1, 1, message, "save the file as UTF-8")] };
  }
  const undecoded = text.indexOf("\ufffd");
  if (undecoded >= 0) {
    const { line, column } = new LineIndex(text).place(undecoded);
    const message = "these bytes are not UTF-8";
    return { text, diagnostics: [fault(line, column, 1, message, "save the file as UTF-8")] };
  }
  const index = new LineIndex(text);
  const diagnostics = [...text.matchAll(refused)].slice(0, reportedMax).map((match) => {
    const { line, column } = index.place(match.index);
    return fault(line, column, 1, ...describe(match[0], match.index));
  });
  return { text, diagnostics };
}

/** Read as UTF-8, text in UTF-16 has a NUL in every other place, behind what is left of its mark. */
function isUtf16(text: string): boolean {
  const begin = text.startsWith("\ufffd\ufffd") ? 2 : 0;
  const isNul = (place: number): boolean => text[begin + place] === "\u0000";
  return text.length >= 4 && isNul(0) !== isNul(1) && (begin > 0 || isNul(2) === isNul(0));
}

function describe(character: string, offset: number): [message: string, hint: string] {
  const code = `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;
  if (character === "\ufeff" && offset === 0) {
    return ["the file begins with a byte-order mark", "save it as UTF-8 without a byte-order mark"];
  }
  if (character === "\u0000") return ["a NUL character cannot stand in a pipeline file", "remove it"];
  return [
    `the invisible character ${code} cannot stand in a pipeline file`,
    "remove it, or write it as an escape in double quotes",
  ];
}
