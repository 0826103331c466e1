// Which pipelines share a worker: by table, and as properties.

import fc from "fast-check";
import { expect, test } from "vitest";
import { limits } from "../limits.ts";
import { type Capacity, Load } from "./capacity.ts";
import { type Packable, packIntoWorkers as packInto, type Room } from "./pack.ts";
import { sharedCapacity } from "./worker-limits.ts";
import { ownWorker, replicaWorker } from "./worker-names.ts";

const large: Capacity = { processors: 64, memory_bytes: 1024 ** 4, count: 100_000 };
const nowhere = new Map<string, string>();
const workerCapacity = sharedCapacity({});

function packIntoWorkers(
  pipelines: readonly Packable[],
  before: ReadonlyMap<string, string>,
  host: Capacity,
  worker: Room["worker"] = workerCapacity,
): ReturnType<typeof packInto> {
  return packInto(pipelines, before, { host, worker });
}

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
    ["a", "it is new"],
    ["b", "it is new"],
    ["c", "it has a worker of its own"],
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
    {
      name: "b",
      reason:
        "this host has no room for 0.01 processors and 1 MiB more: lower the pipeline's placement, or raise the device's capacity in weir.yaml",
    },
  ]);
});

const heaviest = { processors: 63, memory_bytes: 1_000 };
const hungriest = { processors: 0.01, memory_bytes: workerCapacity.memory_bytes + 1 };

test.each([
  ["processors", heaviest],
  ["memory", hungriest],
])("one that wants more %s than a worker has gets one of its own, and that is all", (_, demand) => {
  const all = [pipeline("a"), { ...pipeline("big"), demand }];
  const before = new Map([
    ["a", "shared-1"],
    ["big", "shared-1"],
  ]);
  const { where, moves } = packIntoWorkers(all, before, large);
  expect(moves).toEqual([
    {
      name: "big",
      from: "shared-1",
      to: "own-big",
      reason: "it is too large for a worker that others share",
    },
  ]);
  expect(packIntoWorkers(all, where, large)).toEqual({ where, moves: [], unplaced: [] });
  const small = { processors: 8, memory_bytes: workerCapacity.memory_bytes, count: 100 };
  const without = packIntoWorkers(all, where, small);
  expect(without.unplaced).toMatchObject([{ name: "big", reason: expect.stringContaining("placement") }]);
  expect([...without.where.keys()]).toEqual(["a"]);
});

test("what pipelines share follows what their worker may take", () => {
  const mebibyte = 1024 ** 2;
  expect(
    [256, 512, 64].map((mib) => sharedCapacity({ memory_bytes: mib * mebibyte }).memory_bytes / mebibyte),
  ).toEqual([160, 416, 0]);
  expect([0.5, 4].map((processors) => sharedCapacity({ processors }).processors)).toEqual([0.5, 1]);
  const all = ["a", "b", "c"].map((name) => ({
    ...pipeline(name),
    demand: { processors: 0.01, memory_bytes: 100 * mebibyte },
  }));
  const workersWith = (mib: number): number =>
    new Set(
      packIntoWorkers(all, nowhere, large, sharedCapacity({ memory_bytes: mib * mebibyte })).where.values(),
    ).size;
  expect([512, 256, 128].map(workersWith)).toEqual([1, 3, 3]);
});

test("nobody who runs has to go for one that comes", () => {
  const room = { processors: 1, memory_bytes: 2 * limits.worker_base_bytes + 2_000, count: 100 };
  const before = new Map([
    ["own", ownWorker("own")],
    ["z~0", replicaWorker("z", 1)],
  ]);
  const running = [
    pipeline("own", 0.1, "worker"),
    { ...pipeline("z~0"), among: { pipeline: "z", workers: 1 } },
  ];
  const { where, unplaced } = packIntoWorkers(
    [...running, pipeline("a", 0.1, "worker"), partition(0, 1), pipeline("b")],
    before,
    room,
  );
  expect(where).toEqual(before);
  expect(unplaced.map(({ name }) => name).sort()).toEqual(["a", "a~0", "b"]);
});

test("a host that has as many as it may starts no worker for one more", () => {
  const full = { ...large, count: 1 };
  const all = [pipeline("a", 0.9), pipeline("b", 0.9)];
  const { where, unplaced } = packIntoWorkers(all, nowhere, full);
  expect([...where.keys()]).toEqual(["a"]);
  expect(unplaced).toMatchObject([{ name: "b" }]);
  expect(packIntoWorkers(all, where, full).where).toEqual(where);
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

/** What is drawn of a pipeline; `group`: it is a partition of that one. */
interface Drawn {
  readonly processors: number;
  readonly memory_bytes: number;
  readonly alone: boolean;
  readonly group: "g" | "h" | null;
  readonly at: string | null;
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  // Some are too large for a worker, some for the host.
  processors: fc.oneof(
    fc.double({ min: 0, max: 0.9, noNaN: true }),
    fc.double({ max: 64, min: 0, noNaN: true }),
  ),
  memory_bytes: fc.oneof(fc.constant(1_000), fc.nat(4 * workerCapacity.memory_bytes)),
  alone: fc.boolean(),
  group: fc.constantFrom(null, null, null, "g", "h"),
  at: fc.constantFrom(null, "shared-1", "shared-2", "own-p1", "replica-g-1", "replica-g-2", "replica-h-1"),
});

function packablesOf(drawn: readonly Drawn[], workers: number): readonly Packable[] {
  return drawn.map(({ group, alone, ...demand }, place) => ({
    name: group === null ? `p${place}` : `${group}~${place}`,
    isolation: alone ? "worker" : "shared",
    demand: { processors: demand.processors, memory_bytes: demand.memory_bytes },
    ...(group === null ? {} : { among: { pipeline: group, workers } }),
  }));
}

function beforeOf(all: readonly Packable[], drawn: readonly Drawn[]): Map<string, string> {
  return new Map(
    all.flatMap(({ name }, place) => (drawn[place]!.at === null ? [] : [[name, drawn[place]!.at!]])),
  );
}

const capacities = fc
  .constantFrom({}, { memory_bytes: 2 ** 28 }, { memory_bytes: 1, processors: 0.5 })
  .map(sharedCapacity);

const hosts = fc.record({
  processors: fc.integer({ min: 1, max: 100 }),
  memory_bytes: fc.nat(40 * limits.worker_base_bytes),
  count: fc.integer({ min: 1, max: 30 }),
});

function loadOf(capacity: Capacity, members: readonly Packable[]): Load {
  const load = new Load(capacity);
  for (const { demand } of members) load.add(demand);
  return load;
}

test("never above the host's capacity, and above a worker's only with what is too large for any", () => {
  fc.assert(
    fc.property(
      fc.array(drawn, { maxLength: 25 }),
      hosts,
      fc.integer({ min: 1, max: 4 }),
      capacities,
      (some, host, workers, shared) => {
        const all = packablesOf(some, workers);
        const { where, unplaced } = packIntoWorkers(all, beforeOf(all, some), host, shared);
        expect(where.size + unplaced.length).toBe(all.length);
        const whole = loadOf(
          host,
          all.filter(({ name }) => where.has(name)),
        );
        for (const worker of new Set(where.values())) {
          whole.add({ processors: 0, memory_bytes: limits.worker_base_bytes }, 0);
          const members = all.filter(({ name }) => where.get(name) === worker);
          const [first] = members;
          if (worker.startsWith("shared-")) expect(loadOf(shared, members).isOver).toBe(false);
          else if (first!.among === undefined || first!.isolation === "worker")
            expect(members).toHaveLength(1);
          if (worker.startsWith("own-") && first!.isolation === "shared")
            expect(loadOf(shared, members).isOver).toBe(true);
        }
        expect(whole.isOver).toBe(false);
      },
    ),
  );
});

test("an answer that is given back changes nothing, and order does not matter", () => {
  fc.assert(
    fc.property(
      fc.array(drawn, { maxLength: 25 }),
      hosts,
      fc.integer({ min: 1, max: 4 }),
      capacities,
      (some, host, workers, shared) => {
        const all = packablesOf(some, workers);
        const before = beforeOf(all, some);
        const first = packIntoWorkers(all, before, host, shared);
        const again = packIntoWorkers(all, first.where, host, shared);
        expect(again.moves).toEqual([]);
        expect(again.where).toEqual(first.where);
        expect(again.unplaced.map(({ name }) => name).sort()).toEqual(
          first.unplaced.map(({ name }) => name).sort(),
        );
        expect(packIntoWorkers(all.toReversed(), before, host, shared).where).toEqual(first.where);
      },
    ),
  );
});

test("as few as can be leave a worker that is too small for all of them", () => {
  const demands = fc.array(fc.double({ min: 0, max: 3, noNaN: true }), { maxLength: 12 });
  fc.assert(
    fc.property(demands, (processors) => {
      const all = processors.map((each, place) => pipeline(`p${place}`, each));
      const before = new Map(all.map(({ name }) => [name, "shared-1"]));
      const { moves } = packIntoWorkers(all, before, large);
      // The smallest of them that fit together stay: no more could.
      const sorted = all.toSorted((a, b) => a.demand.processors - b.demand.processors);
      const most = sorted.filter((_, place) => !loadOf(workerCapacity, sorted.slice(0, place + 1)).isOver);
      expect(moves).toHaveLength(all.length - most.length);
    }),
  );
});
