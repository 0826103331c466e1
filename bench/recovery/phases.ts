// A state folder as a worker takes it up after a kill, part by part, and what each part costs the processor. A process of its
// own, so that every run begins with code that was never run, as a worker does.
//
//     node bench/recovery/phases.ts STATE PIPELINE

import { join } from "node:path";
import { readFileSync } from "node:fs";
import { catalog } from "../../operators/catalog.ts";
import { stopwatch } from "../../runtime/clock.ts";
import { Checkpoints } from "../../runtime/engine/checkpoints.ts";
import { SourceGroup } from "../../runtime/engine/source-group.ts";
import { loadPipeline } from "../../runtime/pipeline/load.ts";
import { openCommitLog } from "../../runtime/state/log/commit-log.ts";
import { FileDisk } from "../../runtime/state/log/file-disk.ts";
import { recoveredFrom, snapshotBody } from "../../runtime/worker/commit-body.ts";

export interface Phase {
  readonly name: string;
  readonly cpu_ms: number;
  readonly ms: number;
}

export interface PhaseAnswer {
  readonly kind: "phases";
  readonly phases: readonly Phase[];
}

const phases: Phase[] = [];

async function phase<Done>(name: string, task: () => Done | Promise<Done>): Promise<Done> {
  const [before, watch] = [process.cpuUsage(), stopwatch()];
  const done = await task();
  const { user, system } = process.cpuUsage(before);
  phases.push({ name, cpu_ms: (user + system) / 1_000, ms: stopwatch() - watch });
  return done;
}

const [state = "", file = ""] = process.argv.slice(2);
const name = "recovery";

const { plan } = loadPipeline({ file, content: readFileSync(file, "utf8"), catalogue: catalog });
if (plan === null) throw new TypeError(`${file} is no pipeline`);
const group = new SourceGroup([plan], {
  headers: [null],
  identity: "bench",
  outputs: () => ({ row: () => undefined, deadLetter: () => undefined }),
});
const checkpoints = new Checkpoints(group.engines[0]!);

const disk = await FileDisk.open(join(state, name));
const { log, recovery } = await phase("files read and checked", () => openCommitLog(disk, { owner: name }));
const recovered = await phase("commits read", () => recoveredFrom(recovery.snapshot, recovery.commits));
await phase("changes applied, tables made", () => checkpoints.restore(recovered.states.get(name)!, 0, true));
await phase("the first checkpoint", () => checkpoints.take(0));
const whole = await phase("the state as a whole", () => checkpoints.whole());
const states = new Map(whole === null ? [] : [[name, whole]]);
const { outbox, places } = recovered;
const rest = { pipelines: [name], away: new Map(), positions: [], outbox, places };
await phase("a snapshot", async () => log.checkpoint(snapshotBody({ ...rest, states })));
await log.close();
process.send?.({ kind: "phases", phases } satisfies PhaseAnswer);
