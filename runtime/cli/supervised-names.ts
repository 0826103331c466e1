// The supervisors of this machine, and what they know under a name that no worker runs: whoever asks after a pipeline that was put
// aside is told that, and not that there is none.

import { WeirError } from "../errors.ts";
import { instanceOf } from "../instance.ts";
import { didYouMean } from "../pipeline/nearest.ts";
import type { SupervisorStatus } from "../supervisor/status.ts";
import { askWorkers } from "../worker/control-client.ts";
import { runFolder } from "../worker/settings.ts";

/** What to do where a name means nothing because there is nothing. */
export const nothingHere = "nothing runs here; weir devices --json says what the devices of a fleet run";

interface AskedSupervisor {
  /** Its socket file. */
  readonly socket: string;
  readonly status: SupervisorStatus;
}

/** What each supervisor of this user says. */
export async function askedSupervisors(): Promise<readonly AskedSupervisor[]> {
  const answers = await askWorkers(runFolder(process.env), "/supervisor");
  return answers.flatMap(({ worker, answer }) =>
    answer === null ? [] : [{ socket: worker, status: answer as SupervisorStatus }],
  );
}

/** A pipeline that is known, and that no worker has; null where there is none of that name. */
export function withoutWorker(name: string, found: readonly SupervisorStatus[]): WeirError | null {
  const line = found
    .flatMap(({ pipelines }) => pipelines)
    .find((each) => each.name === name || instanceOf(each.name).pipeline === name);
  if (line === undefined) return null;
  return new WeirError("WEIR_NO_WORKER", `no worker runs ${name}: it is ${line.state}`, {
    remedy: "weir status says why",
  });
}

export function unknownName(name: string, found: readonly SupervisorStatus[]): WeirError {
  const names = found.flatMap(({ workers, pipelines }) =>
    [...workers, ...pipelines].map((each) => each.name),
  );
  return new WeirError("WEIR_USAGE", `no worker and no pipeline here is called ${name}`, {
    remedy: didYouMean(name, names) ?? (names.length === 0 ? nothingHere : `there are: ${names.join(", ")}`),
  });
}
