import { expect, test } from "vitest";
import { lookup } from "../../operators/lookup/lookup.ts";
import { operators } from "./cold-chain.fixture.ts";
import { connectionNameWarnings } from "./connection-names.ts";
import { loadPipeline } from "./load.ts";

function warningsOf(source: string, sink: string, dead: string, known: readonly string[]): string[] {
  const text = `name: p
source: { nats: { subject: a, to: ${source} }, schema: { n: string } }
steps:
  - lookup: { table: { kv: { bucket: t, to: ${sink} } }, on: n, add: { limit: float64 } }
  - sink: { nats: { subject: b, to: ${sink} } }
dead_letter: { nats: { subject: c, to: ${dead} } }
`;
  const { plan } = loadPipeline({ file: "p.yaml", content: text, catalogue: [...operators, lookup] });
  return connectionNameWarnings({ file: "p.yaml", text }, plan!, known).map(
    ({ line, column, message, hint, severity }) => `${line}:${column} ${severity} ${message} | ${hint}`,
  );
}

test("a connection that is named nearly like one of the device's is told, wherever it stands", () => {
  expect(warningsOf("egde", "clod", "cloud", ["default", "cloud", "edge"])).toEqual([
    "2:35 warning the device's weir.yaml names no connection egde | did you mean edge?",
    "4:45 warning the device's weir.yaml names no connection clod | did you mean cloud?",
    "5:37 warning the device's weir.yaml names no connection clod | did you mean cloud?",
  ]);
});

test("one that is like none may come from the command line", () => {
  expect(warningsOf("default", "azure", "cloud", ["default", "cloud"])).toEqual([]);
});
