// The door: any text gives a plan or mistakes, never an exception; secrets never reach a message.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { limits } from "../limits.ts";
import { coldChain, operators } from "./cold-chain.fixture.ts";
import { readDocument } from "./document.ts";
import { loadPipeline, operatorFilesOf } from "./load.ts";

const catalogue = operators;

function check(content: string): void {
  const { plan, spec, diagnostics } = loadPipeline({ file: "p.yaml", content, catalogue });
  expect(plan === null).toBe(diagnostics.some(({ severity }) => severity === "error"));
  expect(spec === null).toBe(plan === null);
  const lines = content.split(/\r\n|\n|\r/).length;
  for (const { line, column, message } of diagnostics) {
    expect(line >= 1 && line <= lines && column >= 1 && message !== "").toBe(true);
  }
}

describe("any text", () => {
  it("that is a damaged pipeline", () => {
    const damage = fc.record({
      at: fc.nat(coldChain.length),
      length: fc.nat(12),
      put: fc.constantFrom(
        "",
        " ",
        "\n",
        "{",
        "}",
        "[",
        "]",
        ":",
        "'",
        '"',
        "-",
        "0",
        "~",
        "&a",
        "*a",
        "filter",
        "${X}",
        "1s",
        "(",
        ",",
      ),
    });
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 3 }), (damages) => {
        let text = coldChain;
        for (const { at, length, put } of damages) text = text.slice(0, at) + put + text.slice(at + length);
        check(text);
      }),
      { numRuns: 120 },
    );
  });

  it("that is random data under the right names", () => {
    const value = fc.jsonValue({ maxDepth: 3 });
    const some = fc.record(
      {
        name: fc.oneof(value, fc.constant("p")),
        source: fc.oneof(
          value,
          fc.record(
            { nats: fc.oneof(value, fc.constant({ subject: "a.{b}" })), time: value },
            { requiredKeys: ["nats"] },
          ),
        ),
        sources: fc.dictionary(
          fc.constantFrom("a", "b", "c", "d e"),
          fc.record(
            {
              nats: fc.oneof(value, fc.constantFrom({ subject: "a.{b}" }, { subject: "a.{x}" })),
              schema: fc.oneof(value, fc.constantFrom({ b: "string" }, { x: "float64" }, { ts: "time" })),
              time: fc.oneof(value, fc.constant({ field: "ts" })),
            },
            { requiredKeys: ["nats"] },
          ),
        ),
        steps: fc.oneof(
          value,
          fc.array(
            fc.oneof(
              value,
              fc.constantFrom(
                { sink: { stdout: {} } },
                { filter: "a > 1" },
                { set: { c: "a + b" } },
                { select: ["c"] },
              ),
              fc.record({ filter: value }),
              fc.record({ window: value }),
              fc.record({ branch: fc.dictionary(fc.string(), fc.array(value)) }),
              fc.record({ sink: value }),
            ),
          ),
        ),
        dead_letter: value,
        tests: fc.oneof(value, fc.array(value)),
      },
      { requiredKeys: ["name", "steps"] },
    );
    fc.assert(
      fc.property(some, (data) => check(JSON.stringify(data))),
      { numRuns: 120 },
    );
  });
});

describe("secrets", () => {
  it("stay out of messages", () => {
    const { diagnostics, secrets } = loadPipeline({
      file: "p.yaml",
      content:
        "name: ${PIPELINE_TOKEN}\nsource: { nats: { subject: a, to: '${PIPELINE_TOKEN}' }, format: '${file:key}' }\nsteps: [{ sink: { stdout: {} } }]\n",
      catalogue,
      surroundings: { variables: { PIPELINE_TOKEN: "Hunter2!" }, file: () => "top-secret" },
    });
    expect(secrets).toEqual(["Hunter2!", "top-secret"]);
    expect(diagnostics.length).toBeGreaterThan(0);
    expect(JSON.stringify(diagnostics)).not.toMatch(/Hunter2|top-secret/);
  });

  // Quoted as a column, in small letters as a name, escaped, cut after some characters.
  it.each(["name", "filter", "lateness"])("stay out of them in parts: %s", (place) => {
    const secret = `Hunter2-"very"-${"long".repeat(9)}`;
    const at = (each: string, otherwise: string): string => (each === place ? "${A_TOKEN}" : otherwise);
    const { diagnostics } = loadPipeline({
      file: "p.yaml",
      content: `name: ${at("name", "p")}
source:
  nats: { subject: a }
  format: json
  schema: { ts: time }
  time: { field: ts, lateness: "${at("lateness", "1s")}" }
steps:
  - filter: ${at("filter", "true")}
  - sink: { stdout: {} }
`,
      catalogue,
      surroundings: { variables: { A_TOKEN: secret }, file: () => null },
    });
    expect(diagnostics.length).toBeGreaterThan(0);
    expect(JSON.stringify(diagnostics)).not.toMatch(/hunter2|very|long/i);
  });
});

it("lists no more mistakes than a reader can use, and says so", () => {
  const steps = Array(200).fill("  - fliter: a").join("\n");
  const { diagnostics } = loadPipeline({
    file: "p.yaml",
    content: `name: p\nsource: { nats: { subject: a } }\nsteps:\n${steps}\n  - sink: { stdout: {} }\n`,
    catalogue,
  });
  expect(diagnostics).toHaveLength(limits.config_diagnostics_max);
  expect(diagnostics.at(-1)!.message).toBe("101 more mistakes from here on");
});

it("names the operator files before anything is judged", () => {
  const documentOf = (text: string) => readDocument("p.yaml", text).document!;
  expect(operatorFilesOf(documentOf("use: [./scale.ts, ./clamp.ts]\nsteps: nothing"))).toEqual([
    "./scale.ts",
    "./clamp.ts",
  ]);
  expect(operatorFilesOf(documentOf("use: 5"))).toEqual([]);
});

it("puts variables where settings stand", () => {
  const { plan, diagnostics } = loadPipeline({
    file: "p.yaml",
    content:
      'name: p\nsource:\n  file:\n    path: "${DATA}/a.ndjson"\n    rate: ${RATE:-100}\nsteps:\n  - filter: temp > ${MAX:-30}\n  - sink: { stdout: {} }\n',
    catalogue,
    surroundings: { variables: { DATA: "/data" }, file: () => null },
  });
  expect(diagnostics).toEqual([]);
  expect(plan!.spec.inputs[0]!.source).toEqual({
    kind: "file",
    path: "/data/a.ndjson",
    rate: 100,
    speed: null,
  });
});

it("tells of a variable that is not set, and of nothing that follows from it", () => {
  const content = `name: p
source: { nats: { subject: a }, schema: { ts: time, temp: float64 }, time: { field: ts, lateness: "\${LATE}" } }
steps:
  - filter: temp > \${LIMIT}
  - sink: { stdout: {} }
`;
  const { diagnostics } = loadPipeline({ file: "p.yaml", content, catalogue });
  expect(diagnostics.map(({ message }) => message)).toEqual([
    "the variable LATE is not set",
    "the variable LIMIT is not set",
  ]);
});

it("does not say that there is no operator where some could not be loaded, unless its name is mistyped", () => {
  const content = `name: p
use: [own.ts]
source: { nats: { subject: a } }
steps: [{ shelf: {} }, { fliter: a }, { sink: { stdout: {} } }]
`;
  const load = (lacksOperators: boolean): string[] =>
    loadPipeline({ file: "p.yaml", content, catalogue, lacksOperators }).diagnostics.map(
      (each) => each.message,
    );
  expect(load(false)).toEqual(["there is no operator shelf", "there is no operator fliter"]);
  expect(load(true)).toEqual(["there is no operator fliter"]);
});

it.each([
  ["a source", 'source: { nats: { subject: "a/b" } }'],
  [
    "one of several sources",
    'sources: { x: { nats: { subject: "a/b" }, schema: { v: bool } }, y: { nats: { subject: c }, schema: { v: bool } } }',
  ],
])("a warning about %s keeps no pipeline from its plan", (_, sources) => {
  const content = `name: p\n${sources}\nsteps: [{ sink: { stdout: {} } }]\n`;
  const { plan, diagnostics } = loadPipeline({ file: "p.yaml", content, catalogue });
  expect(diagnostics.map(({ severity }) => severity)).toEqual(["warning"]);
  expect(plan).not.toBeNull();
});

it("does not say that a section is missing whose name is mistyped", () => {
  const content = "name: p\nsorce: { nats: { subject: a } }\nstep: [{ sink: { stdout: {} } }]\n";
  const { diagnostics } = loadPipeline({ file: "p.yaml", content, catalogue });
  expect(diagnostics.map(({ line, message, hint }) => `${line} ${message} | ${hint}`)).toEqual([
    "2 unknown setting sorce | did you mean source?",
    "3 unknown setting step | did you mean steps?",
  ]);
});
