// What may be moved by hand, and where to: decided from the fleet as data.

import fc from "fast-check";
import { expect, test } from "vitest";
import type { KnownDevice, Owner } from "./fleet.ts";
import { movesFor, nextSpread, readMove, spreadOver, turnsByHand } from "./moving.ts";
import type { Placeable } from "./place.ts";

const lost_after = 60_000;

function device(
  id: string,
  more: Partial<KnownDevice> = {},
  labels: Record<string, string> = {},
): KnownDevice {
  const capacity = { cpu: 1, memory: 1_000, workers: 1 };
  return {
    device: {
      id,
      labels,
      capacity,
      location: "",
      subjects: [],
      runs: [],
      revision: "1",
      since: "2026-01-01T00:00:00Z",
      last_contact: "2026-01-01T00:00:00Z",
    },
    silent_ms: 0,
    watched_ms: 0,
    drained: false,
    taken: [],
    ...more,
  };
}

function pipeline(name: string, memory_bytes = 100, labels: Record<string, string> = {}): Placeable {
  return { name, labels, subjects: [], demand: { processors: 0.1, memory_bytes } };
}

const at = (host: string | null, term = 1): Owner => ({ host, term, before: null, reason: "it is new" });

test.each<[string, Parameters<typeof turnsByHand>, string]>([
  [
    "no device",
    [[{ name: "p", host: "z" }], [pipeline("p")], [device("a")], new Map([["p", at("a")]]), lost_after],
    "no device called z has said that it is there",
  ],
  [
    "silent",
    [
      [{ name: "p", host: "b" }],
      [pipeline("p")],
      [device("a"), device("b", { silent_ms: 30_000 })],
      new Map([["p", at("a")]]),
      lost_after,
    ],
    "b is disconnected",
  ],
  [
    "drained",
    [
      [{ name: "p", host: "b" }],
      [pipeline("p")],
      [device("a"), device("b", { drained: true })],
      new Map([["p", at("a")]]),
      lost_after,
    ],
    "b is drained",
  ],
  [
    "labels",
    [
      [{ name: "p", host: "b" }],
      [pipeline("p", 100, { site: "north" })],
      [device("a", {}, { site: "north" }), device("b")],
      new Map([["p", at("a")]]),
      lost_after,
    ],
    "b does not have the labels site=north",
  ],
  [
    "too small",
    [
      [{ name: "p", host: "b" }],
      [pipeline("p", 2_000)],
      [device("a"), device("b")],
      new Map([["p", at("a")]]),
      lost_after,
    ],
    "b has no room for it beside what runs there",
  ],
  [
    "full",
    [
      [{ name: "p", host: "b" }],
      [pipeline("p", 600), pipeline("q", 600)],
      [device("a"), device("b")],
      new Map([
        ["p", at("a")],
        ["q", at("b")],
      ]),
      lost_after,
    ],
    "b has no room for it beside what runs there",
  ],
  [
    "unplaced",
    [[{ name: "p", host: "b" }], [pipeline("p")], [device("b")], new Map(), lost_after],
    "no control centre has placed it yet",
  ],
])("is refused: %s", (_, args, reason) => {
  expect(turnsByHand(...args)).toEqual({ turns: [], refused: [{ name: "p", reason }] });
});

test("partitions come to be shared evenly one after the other, each where it runs first, and then stay", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 6 }),
      fc.integer(),
      (count, hosts, seed) => {
        const names = Array.from({ length: count }, (_, number) => `p~${number}`);
        const partitions = names.map((name) => pipeline(name, 1));
        const ids = Array.from({ length: hosts }, (_, number) => `h${number}`);
        const owners = new Map(names.map((name, place) => [name, at(ids[Math.abs(seed >> place) % hosts]!)]));
        const devices = (): KnownDevice[] =>
          ids.map((id) => {
            const plain = device(id);
            const runs = names.filter((name) => owners.get(name)!.host === id);
            return { ...plain, device: { ...plain.device, runs } };
          });
        const before = new Map(owners);
        let moves = 0;
        for (;;) {
          const turn = nextSpread(partitions, partitions, devices(), owners, lost_after);
          if (turn === null) break;
          owners.set(turn.name, turn.owner);
          // Until it runs there, nothing else is moved.
          const late = devices().map((each) => ({ ...each, device: { ...each.device, runs: [] } }));
          expect(nextSpread(partitions, partitions, late, owners, lost_after)).toBeNull();
          moves++;
        }
        const shares = devices().map(({ device: { runs } }) => runs.length);
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
        // No partition is moved twice, and none that could have stayed.
        expect(moves).toBe(names.filter((name) => owners.get(name) !== before.get(name)).length);
      },
    ),
  );
});

test("what runs on a device that cannot be heard stays there, and nothing is spread by itself meanwhile", () => {
  const names = [0, 1, 2, 3].map((number) => `p~${number}`);
  const partitions = names.map((name) => pipeline(name));
  const owners = new Map(names.map((name, place) => [name, at(place < 3 ? "a" : "b")]));
  const running = (id: string, silent_ms: number): KnownDevice => {
    const plain = device(id, { silent_ms });
    const runs = names.filter((name) => owners.get(name)!.host === id);
    return { ...plain, device: { ...plain.device, runs } };
  };
  const devices = [running("a", 30_000), running("b", 0), device("c")];
  expect(nextSpread(partitions, partitions, devices, owners, lost_after)).toBeNull();
  expect(spreadOver(partitions, devices, owners, lost_after)).toEqual([{ name: "p~3", host: "b" }]);
  const heard = [running("a", 0), running("b", 0), device("c")];
  expect(nextSpread(partitions, partitions, heard, owners, lost_after)).toMatchObject({
    owner: { host: "c" },
  });
});

test("a user moves what the policy lets run there, and is told why not the rest", () => {
  const owners = new Map([0, 1].map((number) => [`p~${number}`, at("a")]));
  const pipelines = [0, 1].map((number) => pipeline(`p~${number}`));
  const devices = [device("a"), device("b", {}, { site: "south" })];
  const policy = {
    lost_after,
    allow: [
      { users: ["ada"], labels: { site: "south" } },
      { users: ["bob"], pipelines: ["q"] },
    ],
  };
  const fleet = { pipelines, devices, owners, policy, spread: new Set<string>() };
  const ofAda = movesFor({ pipeline: "p", host: "b" }, "ada", fleet);
  expect([ofAda.turns.map(({ name }) => name), ofAda.refused]).toEqual([["p~0", "p~1"], []]);
  expect(movesFor({ pipeline: "p~1", host: "b" }, "bob", fleet)).toEqual({
    turns: [],
    refused: [{ name: "p~1", reason: "user bob may not deploy a pipeline called p" }],
  });
  expect(movesFor({ pipeline: "p", host: null }, "ada", fleet).turns.map(({ name }) => name)).toEqual([
    "p~1",
  ]);
  expect(() => movesFor({ pipeline: "p~0", host: "b" }, "ada", { ...fleet, spread: new Set(["p"]) })).toThrow(
    "the partitions of p~0 are shared evenly among all devices that fit",
  );
  expect(() => movesFor({ pipeline: "r", host: null }, "ada", fleet)).toThrow(
    "no pipeline r is wanted of the fleet",
  );
});

test.each([
  undefined,
  7,
  {},
  { pipeline: "p" },
  { pipeline: "p", host: 1 },
  { pipeline: "p", host: null, more: 1 },
])("a request that says something else is answered with what is expected: %j", (request) => {
  expect(() => readMove(request)).toThrow("the request is not what is expected here");
});

test("what is moved has the next turn, and remembers whose the last one was", () => {
  const owners = new Map([
    ["p", at("a", 7)],
    ["q", { ...at(null, 3), before: "a" }],
    ["r", at("b")],
  ]);
  const destinations = ["p", "q", "r"].map((name) => ({ name, host: "b" }));
  const pipelines = ["p", "q", "r"].map((name) => pipeline(name));
  const { turns, refused } = turnsByHand(
    destinations,
    pipelines,
    [device("a"), device("b")],
    owners,
    lost_after,
  );
  expect(refused).toEqual([]);
  expect(turns).toEqual([
    { name: "p", owner: { host: "b", term: 8, before: "a", reason: "somebody moved it" } },
    { name: "q", owner: { host: "b", term: 4, before: "a", reason: "somebody moved it" } },
  ]);
});

test("several that would each fit alone are moved as far as there is room for all", () => {
  const owners = new Map([
    ["p", at("a")],
    ["q", at("a")],
  ]);
  const pipelines = [pipeline("p", 600), pipeline("q", 600)];
  const destinations = [
    { name: "p", host: "b" },
    { name: "q", host: "b" },
  ];
  const { turns, refused } = turnsByHand(
    destinations,
    pipelines,
    [device("a", {}), device("b")],
    owners,
    lost_after,
  );
  expect(turns.map(({ name }) => name)).toEqual(["p"]);
  expect(refused.map(({ name }) => name)).toEqual(["q"]);
});

test("partitions are shared among the devices that may have them, and as few as can be are moved", () => {
  const names = [0, 1, 2, 3, 4].map((number) => `p~${number}`);
  const partitions = names.map((name) => pipeline(name, 10, { site: "north" }));
  const owners = new Map(names.map((name) => [name, at("b")]));
  const north = { site: "north" };
  const devices = [
    device("a", {}, north),
    device("b", {}, north),
    device("c"),
    device("d", { drained: true }, north),
  ];
  const destinations = spreadOver(partitions, devices, owners, lost_after);
  expect(destinations.map(({ host }) => host)).toEqual(["b", "b", "b", "a", "a"]);
  expect(spreadOver(partitions, [device("c")], owners, lost_after)).toEqual([]);
  const many = "fghijklm".split("").map((id) => device(id, {}, north));
  const each = spreadOver(partitions, [...devices, ...many], owners, lost_after);
  expect(new Set(each.map(({ host }) => host)).size).toBe(5);
  expect(each[0]).toEqual({ name: "p~0", host: "b" });
  const ofLast = new Map(names.map((name) => [name, at("m")]));
  expect(spreadOver(partitions, [...devices, ...many], ofLast, lost_after)[0]).toEqual({
    name: "p~0",
    host: "m",
  });
});
