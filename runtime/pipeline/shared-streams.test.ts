// Pipelines that are right by themselves and in each other's way.

import { describe, expect, it } from "vitest";
import { operators } from "./cold-chain.fixture.ts";
import { loadPipeline } from "./load.ts";
import { sharedStreamFaults, type WrittenPipeline } from "./shared-streams.ts";

function pipeline(name: string, ...rest: readonly string[]): WrittenPipeline {
  const text = [`name: ${name}`, "source: { nats: { subject: in }, format: json }", ...rest, ""].join("\n");
  const { spec } = loadPipeline({ file: `${name}.yaml`, content: text, catalogue: operators });
  return { file: `${name}.yaml`, text, spec: spec! };
}

const sink = (settings: string): string[] => ["steps:", `  - sink: { nats: { subject: out, ${settings} } }`];

const faultsOf = (...pipelines: readonly WrittenPipeline[]): string[] =>
  sharedStreamFaults(pipelines)
    .flat()
    .map(({ file, line, column, message }) => `${file}:${line}:${column} ${message}`);

const also = (who: string): string =>
  `${who} writes to this stream as well, and this sink needs it for itself`;

describe("streams that several write to", () => {
  it("are told at each sink that wants them, with the cure", () => {
    const faults = sharedStreamFaults([
      pipeline("a", ...sink("stream: S")),
      pipeline("b", ...sink("stream: T")),
      pipeline("c", ...sink("delivery: exclusive, stream: S")),
    ]);
    expect(faults.map((each) => each.length)).toEqual([1, 0, 1]);
    expect(faults[0]![0]).toMatchObject({
      file: "a.yaml",
      line: 4,
      column: 43,
      length: 1,
      message: also("pipeline c"),
      hint: expect.stringContaining("`delivery: subject`"),
      severity: "error",
    });
  });

  it.each(["subject", "lane", "message_id"])("may be shared where all say so (%s)", (delivery) => {
    const shared = sink(`stream: S, delivery: ${delivery}`);
    expect(faultsOf(pipeline("a", ...shared), pipeline("b", ...shared))).toEqual([]);
    expect(faultsOf(pipeline("a", ...shared), pipeline("b", ...sink("stream: S")))).toEqual([
      `b.yaml:4:43 ${also("pipeline a")}`,
    ]);
  });

  it("are streams of one connection", () => {
    expect(
      faultsOf(pipeline("a", ...sink("stream: S")), pipeline("b", ...sink("stream: S, to: cloud"))),
    ).toEqual([]);
  });

  it("are no matter among sinks of one pipeline that are delivered alike", () => {
    const branches = (delivery: string): string[] => [
      "steps:",
      "  - branch:",
      "      one: [{ sink: { nats: { subject: out.one, stream: S } } }]",
      `      two: [{ sink: { nats: { subject: out.two, stream: S${delivery} } } }]`,
      "dead_letter: { nats: { subject: dlq, stream: S } }",
    ];
    expect(faultsOf(pipeline("a", ...branches("")))).toEqual([]);
    expect(faultsOf(pipeline("a", ...branches(", delivery: subject")))).toEqual([
      `a.yaml:5:57 ${also("another sink of it")}`,
      `a.yaml:7:46 ${also("another sink of it")}`,
    ]);
  });
});
