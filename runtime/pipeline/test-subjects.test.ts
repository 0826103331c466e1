// Subjects of tests that the source does not read.

import { expect, test } from "vitest";
import { catalog } from "../../operators/catalog.ts";
import { loadPipeline } from "./load.ts";

const alone = `source: { nats: { subject: "plant.{line}.press" }, schema: { x: float64 } }`;
const several = `sources:
  a: { nats: { subject: "plant.a.>" }, schema: { x: float64 } }
  b: { file: { path: b.ndjson }, schema: { x: float64 } }`;

test.each([
  [alone, "{ subject: plant.a.presse, record: { x: 1 } }", "plant.{line}.press"],
  [alone, "{ subject: plant.press, raw: x }", "plant.{line}.press"],
  [alone, '{ subject: "plant.*.press", record: { x: 1 } }', "plant.{line}.press"],
  [alone, "{ subject: plant.a.press, record: { x: 1 } }", null],
  [alone, "{ x: 1 }", null],
  [several, "{ source: a, subject: plant.b.x, record: { x: 1 } }", "plant.a.>"],
  [several, "{ source: a, subject: plant.a.x.y, record: { x: 1 } }", null],
  // A file has no subjects.
  [several, "{ source: b, subject: any.where, record: { x: 1 } }", null],
])("%s with %s", (source, item, read) => {
  const content = `name: p
${source}
steps: [{ sink: { stdout: {} } }]
tests:
  - name: t
    input:
      - ${item}
`;
  const { plan, diagnostics } = loadPipeline({ file: "p.yaml", content, catalogue: catalog });
  expect(plan).not.toBeNull();
  expect(diagnostics.map(({ severity, message }) => `${severity} ${message}`)).toEqual(
    read === null ? [] : [`warning the source reads ${read}: this would never come`],
  );
  const line = content.split("\n")[(diagnostics[0]?.line ?? 1) - 1]!;
  if (read !== null) expect(line.slice(diagnostics[0]!.column - 1)).toMatch(/^"?plant/);
});
