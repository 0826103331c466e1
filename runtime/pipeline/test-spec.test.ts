// The tests that a pipeline file holds: what is read of them, and each mistake with its place and hint.

import { describe, expect, it } from "vitest";
import { faultsOf, read } from "./spec.fixture.ts";

describe("tests of a pipeline", () => {
  const head = `name: p
source:
  nats: { subject: a.> }
  schema: { when: time, seen: time }
  time: { field: when, unit: iso }
steps: [{ sink: { stdout: {} } }]
tests:
`;

  it("have records, raw payloads, pauses, restarts and subjects", () => {
    const { spec, diagnostics } = read(`${head}  - name: all forms
    input:
      - { when: 1m, seen: 2s, other: 3s }
      - { subject: a.b, record: { when: 0s } }
      - { pause: 10s }
      - { raw: "{broken" }
      - { raw: "{}", subject: a.c }
      - { pause: 10s, temp: 1 }
      - { restart: true }
      - { restart: true, temp: 1 }
      - { raw: 5 }
      - { record: { when: 0s } }
    expect: { main: [{ other: 3s }] }
    dead_letter: 1
`);
    expect(diagnostics).toEqual([]);
    expect(spec!.tests[0]).toEqual({
      name: "all forms",
      lookups: {},
      input: [
        {
          kind: "record",
          record: { when: "1970-01-01T00:01:00.000Z", seen: 2000, other: "3s" },
          subject: null,
          source: null,
        },
        { kind: "record", record: { when: "1970-01-01T00:00:00.000Z" }, subject: "a.b", source: null },
        { kind: "pause", ms: 10_000 },
        { kind: "raw", text: "{broken", subject: null, source: null },
        { kind: "raw", text: "{}", subject: "a.c", source: null },
        { kind: "record", record: { pause: "10s", temp: 1 }, subject: null, source: null },
        { kind: "restart" },
        { kind: "record", record: { restart: true, temp: 1 }, subject: null, source: null },
        { kind: "record", record: { raw: 5 }, subject: null, source: null },
        { kind: "record", record: { when: "1970-01-01T00:00:00.000Z" }, subject: null, source: null },
      ],
      expect: { main: [{ other: "3s" }] },
      deadLetter: 1,
    });
  });

  it("may have a record with a field record, where there may be one", () => {
    const item = "  - { name: t, input: [{ record: { when: 0s } }] }\n";
    for (const schema of ["schema: { when: time, record.when: time }", "limits: {}"]) {
      const other = head.replace(
        "  schema: { when: time, seen: time }\n",
        schema.startsWith("schema") ? `  ${schema}\n` : "",
      );
      expect(read(`${other}${item}`).spec!.tests[0]!.input[0]).toMatchObject({
        record: { record: { when: "0s" } },
      });
    }
  });

  it.each([
    [
      "  - name: t\n    input: [{ a: 1 }]\n    expect: { mian: [] }",
      ["10:15 there is no branch mian | did you mean main?"],
    ],
    ["  - name: t\n    input: []", ["9:5 expected at least 1 entry, got 0"]],
    [
      "  - input: [{ a: 1 }]\n    dead_leter: 1",
      ["8:5 name is missing | expected text", "9:5 unknown setting dead_leter | did you mean dead_letter?"],
    ],
    ["  - name: t\n    input: [{ a: 1 }]\n    dead_letter: -1", ["10:18 expected at least 0, got -1"]],
    ["  - name: t\n    input: [5]", ["9:13 expected a map, got 5"]],
  ])("%s", (tests, faults) => {
    expect(faultsOf(head + tests)).toEqual(faults);
  });
});
