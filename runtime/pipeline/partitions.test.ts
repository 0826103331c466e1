// Pipelines of partitioned streams: one partition's own spec, and what keeps partitions apart or does not.

import { expect, test } from "vitest";
import { catalog } from "../../operators/catalog.ts";
import { loadPipeline } from "./load.ts";

const base = {
  placement: "placement: { partitions: 12, workers: { max: 4 } }",
  source:
    "source: { nats: { subject: 'p.{partition}.s.{mote}', stream: S }, format: json, schema: { n: float64, device: string } }",
  steps: "steps:\n  - sink: { nats: { subject: 'c.{mote}', stream: C, delivery: subject } }",
};

function load(parts: Partial<typeof base>, partition?: number): ReturnType<typeof loadPipeline> {
  const { placement, source, steps } = { ...base, ...parts };
  const content = ["name: climate", placement, source, steps, ""].join("\n");
  const which = partition === undefined ? {} : { partition };
  return loadPipeline({ file: "p.yaml", content, catalogue: catalog, ...which });
}

const steps = (...lines: readonly string[]): { steps: string } => ({
  steps: ["steps:", ...lines.map((line) => `  - ${line}`)].join("\n"),
});
const sink = "sink: { nats: { subject: up, stream: C, delivery: lane } }";

test("a partition is the same pipeline under a name of its own, with one partition to read", () => {
  const whole = load({});
  const one = load({}, 3);
  expect([whole.diagnostics, one.diagnostics]).toEqual([[], []]);
  expect([whole.plan?.name, one.plan?.name]).toEqual(["climate", "climate~3"]);
  const [ofWhole, ofOne] = [whole, one].map(({ plan }) => plan!.inputs[0]!);
  expect([ofWhole!.spec.source, ofOne!.spec.source]).toMatchObject([{ partition: null }, { partition: 3 }]);
  // The number stays a column.
  expect(ofOne!.subjectFields).toEqual(ofWhole!.subjectFields);
  expect(one.plan!.schema.fields.map(({ name }) => name)).toContain("mote");
  expect(load({}, 12).plan?.name).toBe("climate");
  expect(load({ placement: "", source: base.source.replace("{partition}", "*") }, 0).plan?.name).toBe(
    "climate",
  );
});

test.each<[what: string, parts: Partial<typeof base>, message: RegExp, hint: RegExp]>([
  ["a token alone", { placement: "" }, /nothing says how many partitions/, /partitions: 12/],
  [
    "no token",
    { source: base.source.replace("{partition}", "*") },
    /no token \{partition\}/,
    /p\.\{partition\}\.p\.\*/,
  ],
  [
    "no stream",
    { source: base.source.replace(", stream: S", "") },
    /core NATS keeps nothing/,
    /add the stream/,
  ],
  [
    "a consumer for all",
    { source: base.source.replace("stream: S", "stream: S, consumer: c") },
    /a consumer of its own/,
    /remove/,
  ],
  [
    "a file to read",
    { source: "source: { file: { path: a.ndjson } }", ...steps(sink) },
    /a file has no partitions/,
    /remove/,
  ],
  [
    "a file to write",
    steps("sink: { file: { path: a.ndjson }, format: json }"),
    /write to this file/,
    /nats/,
  ],
  [
    "a stream that each would need",
    steps("sink: { nats: { subject: c, stream: C } }"),
    /need this stream for itself/,
    /`delivery: lane`/,
  ],
  [
    "a subject that each would need",
    steps("sink: { nats: { subject: c, stream: C, delivery: subject } }"),
    /need this subject for itself/,
    /put \{partition\}/,
  ],
  [
    "a key that each would need",
    steps("sink: { nats: { subject: c, stream: C, delivery: bucket } }"),
    /need this key for itself/,
    /put \{partition\}/,
  ],
  [
    "a dead letter's stream",
    { steps: `${base.steps}\ndead_letter: { nats: { subject: d, stream: D } }` },
    /need this stream for itself/,
    /`delivery: lane`/,
  ],
  [
    "workers without partitions",
    { placement: "placement: { workers: { max: 2 } }", source: base.source.replace("{partition}", "*") },
    /only partitions/,
    /add partitions/,
  ],
])("%s is told with its cure", (_what, parts, message, hint) => {
  const { plan, diagnostics } = load(parts);
  expect(plan).toBeNull();
  expect(diagnostics).toEqual([
    expect.objectContaining({
      severity: "error",
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    }),
  ]);
});

test("partitions that were refused are told once", () => {
  const { diagnostics } = load({ placement: "placement: { partitions: 0 }" });
  expect(diagnostics).toHaveLength(1);
});

test.each<[steps: string, message: RegExp | null]>([
  ["window: { tumbling: 1m, by: mote, select: { n: count() } }", null],
  ["window: { tumbling: 1m, by: [partition, device], select: { m: count() } }", null],
  ["filter: n > 1", null],
  ["reorder: {}", null],
  ["window: { tumbling: 1m, select: { n: count() } }", /each partition has a window of its own/],
  [
    "window: { tumbling: 1m, by: device, select: { m: count() } }",
    /records of one device may be in several partitions/,
  ],
])("%s: keys that are spread are told, where it is seen", (step, message) => {
  const { plan, diagnostics } = load(steps(step, sink));
  expect(plan).not.toBeNull();
  const told =
    message === null
      ? []
      : [expect.objectContaining({ severity: "warning", message: expect.stringMatching(message) })];
  expect(diagnostics).toEqual(told);
});

test("subjects by nothing that tells partitions apart are told", () => {
  const { plan, diagnostics } = load(
    steps("sink: { nats: { subject: 'c.{device}', stream: C, delivery: subject } }"),
  );
  expect(plan).not.toBeNull();
  expect(diagnostics).toMatchObject([
    { severity: "warning", message: expect.stringMatching(/several partitions/) },
  ]);
});
