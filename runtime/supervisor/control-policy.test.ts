// What a control centre allows, by table.

import { expect, test } from "vitest";
import { openPolicy, type Policy, refusal } from "./control-policy.ts";
import type { Device } from "./device.ts";

const gateway: Device = {
  id: "gateway",
  location: "",
  labels: { site: "north" },
  capacity: { cpu: 2, memory: 1_000, workers: 1 },
  subjects: [],
  runs: [],
  revision: "1",
  since: "",
  last_contact: "",
};

const policy: Policy = {
  lost_after: 30_000,
  allow: [
    {
      users: ["ada"],
      pipelines: ["climate-*", "*-door-*"],
      labels: { site: "north" },
      processors: 0.5,
      memory: 100,
    },
    { users: ["bob"], labels: { site: "south" } },
    { users: ["operator"] },
  ],
};

test("one rule that fits is enough, and a refusal says what does not", () => {
  const small = { processors: 0.1, memory_bytes: 10 };
  const cases = [
    ["ada", "climate-1", small, null],
    ["ada", "a-door-b", small, null],
    ["ada", "climate", small, "user ada may not deploy a pipeline called climate"],
    ["ada", "door-b", small, "user ada may not deploy a pipeline called door-b"],
    [
      "ada",
      "climate-1",
      { ...small, processors: 1 },
      "climate-1 asks for more than user ada may give one pipeline",
    ],
    ["bob", "climate-1", small, "user bob may not deploy climate-1 to gateway, because of its labels"],
    ["eve", "climate-1", small, "user eve may deploy nothing"],
    ["operator", "any", { processors: 2, memory_bytes: 10 }, null],
    ["operator", "any", { processors: 2.1, memory_bytes: 10 }, "gateway has no room for any"],
  ] as const;
  for (const [user, pipeline, demand, expected] of cases)
    expect([user, pipeline, refusal(policy, { user, pipeline, demand, wants: {} }, gateway, [])]).toEqual([
      user,
      pipeline,
      expected,
    ]);
  const taken = [{ processors: 1.95, memory_bytes: 0 }];
  expect(
    refusal(openPolicy, { user: "eve", pipeline: "p", demand: small, wants: {} }, gateway, taken),
  ).toContain("no room");
});

test("a pipeline comes only where the labels are that it wants", () => {
  const wish = { user: "eve", pipeline: "p", demand: { processors: 0, memory_bytes: 0 } };
  expect(refusal(openPolicy, { ...wish, wants: { site: "north" } }, gateway, [])).toBeNull();
  expect(refusal(openPolicy, { ...wish, wants: { site: "south", line: "b" } }, gateway, [])).toBe(
    "p wants site=south, line=b, which gateway is not",
  );
});
