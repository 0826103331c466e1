// Each target takes its own well-formed inputs, a first few hundred others, and those that it once took badly; and a target that is
// at fault is found out, made small, and found again by its number.

import { expect, test } from "vitest";
import { faultOf, shrunk } from "./attempt.ts";
import { findings } from "./findings.ts";
import { inputOf } from "./mutate.ts";
import { bytesOf, type FuzzTarget } from "./target.ts";
import { fuzzTargets } from "./targets.ts";

/** `npm run fuzz` tries more. */
const inputs = 40;

test.each(fuzzTargets.map((target) => [target.name, target] as const))("%s", async (_name, target) => {
  const wrong: string[] = [];
  for (const begin of target.begins) {
    const fault = await faultOf(target, begin);
    if (fault !== null) wrong.push(`as it is: ${fault}`);
  }
  for (let number = 0; number < inputs; number++) {
    const fault = await faultOf(target, inputOf(target, 1, number));
    if (fault !== null) wrong.push(`number ${number}: ${fault}`);
  }
  for (const [what, input] of findings[target.name] ?? []) {
    const fault = await faultOf(target, Buffer.from(input, "base64"));
    if (fault !== null) wrong.push(`${what}: ${fault}`);
  }
  expect(wrong).toEqual([]);
});

test("findings are of targets that there are", () => {
  const names = fuzzTargets.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(Object.keys(findings).filter((name) => !names.includes(name))).toEqual([]);
});

test("what is wrong is found, made small, and is the same by its number", async () => {
  const faulty: FuzzTarget = {
    name: "faulty",
    begins: [bytesOf("all is well")],
    words: [bytesOf("evil")],
    take: (input) => {
      if (Buffer.from(input).includes("evil")) throw new RangeError("evil was read");
    },
  };
  let number = 0;
  while ((await faultOf(faulty, inputOf(faulty, 7, number))) === null) number++;
  const input = inputOf(faulty, 7, number);
  expect(inputOf(faulty, 7, number)).toEqual(input);
  expect(Buffer.from(await shrunk(faulty, input)).toString()).toBe("evil");
  expect(await faultOf(faulty, input)).toBe("RangeError: evil was read");
});

test("one that spoils every object is found out", async () => {
  const name = "spoilt";
  const spoiling: FuzzTarget = {
    name: "spoiling",
    begins: [new Uint8Array(1)],
    words: [],
    take: () => void Object.assign(Object.prototype, { [name]: true }),
  };
  try {
    expect(await faultOf(spoiling, new Uint8Array(1))).toBe(
      "every object has members that it should not have",
    );
  } finally {
    Reflect.deleteProperty(Object.prototype, name);
  }
});
