// Pipeline files to pipelines, for every command that takes some: all mistakes of all files at once.

import { globSync, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { stopwatch } from "../clock.ts";
import { print, progress, styled } from "./terminal.ts";
import { loadInput, type LoadedPipeline, readInput, variablesOf } from "../engine/loader.ts";
import { type ReferenceFiles, readReferenceFiles } from "../engine/reference-files.ts";
import { WeirError } from "../errors.ts";
import { formatDiagnostics } from "../pipeline/format-diagnostics.ts";
import type { Diagnostic } from "../pipeline/pipeline.ts";
import { sameNameFaults } from "../pipeline/same-names.ts";
import { sharedStreamFaults } from "../pipeline/shared-streams.ts";

/** A pipeline with the reference tables that are files. */
export type CheckedPipeline = LoadedPipeline & ReferenceFiles;

/** How often it is said how far reading many files has come. */
export const progress_ms = 1_000;

/** The device's own settings, which may lie beside pipelines. */
export const settingsFile = "weir.yaml";

/** Of the names, without those that mean only a device's settings; and the settings that they mean, by name or by folder. */
export function withSettings(names: readonly string[]): {
  readonly pipelines: readonly string[];
  readonly settings: readonly string[];
} {
  const isFolder = (name: string): boolean =>
    statSync(name, { throwIfNoEntry: false })?.isDirectory() === true;
  const files = names.map((name) => (isFolder(name) ? join(name, settingsFile) : name));
  const settings = files.filter((file, place) => {
    if (basename(file) !== settingsFile) return false;
    // One that is named has to be there.
    return file === names[place] || statSync(file, { throwIfNoEntry: false }) !== undefined;
  });
  const onlySettings = (name: string): boolean => settings.includes(name) || holdsNothingElse(name);
  return { pipelines: names.filter((name) => !onlySettings(name)), settings };
}

/** True for a folder with a device's settings and no pipelines. */
function holdsNothingElse(folder: string): boolean {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return false;
  const found = readdirSync(folder).filter((name) => /\.ya?ml$/.test(name));
  return found.length === 1 && found[0] === settingsFile;
}

function pipelineFilesIn(folder: string): string[] {
  return readdirSync(folder).filter((each) => /\.ya?ml$/.test(each) && each !== settingsFile);
}

/** True for a folder in which no pipelines lie. */
export function isEmptyFolder(name: string): boolean {
  const isFolder = statSync(name, { throwIfNoEntry: false })?.isDirectory() === true;
  return isFolder && pipelineFilesIn(name).length === 0;
}

/** The pipeline files that are meant by names of files, of folders and by patterns such as `rules/*.yaml`, each name in its place. */
export function filesOf(names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const facts = statSync(name, { throwIfNoEntry: false });
    // One that is not there is told where it is read.
    if (facts === undefined ? !/[*?[{]/.test(name) : !facts.isDirectory()) return [name];
    const found =
      facts === undefined
        ? globSync(name).filter((each) => basename(each) !== settingsFile)
        : pipelineFilesIn(name).map((each) => join(name, each));
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

/** The same, which says on a terminal how far it is. */
export async function loadFilesShown(files: readonly string[]): Promise<CheckedPipeline[]> {
  try {
    return await loadFiles(files, (done) => progress(`read ${done} of ${files.length} pipeline files`));
  } finally {
    progress("");
  }
}

/** The pipelines, with what is wrong with them together: names, and streams where each goes on from what it has sent. */
export function checkedTogether(
  files: readonly string[],
  pipelines: readonly CheckedPipeline[],
): CheckedPipeline[] {
  const written = pipelines.flatMap(({ spec, input }, place) =>
    spec === null ? [] : [{ place, pipeline: { file: files[place]!, text: input.text, spec } }],
  );
  const together = written.map(({ pipeline }) => pipeline);
  const [names, streams] = [sameNameFaults(together), sharedStreamFaults(together)];
  const checked = [...pipelines];
  for (const [index, { place }] of written.entries()) {
    const pipeline = pipelines[place]!;
    const diagnostics = [...pipeline.diagnostics, ...names[index]!, ...streams[index]!];
    checked[place] = { ...pipeline, diagnostics };
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

/** Prints every mistake of pipelines as a compiler would, on standard error. */
export function printDiagnostics(files: readonly string[], pipelines: readonly LoadedPipeline[]): void {
  const sources = Object.fromEntries(pipelines.map(({ input }, place) => [files[place]!, input.text]));
  printMistakes(
    pipelines.flatMap((each) => each.diagnostics),
    sources,
  );
}

/** What is wrong with pipelines, for people or on standard output as JSON; the exit code where something is, null where they can be used. */
export function refusalOf(
  files: readonly string[],
  pipelines: readonly LoadedPipeline[],
  json: boolean,
): number | null {
  if (!json || !isWrong(pipelines)) printDiagnostics(files, pipelines);
  else print(JSON.stringify({ ok: false, diagnostics: pipelines.flatMap((each) => each.diagnostics) }));
  return isWrong(pipelines) ? exitConfig : null;
}

/** The same of any files, whose texts are in `sources`. */
export function printMistakes(
  diagnostics: readonly Diagnostic[],
  sources: Readonly<Record<string, string>>,
): void {
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
