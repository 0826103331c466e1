// weir lint: every mistake of every file at once, of pipelines and of a device's settings. Exit code 78 when there is one.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { connectionNameWarnings } from "../pipeline/connection-names.ts";
import type { Diagnostic } from "../pipeline/pipeline.ts";
import { readSettings } from "./device-settings.ts";
import {
  type CheckedPipeline,
  checkedTogether,
  exitConfig,
  filesOf,
  isWrong,
  loadFilesShown,
  settingsFile,
  printDiagnostics,
  printMistakes,
  withSettings,
} from "./load.ts";
import { print, styled } from "./terminal.ts";

interface LintOptions {
  readonly json?: boolean;
  /** The device's settings, where they have another name. */
  readonly config?: string;
}

export async function lint(names: readonly string[], { json, config }: LintOptions): Promise<number> {
  const named = withSettings(names);
  const settingsFiles = [...new Set([...named.settings, ...(config === undefined ? [] : [config])])];
  const settings = settingsFiles.map((file) => ({ file, ...readSettings(file) }));
  const files = filesOf(named.pipelines.filter((name) => name !== config));
  const connections = connectionsBeside(config);
  const pipelines = checkedTogether(files, await loadFilesShown(files)).map((each, place) => {
    const named = misnamed(files[place]!, each, connections(files[place]!));
    return { ...each, diagnostics: [...each.diagnostics, ...each.unchecked, ...named] };
  });
  const right = [
    ...settings.filter(({ diagnostics }) => diagnostics.length === 0).map(({ file }) => file),
    ...files.filter((_, place) => !isWrong([pipelines[place]!])),
  ];
  const ok = right.length === settings.length + files.length;
  if (json === true) {
    print(
      JSON.stringify({ ok, diagnostics: [...settings, ...pipelines].flatMap((each) => each.diagnostics) }),
    );
  } else {
    for (const { file, text, diagnostics } of settings) printMistakes(diagnostics, { [file]: text });
    printDiagnostics(files, pipelines);
    for (const file of right) print(`${styled("green", "ok")} ${file}`);
  }
  return ok ? 0 : exitConfig;
}

/** The connections of the device's settings that a pipeline file goes with: those named, else those beside it, else those of the working folder. */
function connectionsBeside(config: string | undefined): (file: string) => readonly string[] {
  const read = new Map<string, readonly string[]>();
  return (file) => {
    const found =
      config ?? [join(dirname(file), settingsFile), settingsFile].find((each) => existsSync(each));
    if (found === undefined) return [];
    let known = read.get(found);
    if (known === undefined) read.set(found, (known = connectionsIn(found)));
    return known;
  };
}

function misnamed(
  file: string,
  { plan, input }: CheckedPipeline,
  known: readonly string[],
): readonly Diagnostic[] {
  return plan === null ? [] : connectionNameWarnings({ file, text: input.text }, plan, known);
}

/** Settings that hold passwords may be for others to read: then nothing is known of their connections. */
function connectionsIn(file: string): readonly string[] {
  try {
    return Object.keys(readSettings(file).settings.connections);
  } catch {
    return [];
  }
}
