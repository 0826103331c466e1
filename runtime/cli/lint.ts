// weir lint: every mistake of every file at once. Exit code 78 when there is one.

import { checkedTogether, exitConfig, filesOf, isWrong, loadFiles, printDiagnostics } from "./load.ts";
import { print, styled } from "./terminal.ts";

export async function lint(names: readonly string[], options: { readonly json?: boolean }): Promise<number> {
  const files = filesOf(names);
  const pipelines = checkedTogether(files, await loadFiles(files)).map((each) => ({
    ...each,
    diagnostics: [...each.diagnostics, ...each.unchecked],
  }));
  const wrong = pipelines.filter((each) => isWrong([each]));
  if (options.json === true) {
    print(
      JSON.stringify({
        ok: wrong.length === 0,
        diagnostics: pipelines.flatMap(({ diagnostics }) => diagnostics),
      }),
    );
  } else {
    printDiagnostics(files, pipelines);
    pipelines.forEach((pipeline, place) => {
      if (!wrong.includes(pipeline)) print(`${styled("green", "ok")} ${files[place]}`);
    });
  }
  return wrong.length === 0 ? 0 : exitConfig;
}
