// Changes applied in order give the state that they are of, whatever it was before; and bytes that are no change of
// a state are refused or make another state, and never anything else.

import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import { applyChange, StateShadow } from "./change.ts";
import { pageBytes } from "./pages.ts";
import { type Plain, put } from "./plain.ts";

/** Bytes of some length of which a few differ from the pattern that all have in common. */
const bytes = fc
  .record({
    length: fc.oneof(
      { weight: 20, arbitrary: fc.nat(40) },
      { weight: 10, arbitrary: fc.nat(600) },
      { weight: 1, arbitrary: fc.integer({ min: 65_000, max: 66_700 }) },
    ),
    spots: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
    offset: fc.nat(8),
  })
  .map(({ length, spots, offset }) => {
    const view = new Uint8Array(new ArrayBuffer(length + offset), offset, length);
    for (let i = 0; i < length; i++) view[i] = i % 251;
    if (length > 0) for (const [at, byte] of spots) view[at % length] = byte;
    return view;
  });

const texts = fc.oneof(
  fc.constantFrom("", "a", "b", "__proto__", "constructor", "1", "ü\u{1f9ca}", "\ud800x"),
  fc.string({ unit: "binary", maxLength: 50 }),
);
const scalars: fc.Arbitrary<Plain> = fc.oneof(
  fc.constantFrom<Plain>(
    null,
    true,
    false,
    0,
    -0,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    127,
    128,
    2 ** 53 - 1,
  ),
  fc.double(),
  fc.nat(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n }),
  texts,
);

const { state: states } = fc.letrec<{ state: Plain }>((tie) => ({
  state: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    scalars,
    bytes as fc.Arbitrary<Plain>,
    fc.array(tie("state"), { maxLength: 5 }),
    fc.array(fc.tuple(texts, tie("state")), { maxLength: 5 }).map((members) => {
      const map: Record<string, Plain> = {};
      for (const [name, value] of members) put(map, name, value);
      return map;
    }),
  ),
}));

/** To the last bit, -0 and prototypes included; the runner's own comparison takes seconds for so many bytes. */
function expectSame(actual: Plain, expected: Plain): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected);
  expect(isDeepStrictEqual(actual, expected)).toBe(true);
}

test("changes of any states, applied in order, give the last one; and so does all of them as one", () => {
  fc.assert(
    fc.property(fc.array(states, { minLength: 1, maxLength: 6 }), (all) => {
      const shadow = new StateShadow();
      let state: Plain = null;
      for (const each of all) {
        const change = shadow.change(each);
        if (change !== null) state = applyChange(state, change);
        expectSame(state, each);
        expect(shadow.change(each)).toBeNull();
        expectSame(applyChange(null, shadow.whole()!), each);
      }
    }),
    { seed: 21, numRuns: 120 },
  );
});

test("a shadow goes on from what was restored, also in the memory that it was read in", () => {
  fc.assert(
    fc.property(states, states, states, (first, second, third) => {
      const before = new StateShadow();
      const changes = [before.change(first), before.change(second)];
      const restored = (given: Uint8Array | null): Plain =>
        changes.reduce<Plain>((state, change, place) => {
          if (change === null) return state;
          if (place > 0 || given === null) return applyChange(state, change);
          given.set(change, around);
          return applyChange(state, given.subarray(around, around + change.length), true);
        }, null);
      const read = new Uint8Array(2 * around + changes[0]!.length).fill(neighbour);
      const shadow = new StateShadow(restored(read));
      const next = shadow.change(third);
      expectSame(next === null ? restored(null) : applyChange(restored(null), next), third);
      expectSame(applyChange(null, shadow.whole()!), third);
      const others = [...read.subarray(0, around), ...read.subarray(-around)];
      expect(others.every((byte) => byte === neighbour)).toBe(true);
    }),
    { seed: 22, numRuns: 80 },
  );
});

/** What lies before and behind a change in the memory that it was read in. */
const around = 72;
const neighbour = 0xee;

describe("bytes", () => {
  const lengths = [0, 1, pageBytes - 1, pageBytes, pageBytes + 1, 1_000, 65_537, 200_001];

  test("cut, grown again and changed at both ends of pages and blocks", () => {
    const shadow = new StateShadow();
    let state: Plain = null;
    for (const length of [...lengths, ...lengths.toReversed(), 3, 200_001, 200_003]) {
      const leaf = new Uint8Array(length).map((_, i) => (i * 7) % 256);
      for (const at of [0, 127, 128, 1_023, 1_024, 65_535, 65_536, length - 1]) {
        if (at < 0 || at >= length) continue;
        leaf[at]! ^= 255;
        state = applyChange(state, shadow.change([leaf, leaf.slice()])!);
        expectSame(state, [leaf, leaf]);
      }
    }
  });

  test("what is written is the pages that differ", () => {
    const leaf = new Uint8Array(1_000_000);
    const shadow = new StateShadow();
    shadow.change({ leaf });
    leaf[500_000] = 1;
    leaf[900_000] = 1;
    expect(shadow.change({ leaf })!.length).toBeLessThan(2 * pageBytes + 40);
  });

  test("what is kept is a copy, and what is applied too", () => {
    const leaf = Uint8Array.of(1, 2, 3);
    const shadow = new StateShadow();
    const change = shadow.change(leaf)!;
    const state = applyChange(null, change);
    change.fill(0);
    leaf[1] = 9;
    expect(state).toEqual(Uint8Array.of(1, 2, 3));
    expect(applyChange(state, shadow.change(leaf)!)).toEqual(leaf);
  });
});

describe("lists and maps that are frozen", () => {
  test("are not looked at while they are the same ones", () => {
    const leaf = Uint8Array.of(1);
    const frozen = Object.freeze([leaf]);
    const shadow = new StateShadow();
    shadow.change({ frozen });
    leaf[0] = 2;
    expect(shadow.change({ frozen })).not.toBeNull();
    leaf[0] = 3;
    expect(shadow.change({ frozen })).toBeNull();
    expect(shadow.change({ frozen: [leaf] })).not.toBeNull();
  });

  test("are looked at after another one had their place", () => {
    const [one, other] = [Object.freeze([1]), [2]];
    const shadow = new StateShadow();
    let state: Plain = null;
    for (const list of [one, one, other, one, one, other, Object.freeze([3]), one]) {
      const change = shadow.change({ list });
      if (change !== null) state = applyChange(state, change);
      expect(state).toEqual({ list });
    }
  });
});

describe("hostile bytes", () => {
  const before = (): Plain => ({
    a: [1, "two", null, [3n]],
    b: new Uint8Array(300),
    c: { d: true },
    gone: 1,
  });
  const after = (): Plain => ({
    a: [1.5, "zwei", false, [4n, 5], "new"],
    b: new Uint8Array(310).fill(1, 140, 141),
    c: { d: false, e: "ü\ud800" },
  });
  const shadow = new StateShadow();
  const [first, second] = [shadow.change(before())!, shadow.change(after())!];

  /** What applying gives, or the refusal. */
  function tried(start: () => Plain | null, change: Uint8Array): Plain | WeirError {
    try {
      return applyChange(start(), change);
    } catch (error) {
      if (!(error instanceof WeirError)) throw error;
      expect(error.code).toBe("WEIR_STATE");
      expect(error.remedy).toBeDefined();
      return error;
    }
  }
  const state = (): Plain => applyChange(null, first);

  test.each([
    ["of the whole", first, () => null],
    ["of a change", second, state],
  ])("every byte %s made every other one", (_title, change, start) => {
    const outcomes = { refused: 0, others: 0 };
    for (let at = 0; at < change.length; at++)
      for (let byte = 0; byte < 256; byte++) {
        if (byte === change[at]) continue;
        const other = change.slice();
        other[at] = byte;
        const outcome = tried(start, other);
        if (outcome instanceof WeirError) outcomes.refused++;
        else outcomes.others++;
      }
    expect(Math.min(outcomes.refused, outcomes.others)).toBeGreaterThan(100);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  test("cut anywhere, or with more behind it, is refused", () => {
    for (let length = 0; length < second.length; length++)
      expect(tried(state, second.slice(0, length))).toBeInstanceOf(WeirError);
    expect(tried(state, Uint8Array.of(...second, 0))).toBeInstanceOf(WeirError);
    expect(tried(state, second)).toEqual(after());
  });

  test("at random", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (tail) => {
        tried(state, Uint8Array.of(1, ...tail));
        tried(() => null, Uint8Array.of(1, ...tail));
      }),
      { seed: 23, numRuns: 1_500 },
    );
  });

  test("of another format is told so", () => {
    const other = first.slice();
    other[0] = 2;
    expect(tried(() => null, other)).toMatchObject({
      message: "the change is of format 2, expected 1",
    });
  });

  test("lists inside lists without end are refused", () => {
    const deep = new Uint8Array(10_000).fill(9).map((_, i) => (i % 2 === 0 ? 9 : 1));
    expect(tried(() => null, Uint8Array.of(1, ...deep))).toBeInstanceOf(WeirError);
    let nested: Plain = 1;
    for (let depth = 0; depth < limits.state_depth_max; depth++) nested = [nested];
    expect(applyChange(null, new StateShadow().change(nested)!)).toEqual(nested);
    const shadow = new StateShadow();
    expect(() => shadow.change([nested])).toThrow("nested too deeply");
    // Its copy is of no state that there was.
    expect(() => shadow.change(1)).toThrow("cut short");
    expect(() => shadow.whole()).toThrow("cut short");
  });

  test("no member of a map becomes its prototype", () => {
    const map: Record<string, Plain> = {};
    put(map, "__proto__", { polluted: 1 });
    const applied = applyChange(null, new StateShadow().change(map)!) as Record<string, Plain>;
    expect(Object.getPrototypeOf(applied)).toBe(Object.prototype);
    expect(applied["polluted"]).toBeUndefined();
    expect(Object.keys(applied)).toEqual(["__proto__"]);
  });
});
