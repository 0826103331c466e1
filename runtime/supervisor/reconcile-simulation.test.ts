// The supervisor's decisions through a thousand random sequences of faults, on a host in memory. One that fails is told
// with its seed.

import fc from "fast-check";
import { expect, test } from "vitest";
import { instanceName, instanceOf } from "../instance.ts";
import { limits } from "../limits.ts";
import type { DesiredPipeline } from "./situation.ts";
import { restartDelay } from "./restart.ts";
import { seeded, SimulatedHost } from "./simulated-host.fixture.ts";

const demand = { processors: 0.01, memory_bytes: 1_000_000 };

function pipeline(
  name: string,
  revision = "1",
  isolation: DesiredPipeline["isolation"] = "shared",
): DesiredPipeline {
  return { name, revision, isolation, demand };
}

const partitions = 4;

/** A pipeline whose partitions share up to three workers. */
function partitioned(revision = "1"): readonly DesiredPipeline[] {
  return Array.from({ length: partitions }, (_, partition) => ({
    ...pipeline(instanceName("q", partition), revision),
    partitionOf: { pipeline: "q", most: 3 },
  }));
}

type Step =
  | {
      readonly kind: "crash" | "hang" | "cut" | "mend" | "unknown" | "mute" | "forget" | "restart";
      readonly at: number;
    }
  | { readonly kind: "want"; readonly at: number; readonly revision: number; readonly alone: boolean }
  | { readonly kind: "bad"; readonly at: number; readonly revision: number }
  /** Records come at another rate; or the partitioned pipeline is changed, or goes, or one partition of it is bad. */
  | { readonly kind: "load"; readonly at: number }
  | { readonly kind: "partitions" | "poison"; readonly at: number; readonly revision: number };

const step: fc.Arbitrary<{ readonly step: Step; readonly wait: number }> = fc.record({
  step: fc.oneof(
    fc.record({
      kind: fc.constantFrom("crash", "hang", "cut", "mend", "unknown", "mute", "forget", "restart"),
      at: fc.nat(9),
    }),
    fc.record({
      kind: fc.constant("want"),
      at: fc.nat(5),
      revision: fc.integer({ min: 1, max: 3 }),
      alone: fc.boolean(),
    }),
    fc.record({ kind: fc.constant("bad"), at: fc.nat(5), revision: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ kind: fc.constant("load"), at: fc.nat(3) }),
    fc.record({
      kind: fc.constantFrom("partitions", "poison"),
      at: fc.nat(partitions - 1),
      revision: fc.integer({ min: 1, max: 4 }),
    }),
  ) as fc.Arbitrary<Step>,
  wait: fc.integer({ min: 0, max: 6_000 }),
});

function mend(host: SimulatedHost): void {
  host.cut.clear();
  host.unknown = new Set();
}

function happen(host: SimulatedHost, step: Step): void {
  const alive = host.alive();
  const victim = alive[step.at % Math.max(1, alive.length)];
  if (step.kind === "want") {
    const changed = pipeline(`p${step.at}`, String(step.revision), step.alone ? "worker" : "shared");
    const others = host.desired.pipelines.filter(({ name }) => name !== changed.name);
    // Now and then one is not wanted any more.
    host.desired = {
      ...host.desired,
      pipelines: step.revision === 3 && step.alone ? others : [...others, changed],
    };
  } else if (step.kind === "load") host.incoming = [0, 50, 300, 2_000][step.at] ?? 0;
  else if (step.kind === "partitions") {
    const others = host.desired.pipelines.filter(({ partitionOf }) => partitionOf === undefined);
    const pipelines = step.revision === 4 ? others : [...others, ...partitioned(String(step.revision))];
    host.desired = { ...host.desired, pipelines };
  } else if (step.kind === "poison") host.crashing.add(`${instanceName("q", step.at)}@${step.revision}`);
  else if (step.kind === "bad") host.crashing.add(`p${step.at}@${step.revision}`);
  else if (step.kind === "mend") mend(host);
  else if (step.kind === "mute") host.unknown = null;
  else if (step.kind === "forget") host.restartSupervisor(false);
  else if (step.kind === "restart") host.restartSupervisor(true);
  else if (victim === undefined) return;
  else if (step.kind === "crash") host.end(victim, 1);
  else if (step.kind === "hang") victim.state = "hung";
  else if (step.kind === "cut") host.cut.add(victim.name);
  else host.unknown = new Set([victim.name]);
}

/** Nothing that is still to happen takes longer: a back-off, a first sign of life, a worker more or fewer. */
const quiet_ms = 1.5 * Math.max(limits.restart_back_off_ms_max, limits.worker_start_ms_max);

/**
 * By when everything has been given up of `bad` revisions that fail each time: one after the other in the worst case, each
 * together with others first, and then alone.
 */
function givenUpWithin(bad: number): number {
  const waits = Array.from({ length: limits.restart_in_a_row_max }, (_, attempt) => restartDelay(attempt, 1));
  return 2 * bad * waits.reduce((total, wait) => total + wait, 0);
}

/** How often it has to be quiet: once; where partitions have several workers, until the mean of what came in has fallen. */
function quietTimes({ memory }: SimulatedHost): number {
  return Object.values(memory.scales).some(({ state }) => state.workers > 1) ? 4 : 1;
}

/** Lets time pass until nothing happens any more; fails where there is no end to it. */
function settle(host: SimulatedHost): void {
  // What the faults have left behind, then what is given up, then fewer workers, then quiet.
  const longest = 10 * quiet_ms + givenUpWithin(host.crashing.size);
  let quiet = 0;
  for (let passed = 0; passed <= longest; passed += quiet_ms) {
    const { starts, happenings } = host;
    const known = happenings.length;
    host.pass(quiet_ms, 2_000);
    quiet = host.starts === starts && happenings.length === known ? quiet + 1 : 0;
    if (quiet >= quietTimes(host)) return;
  }
  expect.unreachable("there is no end to it");
}

/** Partitions are in as many workers as was decided, each with as many as the others or one more. */
function expectShared(host: SimulatedHost): void {
  const scale = host.memory.scales["q"];
  const together = Object.entries(host.memory.pipelines).filter(
    ([name, { apart, worker }]) => instanceOf(name).pipeline === "q" && !apart && worker !== null,
  );
  if (scale === undefined || together.length === 0) return;
  const sizes = [...Map.groupBy(together, ([, { worker }]) => worker).values()].map((each) => each.length);
  expect(sizes).toHaveLength(Math.min(scale.state.workers, together.length));
  expect(scale.state.workers).toBeLessThanOrEqual(3);
  expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
}

test("through random faults: nothing runs twice, what is well is left alone, in the end all that can run runs", {
  timeout: 120_000,
}, () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), fc.boolean(), fc.integer(), (steps, shares, seed) => {
      const first = [pipeline("p0"), pipeline("p1"), pipeline("p2"), pipeline("p3", "1", "worker")];
      const host = new SimulatedHost(shares ? [...first, ...partitioned()] : first, seeded(seed));
      host.pass(5_000);
      for (const { step, wait } of steps) {
        happen(host, step);
        host.pass(wait);
      }
      expect(host.faults).toEqual([]);
      mend(host);
      host.incoming = 0;
      host.lag.clear();
      settle(host);
      expect(host.faults).toEqual([]);
      // Looked at again, there is nothing to do; and nothing has been started lately.
      const { starts } = host;
      expect(host.look()).toEqual([]);
      host.pass(30_000);
      expect(host.starts).toBe(starts);
      expectShared(host);
      const running = host.running();
      for (const { name, revision } of host.desired.pipelines) {
        const wanted = host.crashing.has(`${name}@${revision}`) ? running.get(name) : [revision];
        const refused = host.memory.pipelines[name]!.refused[revision];
        const quarantined = Object.values(host.memory.workers).some(({ quarantine }) =>
          quarantine?.mark.includes(`${name}@`),
        );
        if (refused === undefined && !quarantined) expect(running.get(name)).toEqual(wanted);
        if (host.crashing.has(`${name}@${revision}`)) expect(refused !== undefined || quarantined).toBe(true);
        for (const each of running.get(name) ?? []) expect(host.crashing.has(`${name}@${each}`)).toBe(false);
      }
      expect(
        [...running.keys()].every((name) => host.desired.pipelines.some((each) => each.name === name)),
      ).toBe(true);
    }),
    {
      numRuns: 1_000,
      examples: [
        // One that hangs, was told to let p0 go, and is inherited by a supervisor that knows nothing of it.
        [
          [
            { step: { kind: "hang", at: 1 }, wait: 0 },
            { step: { kind: "want", at: 0, revision: 1, alone: true }, wait: 0 },
            { step: { kind: "want", at: 1, revision: 1, alone: false }, wait: 1 },
            { step: { kind: "forget", at: 0 }, wait: 0 },
          ],
          false,
          0,
        ],
        // One that was busy hangs, and the last of its two workers goes when all is quiet but the mean of what came in.
        [
          [
            { step: { kind: "load", at: 2 }, wait: 4_000 },
            { step: { kind: "poison", at: 0, revision: 2 }, wait: 3_001 },
            { step: { kind: "hang", at: 4 }, wait: 3_692 },
            { step: { kind: "partitions", at: 0, revision: 1 }, wait: 8 },
          ],
          true,
          0,
        ],
      ],
    },
  );
});
