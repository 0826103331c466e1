// The supervisor's decisions through a thousand random sequences of faults, on a host in memory.

import fc from "fast-check";
import { expect, test } from "vitest";
import type { DesiredPipeline } from "./reconcile.ts";
import { seeded, SimulatedHost } from "./simulated-host.fixture.ts";

const demand = { processors: 0.01, memory_bytes: 1_000_000 };

function pipeline(
  name: string,
  revision = "1",
  isolation: DesiredPipeline["isolation"] = "shared",
): DesiredPipeline {
  return { name, revision, isolation, demand };
}

type Step =
  | {
      readonly kind: "crash" | "hang" | "cut" | "mend" | "unknown" | "mute" | "forget" | "restart";
      readonly at: number;
    }
  | { readonly kind: "want"; readonly at: number; readonly revision: number; readonly alone: boolean }
  | { readonly kind: "bad"; readonly at: number; readonly revision: number };

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
  } else if (step.kind === "bad") host.crashing.add(`p${step.at}@${step.revision}`);
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

test("through random faults: nothing runs twice, what is well is left alone, in the end all that can run runs", {
  timeout: 120_000,
}, () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), fc.integer(), (steps, seed) => {
      const first = [pipeline("p0"), pipeline("p1"), pipeline("p2"), pipeline("p3", "1", "worker")];
      const host = new SimulatedHost(first, seeded(seed));
      host.pass(5_000);
      for (const { step, wait } of steps) {
        happen(host, step);
        host.pass(wait);
      }
      expect(host.faults).toEqual([]);
      mend(host);
      host.pass(200_000);
      expect(host.faults).toEqual([]);
      // Looked at again, there is nothing to do; and nothing has been started lately.
      const { starts } = host;
      expect(host.look()).toEqual([]);
      host.pass(30_000);
      expect(host.starts).toBe(starts);
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
    { numRuns: 1_000 },
  );
});
