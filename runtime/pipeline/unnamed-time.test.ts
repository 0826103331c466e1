// A time field that the schema does not name: what may be so, and what cannot be meant.

import { expect, test } from "vitest";
import { operators } from "./cold-chain.fixture.ts";
import { loadPipeline } from "./load.ts";

test.each([
  ["schema: { temp: float64 }", []],
  [
    "schema: { ts: time, at: time }",
    [
      "warning: the schema has no field created | write ts or at; or, where records hold created as well, add it: created: time",
    ],
  ],
  ["schema: { createt: time }", ["error: the schema has no field created | did you mean createt?"]],
  [
    "format: csv, schema: { temp: float64 }",
    [
      "error: the schema has no field created | it names the columns of a message of csv: add the time where it stands",
    ],
  ],
])("beside %s", (source, mistakes) => {
  const content = `name: p
source: { nats: { subject: a }, ${source}, time: { field: created } }
steps: [{ sink: { stdout: {} } }]
`;
  const { diagnostics } = loadPipeline({ file: "p.yaml", content, catalogue: operators });
  expect(diagnostics.map(({ severity, message, hint }) => `${severity}: ${message} | ${hint}`)).toEqual(
    mistakes,
  );
});
