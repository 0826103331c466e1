// What keeps a pipeline from taking along what it keeps is told where it stands.

import { expect, test } from "vitest";
import { catalog } from "../../operators/catalog.ts";
import { loadPipeline } from "./load.ts";

const stream = "nats: { subject: s.a, stream: S }";
const out = "nats: { subject: o, stream: O }";

function load(source: string, sink: string, placement = "{ carry_state: true }"): readonly string[] {
  const content = `name: a
placement: ${placement}
source: { ${source}, format: json, schema: { n: float64 } }
steps:
  - sink: { ${sink}, format: json }
`;
  return loadPipeline({ file: "p.yaml", content, catalogue: catalog }).diagnostics.map(
    ({ line, message, hint }) => `${line}: ${message}; ${hint}`,
  );
}

test.each([
  ["streams", stream, out, []],
  [
    "core NATS",
    "nats: { subject: s.a, journal: true }",
    out,
    [
      "3: core NATS keeps nothing for the time in which it is on its way to its next host; add the stream that has these subjects, or remove carry_state from placement",
    ],
  ],
  [
    "a file",
    "file: { path: a.ndjson }",
    out,
    [
      "3: its next host would not find what a file has given before; read a stream of NATS, or remove carry_state from placement",
    ],
  ],
  [
    "to a file",
    stream,
    "file: { path: b.ndjson }",
    [
      "5: its next host would not find what is in this file; send the rows to nats, or remove carry_state from placement",
    ],
  ],
])("%s", (_what, source, sink, told) => {
  expect(load(source, sink)).toEqual(told);
  expect(load(source, sink, "{}")).toEqual([]);
});
