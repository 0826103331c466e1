// weir ingest: the process that writes what core NATS sends to journals, for workers to read. A worker starts one by itself
// where a pipeline asks for a journal, a supervisor one for all its workers; started by hand it runs until a signal ends it,
// whoever reads.

import { text } from "node:stream/consumers";
import { wallClock } from "../clock.ts";
import { WeirError } from "../errors.ts";
import { type Log, makeLog } from "../log.ts";
import { IngestFollower } from "../worker/ingest-follower.ts";
import { IngestProcess } from "../worker/ingest-process.ts";
import { type IngestPlan, readIngestPlan } from "../worker/ingest-plan.ts";
import { type IngestOptions, noState } from "./ingest-options.ts";

export async function ingest(names: readonly string[], options: IngestOptions): Promise<number> {
  const log = makeLog(options.log ?? (process.stderr.isTTY ? "text" : "json"));
  const all = options.asked === true ? [await follower(options, log)] : await processes(names, options, log);
  const stop = (): void => all.forEach((each) => void each.stop());
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      log.info(`${signal}: writing what was received`);
      stop();
    });
  }
  const ends = await Promise.allSettled(all.map((each) => each.run().finally(stop)));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  return 0;
}

async function processes(
  names: readonly string[],
  options: IngestOptions,
  log: Log,
): Promise<readonly IngestProcess[]> {
  const plans = await plansOf(names, options);
  return plans.map((plan) => new IngestProcess(plan, wallClock, log, plan.connections));
}

async function follower(options: IngestOptions, log: Log): Promise<IngestFollower> {
  const { settingsFor } = await import("./device-settings.ts");
  const { state, connections } = settingsFor(options);
  if (state === null) throw noState();
  return new IngestFollower({ state, connections, clock: wallClock, log, random: Math.random });
}

async function plansOf(names: readonly string[], options: IngestOptions): Promise<readonly IngestPlan[]> {
  if (options.plan === true) return [readIngestPlan(await text(process.stdin))];
  // Loaded only where there are pipeline files to read: what reads them is most of what weir takes.
  const { plansFromFiles } = await import("./ingest-files.ts");
  const plans = await plansFromFiles(names, options);
  if (plans.length > 0) return plans;
  throw new WeirError("WEIR_CONFIG", "none of these pipelines has a source with a journal", {
    remedy: "add journal: true to a source of nats without a stream",
  });
}
