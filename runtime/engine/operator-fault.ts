// What is wrong with a file of operators that cannot be loaded, and what to do about it, in words. Loads nothing itself.

import { spawnSync } from "node:child_process";
import { findPackageJSON } from "node:module";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";
import { messageOf, WeirError } from "../errors.ts";
import { placeOf } from "../operator-place.ts";

/** Characters of what an operator's file says, or of a line of it that is wrong, that are told. */
const shownMax = 500;

/** The line above the caret by which Node shows where a text is wrong, and where it is; null where it shows none. */
function lineAtCaret(text: string): string | null {
  const lines = text.split("\n");
  const caret = lines.findIndex((line) => /^\s*\^+\s*$/.test(line));
  if (caret < 1) return null;
  // Of TypeScript the line before stands between.
  const [, file, number] =
    /^(?:file:)?(\/.*?)(?:\?\w+)?:(\d+)$/m.exec(lines.slice(0, caret - 1).join("\n")) ?? [];
  // Where types were, Node leaves blanks.
  const line = lines[caret - 1]!.trim().replaceAll(/\s+/g, " ");
  return file === undefined ? `the line ${line}` : `${basename(file)}:${number}: ${line}`;
}

/** Where a text is no TypeScript, or no JavaScript, the line that is not; of what it throws, where. */
function placeIn(error: unknown, file: string): string {
  const place = placeOf(error);
  if (place !== null) return ` (${place})`;
  if (!(error instanceof SyntaxError)) return "";
  // Of JavaScript Node shows the line only where the error ends a process.
  const line =
    lineAtCaret(error.stack ?? "") ??
    lineAtCaret(spawnSync(process.execPath, ["--check", file], { encoding: "utf8" }).stderr ?? "");
  return line === null ? "" : `; it is in ${line}`;
}

/** Of a file that Node takes for a CommonJS one although it is none. */
function moduleRemedy(file: string): string {
  const named = `call it ${basename(file).replace(/\.c?([jt]s)$/, ".m$1")}`;
  const manifest = file.endsWith(`.c${file.slice(-2)}`) ? undefined : findPackageJSON(pathToFileURL(file));
  return manifest === undefined ? named : `write "type": "module" in ${manifest}, or ${named}`;
}

/** What to do about a file that is there and cannot be loaded. */
function remedyOf(file: string, cause: unknown): string {
  const why = messageOf(cause);
  if (cause instanceof Error && "code" in cause && cause.code === "ERR_MODULE_NOT_FOUND") {
    if (why.startsWith("Cannot find package 'zod'")) return "z comes from weir/sdk, beside field";
    return "a package that it imports is to be installed beside the file, another file is named with its ending: ./limits.ts";
  }
  if (/outside a module|Unexpected token 'export'/.test(why)) return moduleRemedy(file);
  if (/does not provide an export named/.test(why))
    return "correct the name; a type is imported as one, import { type … }, for Node runs the file as it is, without its types";
  if (/not supported in strip-only mode/.test(why))
    return "write it without: Node runs the file as it is, without its types, and makes no code of them";
  return !(cause instanceof SyntaxError) || placeOf(cause) !== null
    ? "correct that file"
    : "correct that file: Node runs it as it is, without its types";
}

/** A file that is there and cannot be loaded, and why. */
export function unloadable(file: string, why: string, cause?: unknown): WeirError {
  return new WeirError("WEIR_OPERATOR", `cannot load operators from ${file}: ${why}`, {
    remedy: remedyOf(file, cause),
    cause,
  });
}

/** The same for what was thrown when it was loaded. */
export function unloadableFor(file: string, error: unknown): WeirError {
  const why = `${messageOf(error)}${placeIn(error, file)}`;
  return unloadable(file, why.length > shownMax ? `${why.slice(0, shownMax)}…` : why, error);
}
