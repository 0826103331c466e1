// What is said of a `ttl` by which a step forgets the keys whose silence it waits for.

import { expect, test } from "vitest";
import { catalog } from "../../operators/catalog.ts";
import { loadPipeline } from "./load.ts";

function toldOf(step: string, keys: string, limits = ""): readonly string[] {
  const content = `name: p
source: { nats: { subject: a }, schema: { d: string, ts: time, x: float64 }, time: { field: ts } }
limits: { ${limits} }
steps:
  - ${step}
    keys: { max: 10${keys} }
  - sink: { stdout: {} }
`;
  const { plan, diagnostics } = loadPipeline({ file: "p.yaml", content, catalogue: catalog });
  expect(plan).not.toBeNull();
  return diagnostics.map(({ line, column, severity, message, hint }) =>
    [`${severity} ${line}:${column}`, message, hint].join(" | "),
  );
}

const about = (name: string): string =>
  `${name} forgets a key that is silent before a row of it is due: it has none then | write a ttl that is no shorter`;

test.each([
  ["absence: { by: d, for: 10m }", ", ttl: 9m", "", [`warning 6:22 | ${about("absence")}`]],
  ["hold: { by: d, when: x > 1, for: 10m }", ", ttl: 1m", "", [`warning 6:22 | ${about("hold")}`]],
  [
    "hold: { by: d, when: x > 1, for: 10m, again: 1h }",
    ", ttl: 30m",
    "",
    [`warning 6:22 | ${about("hold")}`],
  ],
  ["absence: { by: d, for: 10m }", "", "keys: { ttl: 1m }", [`warning 3:19 | ${about("absence")}`]],
  // The step's own says it.
  ["absence: { by: d, for: 10m }", ", ttl: 1d", "keys: { ttl: 1m }", []],
  // A key that is due is done before it is forgotten.
  ["absence: { by: d, for: 10m }", ", ttl: 10m", "", []],
  ["absence: { by: d, for: 10m }", "", "", []],
  ["window: { tumbling: 1h, by: d, select: { n: count() } }", ", ttl: 1m", "", []],
])("%s with %s %s", (step, keys, limits, told) => {
  expect(toldOf(step, keys, limits)).toEqual(told);
});

test("a step without a key has none to forget", () => {
  expect(toldOf("absence: { for: 10m }", ", ttl: 1m").join()).not.toContain("before a row of it is due");
});
