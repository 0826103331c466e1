// weir ingest: the process that writes what core NATS sends to journals, for workers to read. A worker starts one by itself
// where a pipeline asks for a journal; started by hand it runs until a signal ends it, whoever reads.

import { text } from "node:stream/consumers";
import { wallClock } from "../clock.ts";
import { WeirError } from "../errors.ts";
import { type LogFormat, makeLog } from "../log.ts";
import { IngestProcess } from "../worker/ingest-process.ts";
import { type IngestPlan, readIngestPlan } from "../worker/ingest-plan.ts";

export interface IngestOptions {
  readonly nats: readonly string[];
  readonly config: string;
  readonly state?: string;
  readonly log?: LogFormat;
  /** The plan comes on standard input. */
  readonly plan?: boolean;
}

export async function ingest(names: readonly string[], options: IngestOptions): Promise<number> {
  const log = makeLog(options.log ?? (process.stderr.isTTY ? "text" : "json"));
  const plans = await plansOf(names, options);
  const all = plans.map((plan) => new IngestProcess(plan, wallClock, log));
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
