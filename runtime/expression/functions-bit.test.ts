// Bits of whole numbers, as float64 and as int64: held to what BigInt says of the same numbers.

import fc from "fast-check";
import { expect, test } from "vitest";
import { bitFunctions } from "./functions-bit.ts";
import type { Value } from "./overload.ts";

/** What a function of the table gives for two numbers of a type. */
function run(
  name: string,
  type: "float64" | "int64",
  one: number | bigint,
  other: number | bigint,
): Value | null {
  const entry = bitFunctions.find((each) => each.name === name)!;
  const overload = entry.overloads.find(({ takes }) => takes[0] === type)!;
  const value = (overload.run as (...values: (number | bigint)[]) => Value | null)(one, other);
  // A number that is none.
  return Number.isNaN(value) ? null : value;
}

const whole = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer(),
  fc.nat(),
  fc.constantFrom(0, -1, 2 ** 31, 2 ** 31 - 1),
);
const reference: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
  bitAnd: (a, b) => a & b,
  bitOr: (a, b) => a | b,
  bitXor: (a, b) => a ^ b,
};

test.each(Object.entries(reference))(
  "%s of whole numbers is that of integers, where it is exact",
  (name, of) => {
    fc.assert(
      fc.property(whole, whole, (a, b) => {
        const exact = of(BigInt(a), BigInt(b));
        const expected = Number.isSafeInteger(Number(exact)) ? Number(exact) : null;
        expect(run(name, "float64", a, b)).toBe(expected);
        expect(run(name, "int64", BigInt(a), BigInt(b))).toBe(exact);
      }),
    );
  },
);

test("each bit of a number is that of its 64", () => {
  fc.assert(
    fc.property(whole, fc.integer({ min: 0, max: 63 }), (n, place) => {
      const isSet =
        BigInt.asUintN(64, BigInt(n))
          .toString(2)
          .padStart(64, "0")
          .at(-1 - place) === "1";
      expect(run("bit", "float64", n, place)).toBe(isSet);
      expect(run("bit", "int64", BigInt(n), BigInt(place))).toBe(isSet);
    }),
  );
});

test("the lowest bits of a number are one with a sign", () => {
  fc.assert(
    fc.property(whole, fc.integer({ min: 1, max: 64 }), (n, width) => {
      const expected = BigInt.asIntN(width, BigInt(n));
      expect(run("bitSigned", "int64", BigInt(n), BigInt(width))).toBe(expected);
      expect(run("bitSigned", "float64", n, width)).toBe(
        Number.isSafeInteger(Number(expected)) ? Number(expected) : null,
      );
    }),
  );
});

test("the bits of a single are that single again, and no others are one", () => {
  const float = fc.float({ noNaN: true, noDefaultInfinity: true });
  fc.assert(
    fc.property(float, (value) => {
      const [register] = new Uint32Array(Float32Array.of(value).buffer);
      expect(run("bitFloat", "float64", register!, 0)).toBe(value);
      expect(run("bitFloat", "int64", BigInt(register!), 0n)).toBe(value);
    }),
  );
  for (const register of [-1, 0.5, 2 ** 32, 0x7f80_0000, 0x7fc0_0000])
    expect(run("bitFloat", "float64", register, 0)).toBeNull();
});

test("what is moved up and down again is the same, as far as nothing was lost", () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 0, max: 80 }), (n, places) => {
      const up = run("bitShiftLeft", "float64", n, places);
      expect(up === null || run("bitShiftRight", "float64", up as number, places) === n).toBe(true);
      expect(up === null).toBe(n !== 0 && n * 2 ** places > Number.MAX_SAFE_INTEGER);
      const wide = run("bitShiftLeft", "int64", BigInt(n), BigInt(places));
      expect(wide).toBe(places >= 64 ? 0n : BigInt.asIntN(64, BigInt(n) << BigInt(places)));
    }),
  );
});

test.each<[string, number | bigint, number | bigint]>([
  ["bit", 1.5, 0],
  ["bit", 2 ** 53, 0],
  ["bit", 1, 64],
  ["bit", 1, -1],
  ["bit", 1, 0.5],
  ["bit", 1n, 64n],
  ["bit", 1n, -1n],
  ["bitAnd", 1.5, 1],
  ["bitAnd", 1, Number.NaN],
  ["bitShiftLeft", -1, 1],
  ["bitShiftLeft", 1, -1],
  ["bitShiftLeft", 1, 1.5],
  ["bitShiftLeft", 1n, -1n],
  ["bitShiftRight", -1, 1],
  ["bitShiftRight", 1n, -1n],
])("null: %s of %s and %s", (name, one, other) => {
  expect(run(name, typeof one === "bigint" ? "int64" : "float64", one, other)).toBeNull();
});
