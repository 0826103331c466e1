// Windows that put together what the subject tells apart: told where it is not plainly meant.

import { expect, it } from "vitest";
import { catalog } from "../../operators/catalog.ts";
import { loadPipeline } from "./load.ts";

it.each<[what: string, subject: string, steps: readonly string[], isTold: boolean]>([
  ["a token that nothing uses", "s.{device}", ["window: { tumbling: 1m, select: { n: count() } }"], true],
  ["a key", "s.{device}", ["window: { tumbling: 1m, by: device, select: { n: count() } }"], false],
  ["no token", "s.*", ["window: { tumbling: 1m, select: { n: count() } }"], false],
  [
    "an aggregate of it",
    "s.{device}",
    ["window: { tumbling: 1m, select: { n: count_distinct(device) } }"],
    false,
  ],
  [
    "a filter by it",
    "s.{device}",
    ['filter: device != "a"', "window: { tumbling: 1m, select: { n: count() } }"],
    false,
  ],
  ["no window", "s.{device}", ["filter: v > 1"], false],
])("%s", (_what, subject, steps, isTold) => {
  const content = [
    "name: p",
    `source: { nats: { subject: "${subject}" }, format: json, schema: { v: float64 } }`,
    "steps:",
    ...[...steps, "sink: { stdout: {} }"].map((step) => `  - ${step}`),
  ].join("\n");
  const { plan, diagnostics } = loadPipeline({ file: "p.yaml", content, catalogue: catalog });
  expect(plan).not.toBeNull();
  const told = {
    severity: "warning",
    message: "this window puts every device of the subject together",
    hint: expect.stringContaining("add by: device"),
  };
  expect(diagnostics).toEqual(isTold ? [expect.objectContaining(told)] : []);
});
