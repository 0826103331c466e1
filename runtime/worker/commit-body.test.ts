import { expect, it } from "vitest";
import { WeirError } from "../errors.ts";
import { commitBody, recoveredFrom, snapshotBody } from "./commit-body.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

it("begins with nothing", () => {
  expect(recoveredFrom(null, [])).toEqual({
    positions: new Map(),
    states: new Map(),
    outbox: null,
    outputs: [],
    places: null,
  });
});

it("takes a snapshot and what was committed after it", () => {
  const snapshot = snapshotBody({
    pipelines: ["a", "b"],
    away: new Map([["c", { positions: [7], changes: [bytes(9)] }]]),
    positions: [{ stream: "S", sequence: 9 }, null],
    states: new Map([
      ["a", bytes(1)],
      ["b", bytes(2)],
    ]),
    outbox: { chains: [] },
    places: {},
  });
  const [before, after] = [
    { stream: "S", sequence: 10 },
    { stream: "S", sequence: 11 },
  ];
  const commits = [
    commitBody({ pipelines: null, positions: [before, null], states: new Map(), outputs: [1], places: {} }),
    commitBody({
      pipelines: ["b"],
      positions: [after, 4],
      states: new Map([["b", bytes(3)]]),
      outputs: [],
      places: { cloud: 7 },
    }),
  ];
  const found = recoveredFrom(snapshot, commits);
  expect([...found.positions]).toEqual([
    ["c", [7]],
    ["a", [before, null]],
    ["b", [after, 4]],
  ]);
  expect([...found.states]).toEqual([
    ["c", [bytes(9)]],
    ["a", [bytes(1)]],
    ["b", [bytes(2), bytes(3)]],
  ]);
  expect(found.outbox).toEqual({ chains: [] });
  expect(found.outputs).toEqual([[1], []]);
  expect(found.places).toEqual({ cloud: 7 });
});

it("refuses what is no body", () => {
  const commit = commitBody({
    pipelines: ["a"],
    positions: [],
    states: new Map(),
    outputs: null,
    places: null,
  });
  for (const body of [bytes(), bytes(0xc1), bytes(0x01), commit]) {
    expect(() => recoveredFrom(body, [])).toThrow(WeirError);
  }
  expect(() => recoveredFrom(null, [bytes(0x80)])).toThrow(WeirError);
});
