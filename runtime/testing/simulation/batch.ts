// Many schedules one after the other, and what they came to together.

import { noFaults } from "./nemesis.ts";
import { type Outcome, runSchedule, type ScheduleOptions } from "./schedule.ts";
import { loadWorkload, type Workload, workloadNames } from "./workload.ts";
import { Random } from "./random.ts";

export interface Failure {
  readonly seed: number;
  readonly workload: string;
  /** The schedule is the one in which a crash is tried at every call. */
  readonly isSmall: boolean;
  /** Set where it crashed at one of them. */
  readonly crashAt: number | null;
  readonly said: readonly string[];
}

export interface Sum {
  runs: number;
  crashes: number;
  records: number;
  lost: number;
  duplicated: number;
  out_of_order: number;
  wrong: number;
  steps: number;
  virtual_ms: number;
  /** How often each kind of fault and each shape was there. */
  readonly kinds: Map<string, number>;
  readonly failures: Failure[];
}

/** Schedules whose trace is compared with that of a second run. */
const repeatedEvery = 50;
/** A schedule in which a crash is tried at every call: the power goes, and nothing else happens. */
export const smallSchedule: Pick<ScheduleOptions, "plan" | "records"> = {
  plan: { ...noFaults, powerShare: 1 },
  records: 8,
};

export function emptySum(): Sum {
  const kinds = new Map<string, number>();
  const counts = { runs: 0, crashes: 0, records: 0, lost: 0, duplicated: 0, out_of_order: 0, wrong: 0 };
  return { ...counts, steps: 0, virtual_ms: 0, kinds, failures: [] };
}

export function loadWorkloads(): Promise<readonly Workload[]> {
  return Promise.all(workloadNames.map(loadWorkload));
}

/** Schedules by the seeds from `from` on, each with faults of its own. */
export async function runSeeds(
  workloads: readonly Workload[],
  from: number,
  count: number,
  sum: Sum = emptySum(),
): Promise<Sum> {
  for (let seed = from; seed < from + count; seed++) {
    const outcome = await runSchedule({ seed, workloads });
    if (seed % repeatedEvery === 0) {
      const again = await runSchedule({ seed, workloads });
      if (again.hash !== outcome.hash)
        outcome.verdict.add("wrong", `the second run differs: ${outcome.hash} and ${again.hash}`);
    }
    add(sum, outcome);
  }
  return sum;
}

/** One small schedule of a workload, once for each of its first life's calls out, which ends there. */
export async function runEveryCrash(
  workload: Workload,
  seed: number,
  every = 1,
  sum: Sum = emptySum(),
): Promise<Sum> {
  const small = { seed, workloads: [workload], ...smallSchedule };
  const whole = await runSchedule(small);
  add(sum, whole, { crashAt: null });
  const first = 1 + new Random(seed).between(0, every - 1);
  for (let crashAt = first; crashAt <= whole.calls; crashAt += every)
    add(sum, await runSchedule({ ...small, crashAt }), { crashAt });
  return sum;
}

function add(
  sum: Sum,
  { seed, workload, verdict, crashes, records, steps, virtual_ms, kinds }: Outcome,
  small: Pick<Failure, "crashAt"> | null = null,
): void {
  sum.runs++;
  sum.crashes += crashes;
  sum.records += records;
  sum.steps += steps;
  sum.virtual_ms += virtual_ms;
  sum.lost += verdict.counts.lost;
  sum.duplicated += verdict.counts.duplicated;
  sum.out_of_order += verdict.counts.out_of_order;
  sum.wrong += verdict.counts.wrong;
  for (const kind of kinds) sum.kinds.set(kind, (sum.kinds.get(kind) ?? 0) + 1);
  if (!verdict.isGood && sum.failures.length < 20)
    sum.failures.push({
      seed,
      workload,
      isSmall: small !== null,
      crashAt: small?.crashAt ?? null,
      said: verdict.said,
    });
}

/** Takes what another thread summed up. */
export function addSum(sum: Sum, other: Sum): void {
  for (const name of ["runs", "crashes", "records", "lost", "duplicated", "out_of_order", "wrong"] as const)
    sum[name] += other[name];
  sum.steps += other.steps;
  sum.virtual_ms += other.virtual_ms;
  for (const [kind, count] of other.kinds) sum.kinds.set(kind, (sum.kinds.get(kind) ?? 0) + count);
  sum.failures.push(...other.failures);
}

/** What failed, and the command that runs the same schedule again. */
export function failureText({ seed, workload, isSmall, crashAt, said }: Failure): string {
  const how = crashAt === null ? "--small" : `--crash-at ${crashAt}`;
  const small = isSmall ? ` --workload ${workload} ${how}` : "";
  const lines = said.map((line) => `  ${line}`);
  return [`seed ${seed}:`, ...lines, `  again: npm run sim -- --seed ${seed}${small} --trace`].join("\n");
}
