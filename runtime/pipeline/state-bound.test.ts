// The memory of state: what each step may take, with its arithmetic, and each refusal with its place and cure.

import { describe, expect, it } from "vitest";
import { operators } from "./cold-chain.fixture.ts";
import { explainPlan } from "./explain.ts";
import { type Loaded, loadPipeline } from "./load.ts";
import { sizeText } from "./state-bound.ts";

/** `lateness` of 30 s, and a schema with a column of every type that a key may be of. */
function load(steps: string, rest = ""): Loaded {
  const content = `name: p
source:
  nats: { subject: a }
  schema: { device: string, ts: time, temp: float64, door: bool, seq: int64, tags: json }
  time: { field: ts, lateness: 30s }
steps:
${steps}
  - sink: { stdout: {} }
${rest}`;
  return loadPipeline({ file: "p.yaml", content, catalogue: operators });
}

function arithmeticsOf(steps: string, rest = ""): readonly string[] {
  const { plan, diagnostics } = load(steps, rest);
  expect(diagnostics).toEqual([]);
  return explainPlan(plan!).steps.flatMap(({ state }) => (state === null ? [] : [state.arithmetic]));
}

const rate = "limits: { rate: 100/s }";

describe("what a step may take", () => {
  it.each([
    [
      "tumbling windows: those that lateness keeps open, and the one that begins",
      "  - window: { tumbling: 1m, by: device, select: { n: count() } }",
      "",
      "100000 keys × 112 B + 100000 keys × 2 windows × 32 B = 16.8 MiB",
    ],
    [
      "short ones: as many as fit into the lateness",
      "  - window: { tumbling: 10s, by: device, select: { n: count() } }\n    keys: { max: 500 }",
      "",
      "500 keys × 112 B + 500 keys × 4 windows × 32 B = 117 KiB",
    ],
    [
      "overlapping ones: their slices, what each window holds so far, and a running total",
      "  - window: { hopping: { size: 60s, every: 2s }, by: device, select: { n: count() } }",
      "limits: { keys: { max: 1000 } }",
      "1000 keys × 112 B + 1000 keys × 45 windows × 32 B + 1000 keys × 30 windows × 32 B + 1000 keys × 1 window × 32 B = 2.4 MiB",
    ],
    [
      "no key is one",
      "  - window: { tumbling: 1m, select: { n: count() } }",
      "",
      "1 key × 2 windows × 32 B = 64 B",
    ],
    [
      "a key of true, false and null",
      "  - window: { tumbling: 1m, by: door, select: { n: count() } }",
      "",
      "3 keys × 56 B + 3 keys × 2 windows × 32 B = 360 B",
    ],
    [
      "sketches at their largest",
      "  - window: { tumbling: 1m, by: device, select: { p: quantile(temp, 0.5), q: quantile(temp, 0.9) } }\n    keys: { max: 10 }",
      "",
      "10 keys × 112 B + 10 keys × 2 windows × 32848 B = 643 KiB",
    ],
    [
      "sliding windows: a part for each record, as many as come",
      "  - window: { sliding: 70s, by: device, select: { n: count() } }\n    keys: { max: 10 }",
      rate,
      "10 keys × 112 B + 10 keys × 1 part × 64 B + 17000 records × 64 B = 1 MiB",
    ],
    [
      "sessions, with or without max",
      "  - window: { session: { gap: 15s }, by: device, select: { n: count() } }\n    keys: { max: 10 }",
      "",
      "10 keys × 112 B + 10 keys × 4 parts × 72 B = 3.9 KiB",
    ],
    [
      "more parts than a table takes",
      "  - window: { session: { gap: 1ms }, by: device, emit: { updates: 1h }, select: { n: count() } }",
      "limits: { memory: 1GiB }",
      "100000 keys × 112 B + 4000000 parts × 72 B = 285 MiB",
    ],
    [
      "counted windows",
      "  - window: { count: { n: 100, every: 10 }, by: device, select: { n: count() } }\n    keys: { max: 10 }",
      "",
      "10 keys × 112 B + 10 keys × 13 parts × 64 B = 9.2 KiB",
    ],
    [
      "a record that is held",
      "  - hold: { when: temp > 5, for: 1m, by: device }\n    keys: { max: 10 }",
      "",
      "10 keys × 152 B + 10 keys × 1 record × 592 B = 7.3 KiB",
    ],
    [
      "a number that declares its keys",
      "  - deadband: { value: temp, band: 1, by: [device, temp] }\n    keys: { max: 10 }",
      "",
      "10 keys × 136 B = 1.3 KiB",
    ],
    [
      "a whole number is a name",
      "  - deadband: { value: temp, band: 1, by: seq }",
      "",
      "100000 keys × 72 B = 6.9 MiB",
    ],
  ])("%s", (_name, steps, rest, expected) => {
    expect(arithmeticsOf(steps, rest)).toEqual([expected]);
  });

  it("all steps together, those of late branches too", () => {
    const { plan } = load(
      "  - window: { tumbling: 1m, by: device, select: { n: count() } }\n    late: [{ deadband: { value: temp, band: 1, by: device } }, { sink: { stdout: {} } }]",
    );
    const { state, steps, branches } = explainPlan(plan!);
    const parts = [steps[0]!.state!.bytes, branches[1]!.steps[0]!.state!.bytes];
    expect(state).toEqual({ bytes: parts[0]! + parts[1]!, allowed: 268_435_456 });
    expect(branches[1]).toMatchObject({ name: "late", lateOf: "1 window" });
  });
});

describe("where the file does not say how many keys there are", () => {
  const quantile = "  - window: { tumbling: 1m, by: device, select: { p99: quantile(temp, 0.99) } }";

  it("as many are remembered as fit", () => {
    expect(arithmeticsOf(quantile)).toEqual([
      "4079 keys × 112 B + 4079 keys × 2 windows × 32848 B = 256 MiB",
    ]);
    const two = `${quantile}\n  - deadband: { value: p99, band: 1, by: device }\n    keys: { max: 2000 }`;
    expect(arithmeticsOf(two)[1]).toBe("2000 keys × 128 B = 250 KiB");
    expect(load(two).diagnostics).toEqual([]);
  });

  it("hardly any is a mistake", () => {
    const [fault] = faultsOf(quantile, "limits: { memory: 1MiB }");
    expect(fault).toContain("the most is 1 MiB | lower keys.max to 15 beside window");
  });
});

/** Each mistake as line, column, the text under the caret, message and hint. */
function faultsOf(steps: string, rest = ""): string[] {
  const lines = ["", "", "", "", "", "", ...steps.split("\n")];
  return load(steps, rest).diagnostics.map(({ line, column, length, message, hint }) => {
    const marked = lines[line - 1]!.slice(column - 1, column - 1 + length);
    return `${line}:${column} [${marked}] ${message} | ${hint}`;
  });
}

const unbounded = "so that the keys have no bound";
const expectRate =
  "and how many come in that time has no bound | write how many are expected at most, at the top of the file: limits: { rate: 500/s }";

describe("refused", () => {
  it.each([
    [
      "  - deadband: { value: temp, band: 1, by: temp }",
      "",
      `7:5 [deadband] temp is a number and may take any value, ${unbounded} | write how many there are at most, beside deadband: keys: { max: 1000 }`,
    ],
    [
      "  - window: { tumbling: 1m, by: [device, ts], select: { n: count() } }",
      "",
      `7:5 [window] ts is a time and may take any value, ${unbounded} | write how many there are at most, beside window: keys: { max: 1000 }`,
    ],
    [
      "  - window: { sliding: 10s, select: { n: count() } }",
      "",
      `7:5 [window] each record is kept for 50 s, ${expectRate}`,
    ],
    [
      "  - window: { state: { open: door, close: temp > 5 }, select: { n: count() } }",
      "",
      `7:5 [window] each record is kept for 30 s, ${expectRate}`,
    ],
    [
      "  - window: { hopping: { size: 1h, every: 1m }, by: device, select: { mean: mean(temp) } }",
      "limits: { keys: { max: 100000 } }",
      "7:5 [window] its state may take 100000 keys × 112 B + 100000 keys × 61 windows × 48 B + 100000 keys × 60 windows × 48 B + 100000 keys × 1 window × 48 B = 569 MiB; the most is 256 MiB | lower keys.max to 44979 beside window, or raise limits.memory to 570MiB",
    ],
    [
      "  - window: { sliding: 70s, select: { n: count() } }",
      "limits: { rate: 100/s, memory: 64KiB }",
      "7:5 [window] its state may take 1 key × 1 part × 64 B + 17000 records × 64 B = 1 MiB; the most is 64 KiB | let it keep less: shorter or fewer windows, a lower limits.rate, other aggregates, or raise limits.memory to 2MiB",
    ],
    [
      // What is kept for each record is too much by itself: no number of keys would do.
      "  - window: { sliding: 70s, by: device, select: { n: count(), kinds: top_k(device, 3) } }",
      "limits: { rate: 100/s, memory: 1MiB, keys: { max: 5 } }",
      "7:5 [window] its state may take 5 keys × 112 B + 5 keys × 1 part × 49256 B + 17000 records × 49256 B = 799 MiB; the most is 1 MiB | let it keep less: shorter or fewer windows, a lower limits.rate, other aggregates, or raise limits.memory to 799MiB",
    ],
    [
      "  - deadband: { value: temp, band: 1, by: device }\n  - hold: { when: temp > 5, for: 1m, by: device }",
      "limits: { memory: 50MiB, keys: { max: 100000 } }",
      "8:5 [hold] its state may take 100000 keys × 152 B + 100000 keys × 1 record × 592 B = 71 MiB, and the other steps take 12.2 MiB; the most is 50 MiB | lower keys.max to 53264 beside hold, or raise limits.memory to 84MiB",
    ],
    [
      // No step alone could keep little enough beside the others.
      "  - window: { hopping: { size: 1d, every: 2m }, by: device, select: { temp: mean(temp), n: count() } }\n  - window: { hopping: { size: 1d, every: 2m }, by: device, select: { temp: mean(temp), n: count() } }",
      "limits: { memory: 8MiB }",
      "7:5 [window] its state may take 100000 keys × 112 B + 100000 keys × 721 windows × 56 B + 100000 keys × 720 windows × 56 B + 100000 keys × 1 window × 56 B = 7.5 GiB, and the other steps take 7.5 GiB; the most is 8 MiB | write how many keys there are at most, at the top of the file: limits: { keys: { max: 51 } }, or raise limits.memory to 15424MiB",
    ],
    [
      "  - deadband: { value: temp, band: 1, by: tags }",
      "",
      "7:43 [tags] tags is of type json; expected string, float64, int64, bool or time: name a value inside it, such as tags.id, and declare it in the schema | null",
    ],
  ])("%#", (steps, rest, expected) => {
    expect(faultsOf(steps, rest)).toEqual([expected]);
  });

  it("every step that has no bound, at once", () => {
    const step = "  - window: { sliding: 10s, by: temp, select: { m: last(temp) } }";
    expect(faultsOf(`${step}\n${step}`)).toHaveLength(2);
  });

  it("what an operator cannot tell", () => {
    const broken = {
      ...operators.find(({ name }) => name === "deadband")!,
      name: "broken",
      state: () => {
        throw new Error("oh");
      },
    };
    const content =
      "name: p\nsource: { nats: { subject: a } }\nsteps:\n  - broken: { value: temp, band: 1 }\n  - sink: { stdout: {} }\n";
    const { diagnostics } = loadPipeline({ file: "p.yaml", content, catalogue: [broken] });
    expect(diagnostics).toMatchObject([{ line: 4, column: 5, message: "its state cannot be told: oh" }]);
  });
});

it.each([
  [1, "1 B"],
  [1023, "1023 B"],
  [1536, "1.5 KiB"],
  [268_435_456, "256 MiB"],
  [2 ** 50, "1024 TiB"],
])("%d bytes are %s", (bytes, text) => {
  expect(sizeText(bytes)).toBe(text);
});
