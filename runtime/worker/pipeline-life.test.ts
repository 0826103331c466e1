// What a worker makes of a name that it is assigned: a pipeline as a whole, or one partition of it.

import { expect, test } from "vitest";
import { revisionOf } from "../assignment.ts";
import { VirtualClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { limits } from "../limits.ts";
import { checkPipeline, PipelineLife, type PipelineSurroundings } from "./pipeline-life.ts";

const whole = `name: climate
source: { nats: { subject: "p.{partition}.s.{mote}", stream: S }, format: json, schema: { n: float64 } }
steps:
  - sink: { nats: { subject: up, stream: UP, delivery: lane } }
`;
const partitioned = `${whole}placement: { partitions: 4 }\n`;

function check(name: string, text: string): ReturnType<typeof checkPipeline> {
  return checkPipeline({ name, text, file: "/p/climate.yaml", revision: revisionOf(text), attempt: 1 }, {});
}

test("a partition is read by itself, and its threads would make the same of it", async () => {
  const { pipeline } = await check("climate~3", partitioned);
  expect(pipeline?.plan?.name).toBe("climate~3");
  expect(pipeline?.plan?.inputs[0]?.spec.source).toMatchObject({ partition: 3 });
  expect(pipeline?.input).toMatchObject({ partition: 3 });
  expect((await check("climate", partitioned)).pipeline?.plan?.inputs[0]?.spec.source).toMatchObject({
    partition: null,
  });
});

test.each([
  ["climate~4", partitioned],
  ["climate~0", whole.replace("{partition}", "*")],
  ["weather~0", partitioned],
])("%s is none of that file's", async (name, text) => {
  const { pipeline, fault } = await check(name, text);
  expect(pipeline).toBeNull();
  expect(fault).toContain(`it was assigned as ${name}`);
});

test("why it failed is told in short, however much an operator says", () => {
  const said: string[] = [];
  const log = { ...silentLog, error: (text: string) => void said.push(text) };
  const surroundings = { clock: new VirtualClock(), log } as unknown as PipelineSurroundings;
  const life = new PipelineLife(
    { name: "a", revision: "1", attempt: 1, file: "/a.yaml", text: "" },
    surroundings,
  );
  life.refuse("x".repeat(2_000_000));
  expect(life.fault).toHaveLength(limits.pipeline_fault_characters_max);
  expect(said.join("").length).toBeLessThan(limits.pipeline_fault_characters_max + 10);
});
