// What may stand beside an operator's word, and the section limits: what it says, and each mistake with
// its place, message and hint.

import { describe, expect, it } from "vitest";
import { operators } from "./cold-chain.fixture.ts";
import { readDocument } from "./document.ts";
import { readSpec, type SpecAnswer } from "./spec.ts";

function read(text: string): SpecAnswer {
  const { document, diagnostics } = readDocument("p.yaml", text);
  expect(diagnostics).toEqual([]);
  return readSpec(document!, operators);
}

/** Each mistake as line, column, the text under the caret, message and hint. */
function faultsOf(text: string): string[] {
  const lines = text.split("\n");
  return read(text).diagnostics.map(({ line, column, length, message, hint }) => {
    const marked = lines[line - 1]!.slice(column - 1, column - 1 + length);
    return `${line}:${column} [${marked}] ${message}${hint === null ? "" : ` | ${hint}`}`;
  });
}

const window = "window: { tumbling: 1m, by: device, select: { n: count() } }";
const late = "late: [{ sink: { stdout: {} } }]";

function withSteps(steps: string): string {
  return `name: p\nsource: { nats: { subject: a } }\nsteps:\n${steps}\n`;
}

function withLimits(limits: string): string {
  return `${withSteps("  - sink: { stdout: {} }")}limits: ${limits}\n`;
}

describe("what is declared", () => {
  it("of keys: as the step says, else as the pipeline says", () => {
    const steps = `  - ${window}\n    keys: { max: 5000, ttl: 1d, when_full: forget_oldest }\n  - sink: { stdout: {} }`;
    const { spec, diagnostics } = read(
      `${withSteps(steps)}limits: { keys: { max: 7 }, rate: 600/m, memory: 64MiB }\n`,
    );
    expect(diagnostics).toEqual([]);
    expect(spec!.steps[0]!.keys).toEqual({ max: 5000, ttl: 86_400_000, when_full: "forget_oldest" });
    expect(spec!.limits).toEqual({ keys: { max: 7 }, rate: 10, memory: 67_108_864 });
  });

  it("of late records: one more branch, fed by the step", () => {
    const { spec, diagnostics } = read(withSteps(`  - ${late}\n    ${window}\n  - sink: { stdout: {} }`));
    expect(diagnostics).toEqual([]);
    expect(spec!.branches.map(({ name }) => name)).toEqual(["main", "late"]);
    expect(spec!.branches[1]!.lateOf).toBe(spec!.steps[0]);
    expect(spec!.branches[0]!.lateOf).toBeNull();
  });

  it("of late records in branches: named after them", () => {
    const inner = `[{ ${window}, ${late} }, { sink: { stdout: {} } }]`;
    const { spec, diagnostics } = read(
      withSteps(`  - ${window}\n    ${late}\n  - branch:\n      late: ${inner}\n      b: ${inner}`).replace(
        "late: [{ window",
        "a: [{ window",
      ),
    );
    expect(diagnostics).toEqual([]);
    expect(spec!.branches.map(({ name }) => name)).toEqual(["a", "b", "late", "a-late", "b-late"]);
  });
});

describe("mistakes beside an operator", () => {
  it.each([
    [
      `  - filter: x > 1\n    ${late}\n    keys: { max: 5 }\n  - sink: { stdout: {} }`,
      [
        "5:5 [late] filter has no late: it keeps nothing per key | it belongs beside a window or another keyed operator",
        "6:5 [keys] filter has no keys: it keeps nothing per key | remove it",
      ],
    ],
    [
      "  - sink: { stdout: {} }\n    keys: { max: 5 }",
      ["5:5 [keys] sink has no keys: it keeps nothing per key | remove it"],
    ],
    [
      `  - keys: { max: 5 }\n  - ${window}\n    key: { max: 5 }\n  - sink: { stdout: {} }`,
      [
        "4:5 [keys] keys without an operator | write it beside the operator's word",
        "6:5 [key] key stands beside window in one step | did you mean keys?",
      ],
    ],
    [
      "  - window: { count: { n: 2 }, select: { n: count() }, keys: { max: 5 } }\n  - sink: { stdout: {} }",
      ["4:56 [keys] unknown setting keys | write keys beside window, in the column that it begins in"],
    ],
    [
      `  - ${window}\n    late:\n      - filter: n > 1\n  - sink: { stdout: {} }`,
      ["6:9 [filter] the late branch ends without a sink | add a last step: - sink: { … }"],
    ],
    [
      `  - ${window}\n    late: { sink: { stdout: {} } }\n  - sink: { stdout: {} }`,
      ["5:5 [late] expected a list of steps | each step begins with a dash: - filter: …"],
    ],
    [
      `  - ${window}\n    ${late}\n  - ${window}\n    ${late}\n  - sink: { stdout: {} }`,
      [
        "7:5 [late] a second late branch in one chain, beside that of window | keep one of them; what window finds late does not reach this step",
      ],
    ],
    [
      `  - ${window}\n    late:\n      - ${window}\n        ${late}\n      - sink: { stdout: {} }\n  - sink: { stdout: {} }`,
      ["7:9 [late] a late branch inside a late branch | remove it: its records have been late already"],
    ],
    [
      `  - ${window}\n    late: [{ branch: { a: [{ sink: { stdout: {} } }] } }]\n  - sink: { stdout: {} }`,
      [
        "5:14 [branch] a branch inside a branch | write the inner branches beside the outer ones, with their steps repeated",
      ],
    ],
    [
      `  - ${window}\n    ${late}\n  - branch:\n      late: [{ sink: { stdout: {} } }]`,
      ["5:5 [late] this makes a branch late, and there is one already | rename the other"],
    ],
  ])("%#", (steps, expected) => {
    expect(faultsOf(withSteps(steps))).toEqual(expected);
  });

  it.each([
    ["{ max: 0 }", ["5:18 [0] expected at least 1, got 0"]],
    ["{ max: 1.5 }", ["5:18 [1.5] expected a whole number, got 1.5"]],
    ["{ max: 1000001 }", ["5:18 [1000001] expected at most 1000000, got 1000001"]],
    ["{ ttl: 0s }", ["5:18 [0s] a key lives longer than 0: write a longer time, or leave ttl out"]],
    ["{ ttl: 5 }", ["5:18 [5] expected text, got 5 | write it like 10s or 1m30s"]],
    ["{ when_full: forget }", ['5:24 [forget] expected refuse or forget_oldest, got the text "forget"']],
    ["{ maximum: 5 }", ["5:13 [maximum] unknown setting maximum | did you mean max?"]],
    ["5", ["5:11 [5] expected a map, got 5 | write its settings under it: max, ttl, when_full"]],
  ])("keys: %s", (keys, expected) => {
    expect(faultsOf(withSteps(`  - ${window}\n    keys: ${keys}\n  - sink: { stdout: {} }`))).toEqual(
      expected,
    );
  });
});

describe("mistakes in limits", () => {
  const rate = "expected a rate above 0 such as 500/s, 10/m or 100000/h, got";
  it.each([
    ["{ rate: 0/s }", [`5:17 [0/s] ${rate} "0/s"`]],
    ["{ rate: 5/d }", [`5:17 [5/d] ${rate} "5/d"`]],
    ["{ rate: 500/sec }", [`5:17 [500/sec] ${rate} "500/sec"; write 500/s`]],
    ["{ rate: 20 per Minute }", [`5:17 [20 per Minute] ${rate} "20 per Minute"; write 20/m`]],
    ["{ rate: 500 }", ["5:17 [500] expected text, got 500 | write it like 500/s or 10/m or 100000/h"]],
    ["{ memory: 0B }", ["5:19 [0B] state takes more than nothing: write a larger size"]],
    ["{ memory: 64 }", ["5:19 [64] expected text, got 64 | write it like 64KiB or 1MB"]],
    ["{ keys: { max: -1 } }", ["5:24 [-1] expected at least 1, got -1"]],
    ["{ rates: 5/s }", ["5:11 [rates] unknown setting rates | did you mean rate?"]],
    ["[]", ["5:1 [limits] expected a map, got a list | write its settings under it: keys, rate, memory"]],
  ])("%s", (limits, expected) => {
    expect(faultsOf(withLimits(limits))).toEqual(expected);
  });
});
