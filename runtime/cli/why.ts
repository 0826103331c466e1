// weir why: asks the workers of this machine what their pipelines wait for. Changes nothing.

import { waitingText, type PipelineWaiting } from "../engine/waiting.ts";
import { WeirError } from "../errors.ts";
import { instanceOf } from "../instance.ts";
import { didYouMean } from "../pipeline/nearest.ts";
import { askWorkers } from "../worker/control-client.ts";
import { runFolder } from "../worker/settings.ts";
import { print, styled } from "./terminal.ts";

interface Answered {
  readonly name: string;
  readonly waiting: PipelineWaiting;
}

async function pipelinesOf(folder: string): Promise<readonly Answered[]> {
  const answers = await askWorkers(folder, "/pipelines");
  if (answers.length === 0) {
    throw new WeirError("WEIR_NO_WORKER", `no worker of this user answers in ${folder}`, {
      remedy: "weir run starts one; WEIR_RUN_FOLDER names another folder",
    });
  }
  return answers.flatMap(({ answer }) => (answer === null ? [] : (answer as readonly Answered[])));
}

export async function why(
  pipeline: string | undefined,
  options: { readonly json?: boolean },
): Promise<number> {
  const running = await pipelinesOf(runFolder(process.env));
  const asked =
    pipeline === undefined
      ? running
      : running.filter(({ name }) => name === pipeline || instanceOf(name).pipeline === pipeline);
  if (asked.length === 0 && pipeline !== undefined) {
    const names = running.map(({ name }) => name);
    throw new WeirError("WEIR_USAGE", `no worker here runs a pipeline ${pipeline}`, {
      remedy: didYouMean(pipeline, names) ?? `running: ${names.join(", ")}`,
    });
  }
  if (options.json === true) {
    print(JSON.stringify(asked));
    return 0;
  }
  for (const { name, waiting } of asked) {
    print(styled("bold", name));
    for (const line of waitingText(waiting)) print(`  ${line}`);
  }
  return 0;
}
