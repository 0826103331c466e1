// What may run of what is asked for: what is refused takes nothing away, nothing older is accepted, and what is on a damaged disk
// costs what is damaged.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Admission, admit, admitAll, type Asked } from "./admission.ts";
import { keptWanted, wantedText } from "./kept-wanted.ts";
import type { Statement, TrustedKeys } from "./signature.ts";
import { signedPipeline, testKey, trusting } from "./signing.fixture.ts";
import type { WantedPipeline } from "./wanted.ts";

const [key, other] = [testKey(), testKey()];
const day = (number: number): string => new Date(Date.UTC(2026, 0, number)).toISOString();

const pipeline = (about: string, more: Partial<Statement> = {}, by = key): WantedPipeline =>
  signedPipeline(`name: climate\nabout: ${about}\n`, by, more);

const one = pipeline("one", { signed: day(1) });
const two = pipeline("two", { signed: day(2), expires: day(4) });
const three = pipeline("three", { signed: day(3) }, other);
const { signature: _, ...unsigned } = pipeline("four");

const nothing: Admission = { wanted: [], refused: [], newest: new Map() };

/** What becomes of one who asks after the other; `at`: the day. */
function asked(
  before: Admission,
  pipelines: Asked["pipelines"],
  {
    at = 3,
    keys = trusting(key),
    unreadable = [],
  }: { at?: number; keys?: TrustedKeys; unreadable?: Asked["unreadable"] } = {},
): Admission {
  const circumstances = { host: "gateway", keys, now: Date.parse(day(at)) };
  const all = { pipelines, unreadable };
  const admission = admit(all, before.wanted, before.newest, circumstances);
  // What is known to be verified by these keys needs no second look, and nothing comes of that.
  const isKnown = admit({ pipelines: before.wanted, unreadable: [] }, [], new Map(), {
    ...circumstances,
    now: 0,
  });
  if (isKnown.refused.length === 0)
    expect(admit(all, before.wanted, before.newest, circumstances, true)).toEqual(admission);
  return admission;
}

const texts = ({ wanted }: Admission): string[] => wanted.map(({ text }) => text.split("about: ")[1]!.trim());

test("what is refused takes nothing away, and is told with its name, revision and reason", () => {
  const accepted = asked(nothing, [one]);
  for (const bad of [unsigned, three, pipeline("x", { hosts: ["north"] })]) {
    const after = asked(accepted, [bad]);
    expect([texts(after), after.newest]).toEqual([["one"], accepted.newest]);
    const { name, revision, file } = bad;
    expect(after.refused).toEqual([{ name, revision, file, reason: expect.any(String) }]);
  }
  const unreadable = [{ name: "climate", reason: "no" }];
  const after = asked(accepted, [], { unreadable });
  expect([texts(after), after.refused]).toEqual([
    ["one"],
    [{ name: "climate", revision: null, file: null, reason: "no" }],
  ]);
  expect(texts(asked(after, []))).toEqual([]);
});

test("where nothing has to be signed, what cannot be read takes nothing away either", () => {
  const wanted = [one, signedPipeline("name: doors\nabout: one\n", key)];
  const unreadable = [
    { name: "climate", reason: "no" },
    { name: "new", reason: "no" },
  ];
  expect(admitAll({ pipelines: wanted.slice(1), unreadable }, wanted)).toEqual({
    wanted: [wanted[1], one],
    refused: unreadable.map(({ name, reason }) => ({ name, revision: null, file: null, reason })),
  });
  expect(admitAll({ pipelines: [], unreadable: [] }, wanted)).toEqual({ wanted: [], refused: [] });
});

test("nothing older comes back, but under a new signature; not even once it is wanted no more", () => {
  const second = asked(asked(nothing, [one]), [two]);
  expect(texts(asked(second, [one]))).toEqual(["two"]);
  expect(texts(asked(asked(second, []), [one]))).toEqual([]);
  expect(texts(asked(second, [pipeline("one", { signed: day(3) })]))).toEqual(["one"]);
});

test("what was accepted in time stays accepted, what comes too late does not", () => {
  const late = { at: 5 };
  expect(texts(asked(nothing, [two], late))).toEqual([]);
  const second = asked(nothing, [two]);
  // A restart knows what was accepted from its disk.
  expect(texts(asked({ ...second, wanted: [] }, [two], late))).toEqual(["two"]);
  expect(texts(asked(second, [unsigned], late))).toEqual(["two"]);
});

test("a key that is taken away takes along what only it signed; one that comes lets in what waits", () => {
  const both = { keys: trusting(key, other) };
  const third = asked(asked(nothing, [one]), [three], both);
  expect(texts(third)).toEqual(["three"]);
  expect(texts(asked(third, [three]))).toEqual([]);
  expect(texts(asked(asked(third, [three]), [three], both))).toEqual(["three"]);
});

test("a key that got into wrong hands, and signed for a time far ahead, holds back nobody once it is gone", () => {
  const both = { keys: trusting(key, other) };
  const ahead = asked(asked(nothing, [one]), [pipeline("ahead", { signed: day(999) }, other)], both);
  expect([texts(ahead), texts(asked(ahead, [two], both))]).toEqual([["ahead"], ["ahead"]]);
  const without = asked(ahead, [two]);
  expect([texts(without), texts(asked(without, [one]))]).toEqual([["two"], ["two"]]);
});

test("two that are called the same are one at most", () => {
  const accepted = asked(nothing, [one]);
  expect(texts(asked(accepted, [unsigned, two, unsigned]))).toEqual(["two"]);
});

test("whatever byte of what is kept is another one, the others run, and nothing runs that was not signed", () => {
  const all = ["a", "b", "c"].map((name) =>
    signedPipeline(`name: ${name}\nabout: "{\\"file\\": ]"\n`, key, { signed: day(1) }),
  );
  const bytes = Buffer.from(wantedText(all));
  expect(keptWanted(bytes.toString(), "wanted.json")).toEqual({ pipelines: all, damaged: [] });
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 7 }), (at, bit) => {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 1 << bit;
      const { pipelines } = keptWanted(damaged.toString("utf8"), "wanted.json");
      const { wanted } = asked(nothing, pipelines);
      expect(wanted.length).toBeGreaterThanOrEqual(2);
      const known = all.map(({ text }) => text);
      for (const { text } of wanted) expect(known).toContain(text);
    }),
    { numRuns: 500 },
  );
});

test.each(["garbage", "{}", "null"])("what holds no pipeline at all is told: %s", (text) => {
  expect(keptWanted(text, "wanted.json")).toMatchObject({
    pipelines: [],
    damaged: [expect.stringContaining("wanted.json")],
  });
});
