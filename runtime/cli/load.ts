// Pipeline files to pipelines, for every command that takes some: all mistakes of all files at once.

import { styled } from "./terminal.ts";
import { loadInput, type LoadedPipeline, readInput } from "../engine/loader.ts";
import { type ReferenceFiles, readReferenceFiles } from "../engine/reference-files.ts";
import { formatDiagnostics } from "../pipeline/format-diagnostics.ts";
import type { Diagnostic } from "../pipeline/pipeline.ts";

/** A pipeline with the reference tables that are files. */
export type CheckedPipeline = LoadedPipeline & ReferenceFiles;

/** Reads and plans the files, and checks the tables they name. Their names in messages are as they were given. */
export async function loadFiles(files: readonly string[]): Promise<CheckedPipeline[]> {
  const checked: CheckedPipeline[] = [];
  for (const file of files) {
    const loaded = await loadInput(readInput(file, process.env), file);
    const tables = await readReferenceFiles(loaded, file);
    checked.push({ ...loaded, ...tables, diagnostics: [...loaded.diagnostics, ...tables.diagnostics] });
  }
  return checked;
}

/** The exit code of a command whose files are wrong: EX_CONFIG of sysexits. */
export const exitConfig = 78;

export function isWrong(pipelines: readonly LoadedPipeline[]): boolean {
  return pipelines.some(({ plan, diagnostics }) => plan === null || hasError(diagnostics));
}

function hasError(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(({ severity }) => severity === "error");
}

/** Prints every mistake as a compiler would, on standard error. */
export function printDiagnostics(files: readonly string[], pipelines: readonly LoadedPipeline[]): void {
  const sources = Object.fromEntries(pipelines.map(({ input }, place) => [files[place]!, input.text]));
  const diagnostics = pipelines.flatMap((each) => each.diagnostics);
  if (diagnostics.length === 0) return;
  const text = formatDiagnostics(diagnostics, sources, { color: styled("red", "x", process.stderr) !== "x" });
  process.stderr.write(text.endsWith("\n") ? text : `${text}\n`);
}

/** Two pipelines of one name would write under one name. */
export function sameNames(pipelines: readonly LoadedPipeline[]): string[] {
  const names = pipelines.flatMap(({ plan }) => (plan === null ? [] : [plan.name]));
  return [...new Set(names.filter((name, place) => names.indexOf(name) !== place))];
}
