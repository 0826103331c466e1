// weir lint: every mistake of every file at once, of pipelines and of a device's settings. Exit code 78 when there is one.

import { readSettings } from "./device-settings.ts";
import {
  checkedTogether,
  exitConfig,
  filesOf,
  isWrong,
  loadFiles,
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
  const pipelines = checkedTogether(files, await loadFiles(files)).map((each) => ({
    ...each,
    diagnostics: [...each.diagnostics, ...each.unchecked],
  }));
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
