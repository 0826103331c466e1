// A file of operators of the user's own, as a module: the only place that loads code of the user's. Says what is wrong where it
// cannot be loaded; whether it comes back at all, a thread has tried before (rehearsal.ts).

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, realpathSync, statSync } from "node:fs";
import { registerHooks } from "node:module";
import { pathToFileURL } from "node:url";
import type { OperatorDefinition } from "../../operators/sdk/index.ts";
import { messageOf, WeirError } from "../errors.ts";
import { partUrl } from "../layout.ts";
import { addStranger } from "./strangers.ts";

let resolving = false;

/** Lets a stranger's file import `weir/sdk` wherever it lies: it is always the SDK of this weir. */
function resolveSdk(): void {
  if (resolving) return;
  resolving = true;
  const sdk = partUrl("sdk.js").href;
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === "weir/sdk" ? { url: sdk, shortCircuit: true } : next(specifier, context),
  });
}

function isDefinition(value: unknown): value is OperatorDefinition {
  if (typeof value !== "object" || value === null) return false;
  const candidate = value as Partial<OperatorDefinition>;
  return (
    typeof candidate.name === "string" &&
    typeof candidate.create === "function" &&
    candidate.config !== undefined
  );
}

/** Words of a step that are no operators. */
export const stepWords: ReadonlySet<string> = new Set(["branch", "sink", "keys", "late"]);

/** True for a name that a step can have. */
export function isStepName(name: string): boolean {
  return /^[a-z][a-z0-9_]*$/.test(name) && !stepWords.has(name);
}

/** The line above the caret by which Node shows where a text is wrong; null where it shows none. */
function lineAtCaret(text: string): string | null {
  const lines = text.split("\n");
  const caret = lines.findIndex((line) => /^\s*\^+\s*$/.test(line));
  return caret < 1 ? null : lines[caret - 1]!.trim();
}

/** Where a text is no TypeScript, or no JavaScript, the line that is not. */
function wrongLine(error: unknown, file: string): string {
  if (!(error instanceof SyntaxError)) return "";
  // Of JavaScript Node shows the line only where the error ends a process.
  const line =
    lineAtCaret(error.stack ?? "") ??
    lineAtCaret(spawnSync(process.execPath, ["--check", file], { encoding: "utf8" }).stderr ?? "");
  return line === null ? "" : `; it is in the line ${line}`;
}

/** A file's module is kept for as long as the process lives: one that was changed since is another module. */
function addressOf(file: string): string {
  const path = realpathSync(file);
  const mark = createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 12);
  return `${pathToFileURL(path).href}?${mark}`;
}

/** Characters of what an operator's file says, or of a line of it that is wrong, that are told. */
const shownMax = 500;

/** What to do about a file that is there and cannot be loaded. */
function remedyOf(cause: unknown): string {
  return cause instanceof Error && "code" in cause && cause.code === "ERR_MODULE_NOT_FOUND"
    ? "a package that it imports is to be installed beside the file, another file is named with its ending: ./limits.ts"
    : "correct that file: Node runs it as it is, without its types";
}

/** A file that is there and cannot be loaded, and why. */
export function unloadable(file: string, why: string, cause?: unknown): WeirError {
  return new WeirError("WEIR_OPERATOR", `cannot load operators from ${file}: ${why}`, {
    remedy: remedyOf(cause),
    cause,
  });
}

/** A file without such an end is no code: what it holds, a password perhaps, would be told as what is wrong with it. */
const codeEnd = /\.[cm]?[jt]s$/;

/** The definitions that a file of the user's exports. */
export async function loadOperators(file: string): Promise<OperatorDefinition[]> {
  resolveSdk();
  if (!codeEnd.test(file))
    throw new WeirError("WEIR_OPERATOR", `cannot load operators from ${file}: it is no file of code`, {
      remedy: "operators are in a file that ends in .ts or .js, or .mts, .mjs, .cts or .cjs",
    });
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new WeirError("WEIR_OPERATOR", `cannot load operators from ${file}: there is no such file`, {
      remedy: "the path is relative to the pipeline's file",
    });
  }
  let exported: Record<string, unknown>;
  try {
    exported = (await import(addressOf(file))) as Record<string, unknown>;
  } catch (error) {
    const why = `${messageOf(error)}${wrongLine(error, file)}`;
    throw unloadable(file, why.length > shownMax ? `${why.slice(0, shownMax)}…` : why, error);
  }
  const definitions = Object.values(exported).filter(isDefinition);
  if (definitions.length === 0) {
    throw new WeirError("WEIR_OPERATOR", `${file} exports no operator`, {
      remedy: "export what defineOperator, defineFilter or defineMap returned",
    });
  }
  for (const definition of definitions) addStranger(definition);
  return definitions;
}
