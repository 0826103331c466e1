// Pipelines that are right by themselves and called the same.

import { expect, it } from "vitest";
import { operators } from "./cold-chain.fixture.ts";
import { loadPipeline } from "./load.ts";
import { sameNameFaults } from "./same-names.ts";
import type { WrittenPipeline } from "./shared-streams.ts";

function pipeline(file: string, name: string): WrittenPipeline {
  const text = `about: x\nname: ${name}\nsource: { nats: { subject: in }, format: json }\nsteps: [{ sink: { stdout: {} } }]\n`;
  const { spec } = loadPipeline({ file, content: text, catalogue: operators });
  return { file, text, spec: spec! };
}

it("are told at each but the first of a folder, with its file", () => {
  const faults = sameNameFaults([
    pipeline("site/a.yaml", "press"),
    pipeline("site/b.yaml", "oven"),
    pipeline("./site/c.yaml", "press"),
  ]);
  expect(faults.map((each) => each.length)).toEqual([0, 0, 1]);
  expect(faults[2]![0]).toMatchObject({
    file: "./site/c.yaml",
    line: 2,
    column: 7,
    length: 5,
    message: "site/a.yaml is called press as well",
    severity: "error",
  });
});

it("are nobody's fault where they lie in other folders, or are one file", () => {
  const faults = sameNameFaults([
    pipeline("east/a.yaml", "press"),
    pipeline("west/a.yaml", "press"),
    pipeline("./west/a.yaml", "press"),
  ]);
  expect(faults).toEqual([[], [], []]);
});
