// Where pipelines run: by table, and as properties against what may never happen.

import fc from "fast-check";
import { expect, test } from "vitest";
import type { Capacity, Demand, Taker } from "./capacity.ts";
import { evicted, Load } from "./capacity.ts";
import { type Host, hostState, type Placeable, placeOnHosts } from "./place.ts";

const gigabyte = 1024 ** 3;

function host(name: string, more: Partial<Host> = {}): Host {
  const capacity = { processors: 4, memory_bytes: gigabyte, count: 100 };
  return { name, labels: {}, capacity, state: "connected", subjects: [], ...more };
}

function pipeline(name: string, more: Partial<Placeable> = {}): Placeable {
  return { name, demand: { processors: 1, memory_bytes: 1 }, labels: {}, subjects: [], ...more };
}

const nowhere = new Map<string, string>();

test("a pipeline goes where its subjects are, then where most room is, then by name", () => {
  const hosts = [
    host("c", { subjects: ["sensors.hall.>"] }),
    host("a"),
    host("b", { capacity: { processors: 8, memory_bytes: gigabyte, count: 100 } }),
  ];
  const { where, moves } = placeOnHosts(
    [pipeline("reads", { subjects: ["sensors.{hall}.temp"] }), pipeline("x"), pipeline("y"), pipeline("z")],
    hosts,
    nowhere,
  );
  expect(Object.fromEntries(where)).toEqual({ reads: "c", x: "a", y: "b", z: "b" });
  expect(moves).toContainEqual({ name: "x", from: null, to: "a", reason: "it is new" });
});

test("labels must be there, and what cannot be placed says why", () => {
  const hosts = [
    host("a", { labels: { site: "north" } }),
    host("b", { labels: { site: "south" }, state: "disconnected" }),
  ];
  const { where, unplaced } = placeOnHosts(
    [
      pipeline("north", { labels: { site: "north" } }),
      pipeline("south", { labels: { site: "south" } }),
      pipeline("west", { labels: { site: "west" } }),
      pipeline("zeppelin", { demand: { processors: 40, memory_bytes: 1 } }),
    ],
    hosts,
    nowhere,
  );
  expect([...where]).toEqual([["north", "a"]]);
  expect(unplaced).toEqual([
    { name: "south", reason: "no host with its labels is connected: b is disconnected" },
    { name: "west", reason: "no host has the labels site=west" },
    {
      name: "zeppelin",
      reason: "no host with its labels has room for it: 40 processors and 1 MiB are asked for",
    },
  ]);
});

test("a host out of reach keeps what it has; a lost one does not", () => {
  expect([0, 15_000, 15_001, 120_000, 120_001].map((silent) => hostState(silent))).toEqual([
    "connected",
    "connected",
    "disconnected",
    "disconnected",
    "lost",
  ]);
  const before = new Map([["p", "a"]]);
  const on = (state: Host["state"]): ReturnType<typeof placeOnHosts> =>
    placeOnHosts([pipeline("p")], [host("a", { state }), host("b")], before);
  expect(on("connected").moves).toEqual([]);
  expect(on("disconnected").moves).toEqual([]);
  expect(on("drained").moves).toEqual([{ name: "p", from: "a", to: "b", reason: "host a is drained" }]);
  expect(hostState(6_000, 5_000)).toBe("lost");
  expect(on("lost").moves).toEqual([{ name: "p", from: "a", to: "b", reason: "host a is lost" }]);
  expect(placeOnHosts([pipeline("p")], [host("b")], before).moves[0]!.reason).toBe("host a is gone");
});

const demand = fc.record({
  processors: fc.integer({ min: 0, max: 4 }),
  memory_bytes: fc.integer({ min: 0, max: 8 }),
});
const capacity: fc.Arbitrary<Capacity> = fc.record({
  processors: fc.integer({ min: 1, max: 8 }),
  memory_bytes: fc.integer({ min: 1, max: 16 }),
  count: fc.integer({ min: 1, max: 6 }),
});
interface Fleet {
  readonly hosts: readonly {
    readonly capacity: Capacity;
    readonly state: Host["state"];
    readonly site: string;
  }[];
  readonly pipelines: readonly {
    readonly demand: Demand;
    readonly site: string | null;
    readonly at: number;
  }[];
}
const fleet: fc.Arbitrary<Fleet> = fc.record({
  hosts: fc.array(
    fc.record({
      capacity,
      state: fc.constantFrom<Host["state"]>("connected", "disconnected", "lost"),
      site: fc.constantFrom("n", "s"),
    }),
    {
      minLength: 1,
      maxLength: 5,
    },
  ),
  pipelines: fc.array(fc.record({ demand, site: fc.constantFrom("n", "s", null), at: fc.nat(5) }), {
    maxLength: 20,
  }),
});

function made(drawn: Fleet): {
  hosts: Host[];
  pipelines: Placeable[];
  before: Map<string, string>;
} {
  const hosts = drawn.hosts.map(({ capacity, state, site }, place) =>
    host(`h${place}`, { capacity, state, labels: { site } }),
  );
  const pipelines = drawn.pipelines.map(({ demand, site }, place) =>
    pipeline(`p${place}`, { demand, labels: site === null ? {} : { site } }),
  );
  const before = new Map(drawn.pipelines.map(({ at }, place) => [`p${place}`, `h${at}`]));
  return { hosts, pipelines, before };
}

test("no host is ever above its capacity, and nothing is moved without a cause", () => {
  fc.assert(
    fc.property(fleet, (drawn) => {
      const { hosts, pipelines, before } = made(drawn);
      const { where, moves, unplaced } = placeOnHosts(pipelines, hosts, before);
      expect(where.size + unplaced.length).toBe(pipelines.length);
      for (const each of hosts) {
        const load = new Load(each.capacity);
        for (const { name, demand } of pipelines) if (where.get(name) === each.name) load.add(demand);
        expect(load.isOver).toBe(false);
      }
      for (const { to } of moves) expect(hosts.find(({ name }) => name === to)!.state).toBe("connected");
      // Placed again, nothing moves; in another order, all is the same.
      expect(placeOnHosts(pipelines, hosts, where).moves.filter(({ from }) => from !== null)).toEqual([]);
      expect(placeOnHosts(pipelines.toReversed(), hosts.toReversed(), before).where).toEqual(where);
      for (const { name, from } of moves) {
        if (from === null) continue;
        const site = hosts.find((each) => each.name === from);
        const fine = site !== undefined && site.state !== "lost";
        const labelled = pipelines.find((each) => each.name === name)!.labels["site"];
        if (!fine || (labelled !== undefined && site.labels["site"] !== labelled)) continue;
        const staying = pipelines.filter((each) => {
          const wanted = each.labels["site"];
          return before.get(each.name) === from && (wanted === undefined || wanted === site.labels["site"]);
        });
        expect(evicted(staying, site.capacity).map((each) => each.name)).toContain(name);
      }
    }),
  );
});

/** The least that has to go, by trying every choice. */
function fewest(takers: readonly Taker[], of: Capacity): number {
  let best = takers.length;
  for (let choice = 0; choice < 2 ** takers.length; choice++) {
    const load = new Load(of);
    let gone = 0;
    for (const [place, { demand }] of takers.entries()) {
      if ((choice >> place) & 1) gone++;
      else load.add(demand);
    }
    if (!load.isOver) best = Math.min(best, gone);
  }
  return best;
}

test("as few as possible have to go from what is too small", () => {
  const one = fc.integer({ min: 0, max: 9 }).map((processors) => ({ processors, memory_bytes: 0 }));
  fc.assert(
    fc.property(fc.array(one, { maxLength: 9 }), fc.integer({ min: 1, max: 20 }), (demands, processors) => {
      const takers = demands.map((demand, place) => ({ name: `p${place}`, demand }));
      const of = { processors, memory_bytes: 1, count: 100 };
      expect(evicted(takers, of)).toHaveLength(fewest(takers, of));
    }),
  );
  fc.assert(
    fc.property(fc.array(demand, { maxLength: 8 }), capacity, (demands, of) => {
      const takers = demands.map((each, place) => ({ name: `p${place}`, demand: each }));
      const gone = evicted(takers, of);
      const load = new Load(of);
      for (const each of takers) if (!gone.includes(each)) load.add(each.demand);
      expect(load.isOver).toBe(false);
      if (fewest(takers, of) <= 1) expect(gone).toHaveLength(fewest(takers, of));
    }),
  );
});
