// Diagnostics as a compiler prints them: the place, the line, a caret under the mistake, and what to
// do. Makes text only; never writes it anywhere.

import { LineIndex } from "./line-index.ts";
import type { Diagnostic } from "./pipeline.ts";

/** Longest part of a source line that is shown. */
const shownMax = 120;

const codes = { bold: "1", red: "31", yellow: "33", cyan: "36", dim: "2" } as const;

/**
 * All diagnostics, one after the other; `sources` holds the text of each file by its name. Ends with a
 * line break unless there is nothing to say.
 */
export function formatDiagnostics(
  diagnostics: readonly Diagnostic[],
  sources: Readonly<Record<string, string>>,
  options: { readonly color: boolean } = { color: false },
): string {
  const paint = (text: string, ...styles: (keyof typeof codes)[]): string =>
    options.color ? `\u001b[${styles.map((style) => codes[style]).join(";")}m${text}\u001b[0m` : text;
  const lines = new Map<string, LineIndex>();
  const lineOf = ({ file, line }: Diagnostic): string => {
    if (!lines.has(file)) lines.set(file, new LineIndex(Object.hasOwn(sources, file) ? sources[file]! : ""));
    return lines.get(file)!.line(line);
  };
  return diagnostics
    .map((diagnostic) => {
      const { file, line, column, message, hint, severity } = diagnostic;
      const tone = severity === "error" ? "red" : "yellow";
      const head = `${paint(`${file}:${line}:${column}:`, "bold")} ${paint(`${severity}:`, "bold", tone)} ${oneLine(message)}\n`;
      const source = lineOf(diagnostic);
      const suggestion = hint === null ? "" : ` ${paint(oneLine(hint), "cyan")}`;
      if (source.trim() === "") return suggestion === "" ? head : `${head}     ${suggestion}\n`;
      const { text, before, marked } = excerpt(masked(source), column, diagnostic.length);
      const gutter = String(line).padStart(5);
      const caret = `${before}${paint("^".repeat(marked), "bold", tone)}${suggestion}`;
      return `${head}${paint(`${gutter} |`, "dim")} ${text}\n${paint("      |", "dim")} ${caret}\n`;
    })
    .join("");
}

const userOfAddress = /(?<=:\/\/)[^/\s"'@]*(?:@[^/\s"'@]*)*(?=@)/g;
const secretSetting =
  /(?<=\b(?:password|token|nkey|credentials|key)["']?\s*:\s*)(?:"[^"]*"|'[^']*'|[^\s"'{}[\],#][^\s,}\]]*)/g;

/** What is told here ends up in logs: secrets of a line, each as as many stars. What is only named, as `${WEIR_PASSWORD}`, is none. */
function masked(source: string): string {
  const stars = (text: string): string => (text.includes("${") ? text : text.replaceAll(/[^"'\s]/g, "*"));
  return source.replaceAll(userOfAddress, stars).replaceAll(secretSetting, stars);
}

/** The part of a line around the mistake, what stands under the text before it, and how many carets follow. */
function excerpt(
  source: string,
  column: number,
  length: number,
): { readonly text: string; readonly before: string; readonly marked: number } {
  const start = column - 1;
  const from = source.length <= shownMax || start < shownMax / 2 ? 0 : start - shownMax / 2;
  const text = source.slice(from, from + shownMax);
  const lead = from > 0 ? "…" : "";
  const tail = from + shownMax < source.length ? "…" : "";
  // Tabs stay tabs, so that the caret stands where the text stands whatever a tab is worth.
  const before = (lead + text.slice(0, start - from)).replace(/[^\t]/g, " ");
  const marked = Math.max(1, Math.min(length, text.length - (start - from)));
  return { text: lead + shown(text) + tail, before, marked };
}

/** Control characters of a line, but for tabs, each as one character in its place; the terminal would obey them. */
function shown(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what is replaced
  return text.replace(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}

/** Control characters of a message would reach the terminal. */
function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what is replaced
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]+/g, " ");
}

/** What `formatDiagnostics` shows without colour, in one line and without the lines of the file: for logs. */
export function inOneLine(shown: string): string {
  const told = shown.split("\n").flatMap((line) => {
    if (/^ *\d+ \|/.test(line)) return [];
    return (/^ *\|\s*\^+ ?(.*)$/.exec(line)?.[1] ?? line).trim();
  });
  return told.filter((line) => line !== "").join("; ");
}
