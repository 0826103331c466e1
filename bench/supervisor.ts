// The `supervisor` benchmark: what one look of the supervisor at a whole fleet costs, everything decided that
// there is to decide; then how soon the workers of a host run.

import type { AssignmentKey } from "../runtime/assignment.ts";
import { stopwatch } from "../runtime/clock.ts";
import { type Memory, noMemory } from "../runtime/supervisor/memory.ts";
import { type Host, type Placeable, placeOnHosts } from "../runtime/supervisor/place.ts";
import { reconcile } from "../runtime/supervisor/reconcile.ts";
import type { Action } from "../runtime/supervisor/situation.ts";
import { judge, type Report } from "./report.ts";
import { benchStarts } from "./supervisor-start.ts";

const pipelines = 1_000;
const devices = 100;
const ms_wanted = 50;

const capacity = { processors: 4, memory_bytes: 2 ** 32, count: 1_000 };
const demand = { processors: 0.05, memory_bytes: 2 ** 22 };

const hosts: readonly Host[] = Array.from({ length: devices }, (_, place) => ({
  name: `gateway-${place}`,
  labels: { site: `site-${place % 10}` },
  capacity,
  state: "connected",
  subjects: [`sensors.line-${place}.>`],
}));

const wanted: readonly Placeable[] = Array.from({ length: pipelines }, (_, place) => ({
  name: `pipeline-${place}`,
  demand,
  labels: place % 3 === 0 ? { site: `site-${place % 10}` } : {},
  subjects: [`sensors.line-${place % devices}.*.temp`],
}));

interface Fleet {
  readonly where: ReadonlyMap<string, string>;
  readonly memories: ReadonlyMap<string, Memory>;
  readonly assigned: ReadonlyMap<string, ReadonlyMap<string, readonly AssignmentKey[]>>;
  readonly actions: readonly Action[];
}

/** Places all pipelines and decides for every device what it has to do. */
function look({ where: before, memories, assigned }: Omit<Fleet, "actions">, now: number): Fleet {
  const { where } = placeOnHosts(wanted, hosts, before);
  const there = new Map<string, Placeable[]>(hosts.map(({ name }) => [name, []]));
  for (const each of wanted) there.get(where.get(each.name) ?? "")?.push(each);
  const actions: Action[] = [];
  const remembered = new Map<string, Memory>();
  for (const [name, members] of there) {
    const shared = members.map((each) => ({ ...each, revision: "1", isolation: "shared" as const }));
    const answer = reconcile(
      { pipelines: shared, worker: "1", limits: {}, host: capacity },
      {
        workers: [],
        heard: new Map(),
        assigned: assigned.get(name) ?? new Map<string, readonly AssignmentKey[]>(),
        busy: new Set(),
        refused: new Map(),
        since: 0,
        late: 0,
        memoryFree: 2 ** 32,
      },
      memories.get(name) ?? noMemory,
      now,
      () => 0.5,
    );
    remembered.set(name, answer.memory);
    actions.push(...answer.actions);
  }
  return { where, memories: remembered, assigned, actions };
}

function timed(fleet: Omit<Fleet, "actions">): number {
  const started = stopwatch();
  const { actions } = look(fleet, 1_000_000);
  const taken = stopwatch() - started;
  return actions.length > 0 ? taken : Number.NaN;
}

export async function benchSupervisor(
  { quick }: { readonly quick: boolean },
  report: Report,
): Promise<boolean> {
  report.note(
    `a look at ${pipelines} pipelines on ${devices} devices: where they run, and what each device does`,
  );
  const nothing = {
    where: new Map<string, string>(),
    memories: new Map<string, Memory>(),
    assigned: new Map(),
  };
  const settled = look(nothing, 1_000_000);
  const runs = quick ? 5 : 51;
  for (const [what, fleet] of [
    ["at first, nothing is placed yet", nothing],
    ["with all of it placed", settled],
  ] as const) {
    const values = Array.from({ length: runs }, () => timed(fleet));
    judge(report, `a look, ${what}`, "ms", values, ms_wanted);
  }
  await benchStarts({ quick }, report);
  return true;
}
