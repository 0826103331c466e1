import { expect, test } from "vitest";
import { operators } from "./cold-chain.fixture.ts";
import { loadPipeline } from "./load.ts";

function warned(schema: string): string[] {
  const content = `name: p
source:
  nats: { subject: a }
  schema: { ${schema} }
steps: [{ sink: { stdout: {} } }]
`;
  const { diagnostics } = loadPipeline({ file: "p.yaml", content, catalogue: operators });
  expect(
    diagnostics.every(({ severity, hint }) => severity === "warning" && hint?.includes("framing: array")),
  ).toBe(true);
  return diagnostics.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

test("a field that looks into a list is told, because it would be null in every record", () => {
  expect(warned('"devices[0].id": int64, "devices.0.values.12": float64')).toEqual([
    "4:13 devices[0].id is read by its name alone, not out of a list",
    "4:37 devices.0.values.12 is read by its name alone, not out of a list",
  ]);
});

test("names with units and numbers in them are names", () => {
  expect(warned('"temp [C]": float64, state.temperature2: float64, "T-100.1a": float64')).toEqual([]);
});
