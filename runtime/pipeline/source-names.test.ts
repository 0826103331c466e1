// Steps that speak of a source that there is not.

import { expect, test } from "vitest";
import { catalog } from "../../operators/catalog.ts";
import { loadPipeline } from "./load.ts";

function toldOf(step: string, sources = ["temp", "door"]): readonly string[] {
  const several = sources.map(
    (name) =>
      `  ${name}: { nats: { subject: ${name} }, schema: { ts: time, d: string, x: float64 }, time: { field: ts } }`,
  );
  const content = `name: p
sources:
${several.join("\n")}
limits: { rate: 10/s }
steps:
  - ${step}
  - sink: { stdout: {} }
`;
  const { plan, diagnostics } = loadPipeline({ file: "p.yaml", content, catalogue: catalog });
  expect(plan).not.toBeNull();
  const lines = content.split("\n");
  return diagnostics.map(({ line, column, length, severity, message, hint }) => {
    const marked = lines[line - 1]!.slice(column - 1, column - 1 + length);
    return `${severity} [${marked}] ${message} | ${hint}`;
  });
}

const select = "select: { x: temp.x }, age: 1m, by: d";
const about = "there is no source dor: no record is of it | did you mean door?";

test.each([
  [`align: { inputs: [temp, door], ${select} }`, []],
  [`align: { inputs: [temp, dor], ${select} }`, [`warning [dor] ${about}`]],
  [
    `align: { inputs: { temp: source == "temp", d: source == "dor" && x > 1 }, ${select} }`,
    [`warning [source == "dor" && x > 1] ${about}`],
  ],
  [`filter: source != 'dor' || x > 1`, [`warning [source != 'dor' || x > 1] ${about}`]],
  [`filter: source == "door"`, []],
  [`set: { a: source }`, []],
])("%s", (step, told) => {
  expect(toldOf(step)).toEqual(told);
});
