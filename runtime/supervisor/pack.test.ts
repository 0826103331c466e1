// Which pipelines share a worker: by table, and as properties.

import fc from "fast-check";
import { expect, test } from "vitest";
import { limits } from "../limits.ts";
import { type Capacity, Load } from "./capacity.ts";
import { ownWorker, type Packable, packIntoWorkers, replicaWorker, workerCapacity } from "./pack.ts";

const large: Capacity = { processors: 64, memory_bytes: 1024 ** 4, count: 100_000 };
const nowhere = new Map<string, string>();

function pipeline(name: string, processors = 0.01, isolation: Packable["isolation"] = "shared"): Packable {
  return { name, isolation, demand: { processors, memory_bytes: 1_000 } };
}

test("pipelines share a worker, one with isolation has its own", () => {
  const { where, moves } = packIntoWorkers(
    [pipeline("b"), pipeline("a"), pipeline("c", 0.1, "worker")],
    nowhere,
    large,
  );
  expect(Object.fromEntries(where)).toEqual({ a: "shared-1", b: "shared-1", c: "own-c" });
  expect(moves.map(({ name, reason }) => [name, reason])).toEqual([
    ["c", "it has a worker of its own"],
    ["a", "it is new"],
    ["b", "it is new"],
  ]);
});

test("a full worker is followed by another, and gaps are filled without moving anybody", () => {
  const all = ["a", "b", "c", "d"].map((name) => pipeline(name, 0.4));
  const { where } = packIntoWorkers(all, nowhere, large);
  expect(Object.fromEntries(where)).toEqual({ a: "shared-1", b: "shared-1", c: "shared-2", d: "shared-2" });
  const less = [all[1]!, all[2]!, all[3]!, pipeline("e", 0.4)];
  const { moves, where: then } = packIntoWorkers(less, where, large);
  expect(moves).toEqual([{ name: "e", from: null, to: "shared-1", reason: "it is new" }]);
  expect(then.get("d")).toBe("shared-2");
});

test("one that changes its isolation moves, the others stay", () => {
  const before = new Map([
    ["a", "shared-1"],
    ["b", "shared-1"],
  ]);
  const apart = packIntoWorkers([pipeline("a", 0.1, "worker"), pipeline("b")], before, large);
  expect(apart.moves).toEqual([
    { name: "a", from: "shared-1", to: "own-a", reason: "it has a worker of its own" },
  ]);
  const back = packIntoWorkers([pipeline("a"), pipeline("b")], apart.where, large);
  expect(back.moves).toEqual([
    { name: "a", from: "own-a", to: "shared-1", reason: "it shares a worker from now on" },
  ]);
});

test("a host without room says so, and what runs goes on", () => {
  const small = { processors: 1, memory_bytes: limits.worker_base_bytes + 2_500, count: 100 };
  const before = new Map([["z", "shared-1"]]);
  const { where, unplaced } = packIntoWorkers([pipeline("z"), pipeline("a"), pipeline("b")], before, small);
  expect([...where.keys()].sort()).toEqual(["a", "z"]);
  expect(unplaced).toEqual([
    { name: "b", reason: "this host has no room for 0.01 processors and 1 MiB more" },
  ]);
});

/** A partition of `a`, which may share so many workers. */
function partition(number: number, workers: number): Packable {
  return { ...pipeline(`a~${number}`), among: { pipeline: "a", workers } };
}

test("partitions share workers of their own, and one that is apart has one alone", () => {
  const all = [0, 1, 2, 3].map((number) => partition(number, 2));
  const { where } = packIntoWorkers([...all, pipeline("b")], nowhere, large);
  expect(Object.fromEntries(where)).toEqual({
    "a~0": "replica-a-1",
    "a~1": "replica-a-1",
    "a~2": "replica-a-2",
    "a~3": "replica-a-2",
    b: "shared-1",
  });
  const apart = packIntoWorkers([{ ...all[0]!, isolation: "worker" }, ...all.slice(1)], where, large);
  expect(apart.moves).toMatchObject([{ name: "a~0", to: "apart-a-0" }]);
});

test("workers beyond the first are what a host can spare", () => {
  const two = { ...large, memory_bytes: 3.5 * limits.worker_base_bytes };
  const all = [0, 1, 2].map((number) => partition(number, 3));
  expect(new Set(packIntoWorkers(all, nowhere, two).where.values()).size).toBe(3);
  const beside = packIntoWorkers([...all, pipeline("b")], nowhere, two);
  expect(new Set(beside.where.values()).size).toBe(3);
  expect(beside.unplaced).toEqual([]);
  const none = packIntoWorkers(all, nowhere, { ...large, memory_bytes: limits.worker_base_bytes });
  expect(none.unplaced.map(({ name }) => name)).toEqual(["a~0", "a~1", "a~2"]);
});

test("names of workers are never those of others", () => {
  const names = [
    ownWorker("a-1"),
    ownWorker("a~1"),
    replicaWorker("a", 1),
    replicaWorker("a-1", 1),
    replicaWorker("a", 11),
    replicaWorker("p".repeat(64), 1),
    replicaWorker("p".repeat(64), 2),
    ownWorker(`${"p".repeat(64)}~1`),
  ];
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z0-9_-]{1,64}$/);
});

test("a long name makes a worker's name of the right length, unlike any other", () => {
  const long = "p".repeat(64);
  expect(ownWorker(long)).toHaveLength(limits.worker_name_length_max);
  expect(ownWorker(long)).toMatch(/^[a-z0-9_-]{1,64}$/);
  expect(ownWorker(`${"p".repeat(63)}q`)).not.toBe(ownWorker(long));
});

test("never above a worker's or the host's capacity, nothing moves twice, order does not matter", () => {
  const drawn = fc.array(
    fc.record({
      processors: fc.double({ min: 0, max: 0.9, noNaN: true }),
      alone: fc.boolean(),
      at: fc.constantFrom(null, "shared-1", "shared-2", "own-p1"),
    }),
    { maxLength: 25 },
  );
  fc.assert(
    fc.property(drawn, fc.integer({ min: 1, max: 6 }), (pipelines, processors) => {
      const all = pipelines.map((each, place) =>
        pipeline(`p${place}`, each.processors, each.alone ? "worker" : "shared"),
      );
      const before = new Map(
        pipelines.flatMap(({ at }, place) => (at === null ? [] : [[`p${place}`, at] as const])),
      );
      const host = { processors, memory_bytes: 8 * limits.worker_base_bytes, count: 100 };
      const { where, unplaced } = packIntoWorkers(all, before, host);
      expect(where.size + unplaced.length).toBe(all.length);
      const whole = new Load(host);
      for (const worker of new Set(where.values())) {
        const load = new Load(workerCapacity);
        whole.add({ processors: 0, memory_bytes: limits.worker_base_bytes });
        const members = all.filter(({ name }) => where.get(name) === worker);
        for (const { demand } of members) {
          load.add(demand);
          whole.add(demand);
        }
        expect(load.isOver).toBe(false);
        const apart = members.some(({ isolation }) => isolation === "worker");
        if (apart) expect(members).toHaveLength(1);
      }
      expect(whole.isOver).toBe(false);
      expect(packIntoWorkers(all, where, host).moves.filter(({ from }) => from !== null)).toEqual([]);
      expect(packIntoWorkers(all.toReversed(), before, host).where).toEqual(where);
    }),
  );
});
