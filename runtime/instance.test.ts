// Names of partitions: what they stand for, and that no pipeline has one of them.

import fc from "fast-check";
import { expect, test } from "vitest";
import { instanceName, instanceOf, isInstanceName } from "./instance.ts";
import { nameSetting } from "./pipeline/spec.ts";

test("a name says its pipeline and its partition, and none is a pipeline's own", () => {
  const names = fc.stringMatching(/^[a-z0-9_-]{1,64}$/);
  fc.assert(
    fc.property(names, fc.nat(999), (pipeline, partition) => {
      const name = instanceName(pipeline, partition);
      expect(instanceOf(name)).toEqual({ pipeline, partition });
      expect(instanceOf(pipeline)).toEqual({ pipeline, partition: null });
      expect([isInstanceName(name), isInstanceName(pipeline)]).toEqual([true, true]);
      expect(nameSetting.safeParse(name).success).toBe(false);
    }),
  );
});

test.each([
  "",
  "constructor",
  "__proto__",
  "constructor~1",
  "a~",
  "~1",
  "a~01",
  "a~1~2",
  "a~-1",
  "A~1",
  "a~1000",
  "../a~1",
])("%j names nothing", (name) => {
  expect(isInstanceName(name)).toBe(false);
});
