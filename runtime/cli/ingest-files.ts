// What an ingest that is started by hand has to do, from pipeline files and the device's settings: the same as a worker with
// these files would have it do.

import { groupPlans } from "../engine/source-group.ts";
import { WeirError } from "../errors.ts";
import { ingestGroups, type IngestPlan, ingestPlans } from "../worker/ingest-plan.ts";
import { stateFolders } from "../worker/state-folders.ts";
import { type IngestOptions, noState } from "./ingest-options.ts";
import { filesOf, isWrong, loadFiles, printDiagnostics } from "./load.ts";
import { settingsFor } from "./device-settings.ts";

/** None where no pipeline asks for a journal. */
export async function plansFromFiles(
  names: readonly string[],
  options: IngestOptions,
): Promise<readonly IngestPlan[]> {
  const settings = settingsFor(options);
  const { state } = settings;
  if (state === null) throw noState();
  const files = filesOf(names);
  const pipelines = await loadFiles(files);
  printDiagnostics(files, pipelines);
  if (isWrong(pipelines)) throw new WeirError("WEIR_CONFIG", "the pipelines are wrong");
  const shared = pipelines.filter(({ custom }) => !custom).map(({ plan }) => plan!);
  const own = pipelines.filter(({ custom }) => custom).map(({ plan }) => [plan!]);
  const groups = ingestGroups([...groupPlans(shared), ...own], stateFolders(state));
  return ingestPlans(state, groups, settings.connections, false);
}
