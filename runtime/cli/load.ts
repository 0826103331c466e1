// Pipeline files to pipelines, for every command that takes some: all mistakes of all files at once.

import { globSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { stopwatch } from "../clock.ts";
import { styled } from "./terminal.ts";
import { loadInput, type LoadedPipeline, readInput, variablesOf } from "../engine/loader.ts";
import { type ReferenceFiles, readReferenceFiles } from "../engine/reference-files.ts";
import { WeirError } from "../errors.ts";
import { formatDiagnostics } from "../pipeline/format-diagnostics.ts";
import type { Diagnostic } from "../pipeline/pipeline.ts";
import { sharedStreamFaults } from "../pipeline/shared-streams.ts";

/** A pipeline with the reference tables that are files. */
export type CheckedPipeline = LoadedPipeline & ReferenceFiles;

/** How often it is said how far reading many files has come. */
const progress_ms = 1_000;

/** The device's own settings, which may lie beside pipelines. */
const settingsFile = "weir.yaml";

/** The pipeline files that are meant by names of files, of folders and by patterns such as `rules/*.yaml`, each name in its place. */
export function filesOf(names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const facts = statSync(name, { throwIfNoEntry: false });
    // One that is not there is told where it is read.
    if (facts === undefined ? !/[*?[{]/.test(name) : !facts.isDirectory()) return [name];
    const found =
      facts === undefined
        ? globSync(name)
        : readdirSync(name)
            .filter((each) => /\.ya?ml$/.test(each) && each !== settingsFile)
            .map((each) => join(name, each));
    if (found.length > 0) return found.sort();
    throw new WeirError(
      "WEIR_FILE",
      `no pipeline file ${facts === undefined ? "is called" : "lies in"} ${name}`,
      {
        remedy: "name files, a folder with .yaml files, or a pattern that some files match",
      },
    );
  });
}

/**
 * Reads and plans the files, and checks the tables they name. Their names in messages are as they were given.
 * `told`: now and then, how many are done.
 */
export async function loadFiles(
  files: readonly string[],
  told: (done: number) => void = () => undefined,
): Promise<CheckedPipeline[]> {
  const environment = variablesOf(process.env);
  const checked: CheckedPipeline[] = [];
  let due = stopwatch() + progress_ms;
  for (const file of files) {
    if (stopwatch() >= due) {
      told(checked.length);
      due = stopwatch() + progress_ms;
    }
    const loaded = await loadInput(readInput(file, environment), file);
    const tables = await readReferenceFiles(loaded, file);
    checked.push({ ...loaded, ...tables, diagnostics: [...loaded.diagnostics, ...tables.diagnostics] });
  }
  return checked;
}

/** The pipelines, with what is wrong with them together where each goes on from what it has sent. */
export function checkedTogether(
  files: readonly string[],
  pipelines: readonly CheckedPipeline[],
): CheckedPipeline[] {
  const written = pipelines.flatMap(({ spec, input }, place) =>
    spec === null ? [] : [{ place, pipeline: { file: files[place]!, text: input.text, spec } }],
  );
  const faults = sharedStreamFaults(written.map(({ pipeline }) => pipeline));
  const checked = [...pipelines];
  for (const [index, { place }] of written.entries()) {
    const pipeline = pipelines[place]!;
    checked[place] = { ...pipeline, diagnostics: [...pipeline.diagnostics, ...faults[index]!] };
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
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const { plan } of pipelines) {
    if (plan !== null && seen.has(plan.name)) twice.add(plan.name);
    if (plan !== null) seen.add(plan.name);
  }
  return [...twice];
}
