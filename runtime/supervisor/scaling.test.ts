// Partitions on a host in memory: shared among more workers while there is more to do, within what file and host allow,
// and never run twice on the way.

import { expect, test } from "vitest";
import { instanceName } from "../instance.ts";
import { limits } from "../limits.ts";
import type { Desired, DesiredPipeline } from "./situation.ts";
import { scaleStatus } from "./scaling.ts";
import { seeded, SimulatedHost } from "./simulated-host.fixture.ts";

function partitioned(count: number, most: number): readonly DesiredPipeline[] {
  return Array.from({ length: count }, (_, partition) => ({
    name: instanceName("q", partition),
    revision: "1",
    isolation: "shared",
    demand: { processors: 0.01, memory_bytes: 1_000_000 },
    partitionOf: { pipeline: "q", most },
  }));
}

/** How many partitions each worker has, by its name. */
function shares(host: SimulatedHost): Record<string, number> {
  return Object.fromEntries(host.alive().map(({ name, running }) => [name, running.length]));
}

function scaled(host: SimulatedHost): string[] {
  return host.happenings.filter(({ what }) => what === "scaled").map(({ reason }) => reason);
}

test("what one worker cannot take is shared by as many as it needs, and has one again when the load has gone", () => {
  const host = new SimulatedHost(partitioned(6, 6), seeded(1));
  host.pass(5_000);
  expect(shares(host)).toEqual({ "replica-q-1": 6 });
  host.incoming = 350;
  host.pass(60_000);
  expect(shares(host)).toEqual({ "replica-q-1": 2, "replica-q-2": 2, "replica-q-3": 2 });
  expect(Math.max(...host.lag.values())).toBeLessThan(350);
  host.incoming = 10;
  host.pass(60_000);
  expect(shares(host)).toEqual({ "replica-q-1": 6 });
  expect(host.faults).toEqual([]);
  const told = scaled(host);
  expect(told[0]).toMatch(
    /^from 1 to 2 workers: \d+ records wait and \d+ come in a second; a busy worker handles \d+$/,
  );
  expect(told.at(-1)).toMatch(/^from 2 to 1 workers: for 10 s no more than 1 were needed$/);
});

test("a supervisor that has forgotten goes on with as many as run", () => {
  const host = new SimulatedHost(partitioned(6, 6), seeded(2));
  host.incoming = 300;
  host.pass(40_000);
  const { starts } = host;
  const before = shares(host);
  expect(Object.keys(before).length).toBeGreaterThan(1);
  host.restartSupervisor(false);
  expect(host.look()).toEqual([]);
  host.pass(5_000);
  expect([shares(host), host.starts]).toEqual([before, starts]);
  expect(host.faults).toEqual([]);
});

const base = limits.worker_base_bytes;
const large = { processors: 64, memory_bytes: 2 ** 40, count: 1_000 };

test.each<
  [
    what: string,
    count: number,
    most: number,
    host: Desired["host"],
    free: number,
    workers: number,
    why: string,
  ]
>([
  ["the file", 6, 2, large, base, 2, "its file allows no more"],
  ["partitions", 2, 8, large, base, 2, "each partition has a worker of its own"],
  ["processors", 6, 6, { ...large, processors: 3 }, base, 2, "the host has no processor to spare"],
  ["two processors", 6, 6, { ...large, processors: 2 }, base, 2, "the host has no processor to spare"],
  ["one processor", 6, 6, { ...large, processors: 1 }, base, 1, "the host has no processor to spare"],
  ["memory", 6, 6, { ...large, memory_bytes: 2.5 * base }, base, 2, "the host has no memory to spare"],
  ["memory that others take", 6, 6, large, 0, 1, "memory is short"],
])(
  "%s sets a bound, and it is said where more would be needed",
  (_what, count, most, capacity, free, workers, why) => {
    const host = new SimulatedHost(partitioned(count, most), seeded(3));
    host.desired = { ...host.desired, host: capacity };
    host.memoryFree = free;
    host.incoming = 6_000 / count;
    host.pass(40_000);
    expect(Object.keys(shares(host))).toHaveLength(workers);
    expect(scaleStatus(host.memory.scales["q"]!)).toMatchObject({ workers, saturated: why });
    expect(host.faults).toEqual([]);
  },
);

test("a file that allows fewer, and a host that has become smaller, are followed at once", () => {
  const host = new SimulatedHost(partitioned(6, 6), seeded(4));
  host.incoming = 600;
  host.pass(40_000);
  expect(Object.keys(shares(host)).length).toBeGreaterThan(3);
  host.desired = { ...host.desired, pipelines: partitioned(6, 3) };
  host.pass(10_000);
  expect(shares(host)).toEqual({ "replica-q-1": 2, "replica-q-2": 2, "replica-q-3": 2 });
  expect(scaled(host).at(-1)).toBe("from 6 to 3 workers: no more may share them");
  host.desired = { ...host.desired, host: { ...large, memory_bytes: 1.5 * base } };
  host.pass(10_000);
  expect(shares(host)).toEqual({ "replica-q-1": 6 });
  expect(host.memory.scales["q"]!.state.workers).toBe(1);
  expect(host.faults).toEqual([]);
});
