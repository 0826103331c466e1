// Whose turn a pipeline is: by table, and over random lives of a fleet.

import fc from "fast-check";
import { expect, test } from "vitest";
import type { Device } from "./device.ts";
import { entryChanges, type KnownDevice, type Owner, type TurnEntry, turnsFor } from "./fleet.ts";
import type { Placeable } from "./place.ts";

const lost_after = 60_000;

function device(id: string, more: Partial<KnownDevice> = {}): KnownDevice {
  const known: Device = {
    id,
    location: "",
    labels: {},
    capacity: { cpu: 4, memory: 2 ** 30, workers: 4 },
    subjects: [],
    runs: [],
    revision: "1",
    since: "",
    last_contact: "",
  };
  return { device: known, silent_ms: 0, watched_ms: 1e9, drained: false, taken: [], ...more };
}

/** A device that had a turn of `p`. */
function ran(
  id: string,
  term: number,
  runs: readonly string[],
  more: Partial<KnownDevice> = {},
): KnownDevice {
  return device(id, { ...more, device: { ...device(id).device, terms: { p: term }, runs } });
}

function pipeline(name: string, processors = 1): Placeable {
  return { name, demand: { processors, memory_bytes: 1 }, labels: {}, subjects: [] };
}

const owned = (host: string | null, term = 1, before: string | null = null): Owner => ({
  host,
  term,
  before,
  reason: "",
});

const onA = new Map([["p", owned("a")]]);

test("a turn is given when there is a reason, and not before its device is lost", () => {
  const cases: readonly (readonly [string, readonly KnownDevice[], ReadonlyMap<string, Owner>, unknown])[] = [
    ["new", [device("a"), device("b")], new Map(), { host: "a", term: 1, before: null, reason: "it is new" }],
    ["as it was", [device("b"), device("a")], onA, null],
    ["silent", [device("a", { silent_ms: lost_after }), device("b")], onA, null],
    [
      "lost",
      [device("a", { silent_ms: lost_after + 1 }), device("b")],
      onA,
      { host: "b", term: 2, before: "a", reason: "host a is lost" },
    ],
    ["lost, and nobody else", [device("a", { silent_ms: lost_after + 1 })], onA, null],
    [
      "the registry was away as well",
      [device("a", { silent_ms: lost_after + 1, watched_ms: lost_after }), device("b")],
      onA,
      null,
    ],
    [
      "back, and another has its turn",
      [device("a"), device("b")],
      new Map([["p", owned("b", 2, "a")]]),
      null,
    ],
    [
      "drained",
      [device("a", { drained: true }), device("b")],
      onA,
      { host: "b", term: 2, before: "a", reason: "host a is drained" },
    ],
    [
      "wanted again",
      [device("b")],
      new Map([["p", owned(null, 3, "a")]]),
      { host: "b", term: 4, before: "a", reason: "it is new" },
    ],
    [
      "full",
      [device("a", { taken: [{ processors: 3.5, memory_bytes: 0 }] }), device("b")],
      onA,
      { host: "b", term: 2, before: "a", reason: "host a is too small for all that it ran" },
    ],
  ];
  for (const [what, devices, owners, expected] of cases) {
    const { turns } = turnsFor([pipeline("p")], devices, owners, lost_after);
    expect([what, turns[0]?.owner ?? null]).toEqual([what, expected]);
  }
  expect(turnsFor([], [device("a")], onA, lost_after).turns).toEqual([
    { name: "p", owner: { host: null, term: 1, before: "a", reason: "it is not wanted any more" } },
  ]);
  // Not wanted for a while, it was nobody's meanwhile: whose turn it was before is known still.
  const nobodys = new Map<string, Owner>([["p", { host: null, term: 2, before: "a", reason: "" }]]);
  for (const host of ["a", "b"])
    expect(turnsFor([pipeline("p")], [device(host)], nobodys, lost_after).turns).toEqual([
      { name: "p", owner: { host, term: 3, before: "a", reason: "it is new" } },
    ]);
  expect(turnsFor([pipeline("p", 40)], [device("a")], new Map(), lost_after).waiting).toEqual([
    { name: "p", reason: "no host with its labels has room for it: 40 processors and 1 MiB are asked for" },
  ]);
});

test("where the bucket was made anew, turns go on from what devices say of theirs", () => {
  const first = device("a", { device: { ...device("a").device, terms: { p: 2 } } });
  const turn = (devices: readonly KnownDevice[]): unknown =>
    turnsFor([pipeline("p")], devices, new Map(), lost_after).turns;
  const owner = { host: "b", term: 3, before: null, reason: "it had the last turn that is known of" };
  expect(turn([first, ran("b", 3, ["p"])])).toEqual([{ name: "p", owner }]);
  expect(turn([{ ...first, drained: true }, ran("b", 3, [])])).toEqual([
    { name: "p", owner: { host: "b", term: 4, before: "b", reason: "it is new" } },
  ]);
  expect(turn([first, ran("b", 3, ["p"], { silent_ms: lost_after + 1 })])).toEqual([
    { name: "p", owner: { host: "a", term: 4, before: "b", reason: "host b is lost" } },
  ]);
});

test("what is wanted of hosts follows whose turn it is, once the one before has let go", () => {
  const wanted = new Map([["p", { revision: "r1", carries: false }]]);
  const entry = (host: string, term: number, revision = "r1"): TurnEntry => ({
    host,
    name: "p",
    term,
    revision,
  });
  const second = new Map([["p", owned("b", 2, "a")]]);
  const put = { kind: "put", host: "b", name: "p", term: 2, resumes: false };
  const remove = { kind: "remove", host: "a", name: "p", term: 1 };
  const runsOnA = new Map([["a", new Set(["p"])]]);
  const cases: readonly (readonly [
    string,
    readonly TurnEntry[],
    ReadonlyMap<string, ReadonlySet<string>>,
    unknown,
  ])[] = [
    ["the one before can be heard and runs it", [entry("a", 1)], runsOnA, [remove]],
    ["it has let go", [], new Map([["a", new Set<string>()]]), [put]],
    ["it cannot be heard", [entry("a", 1)], new Map(), [remove, put]],
    ["done", [entry("b", 2)], new Map(), []],
    ["another text", [entry("b", 2, "r0")], runsOnA, [put]],
    ["back before it was told", [entry("b", 1)], new Map(), [put]],
  ];
  for (const [what, entries, runs, expected] of cases)
    expect([what, entryChanges(wanted, second, entries, runs)]).toEqual([what, expected]);
  const again = new Map([["p", owned("b", 2, "b")]]);
  expect(entryChanges(wanted, again, [], new Map())).toEqual([{ ...put, resumes: true }]);
  expect(entryChanges(new Map(), new Map([["p", owned(null, 2)]]), [entry("b", 2)], new Map())).toEqual([
    { kind: "remove", host: "b", name: "p", term: 2 },
  ]);
});

test("over any life of a fleet turns only grow, nothing moves without a reason, and asking again changes nothing", () => {
  const moment = fc.record({
    wanted: fc.uniqueArray(fc.constantFrom<string>("p", "q", "r"), { maxLength: 3 }),
    silent: fc.array(fc.constantFrom(0, 20_000, lost_after + 1), { minLength: 3, maxLength: 3 }),
    drained: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
  });
  fc.assert(
    fc.property(fc.array(moment, { maxLength: 12 }), (moments) => {
      let owners: ReadonlyMap<string, Owner> = new Map();
      for (const { wanted, silent, drained } of moments) {
        const devices = ["a", "b", "c"].map((id, place) =>
          device(id, { silent_ms: silent[place]!, drained: drained[place]! && silent[place] === 0 }),
        );
        const pipelines = wanted.map((name) => pipeline(name, 2));
        const { turns } = turnsFor(pipelines, devices, owners, lost_after);
        const next = new Map(owners);
        for (const { name, owner } of turns) {
          const before = owners.get(name);
          const home = devices.find((each) => each.device.id === before?.host);
          expect(owner.term).toBe((before?.term ?? 0) + Number(owner.host !== null));
          const stays = home !== undefined && home.silent_ms <= lost_after && !home.drained;
          expect(stays && wanted.includes(name)).toBe(false);
          if (owner.host !== null)
            expect(devices.find((each) => each.device.id === owner.host)!.silent_ms).toBe(0);
          next.set(name, owner);
        }
        owners = next;
        expect(turnsFor(pipelines, devices, owners, lost_after).turns).toEqual([]);
        const revisions = new Map(wanted.map((name) => [name, { revision: "r", carries: false }]));
        const entries = [...owners].flatMap(([name, { host, term }]) =>
          host === null || !wanted.includes(name) ? [] : [{ host, name, term, revision: "r" }],
        );
        expect(entryChanges(revisions, owners, entries, new Map())).toEqual([]);
      }
    }),
    { numRuns: 100 },
  );
});
