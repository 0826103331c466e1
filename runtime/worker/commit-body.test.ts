import { expect, it } from "vitest";
import { WeirError } from "../errors.ts";
import { commitBody, recoveredFrom, snapshotBody } from "./commit-body.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

it("begins with nothing", () => {
  expect(recoveredFrom(null, [])).toEqual({ positions: [], states: new Map(), outbox: null, outputs: [] });
});

it("takes a snapshot and what was committed after it", () => {
  const snapshot = snapshotBody({
    positions: [{ stream: "S", sequence: 9 }, null],
    states: new Map([
      ["a", bytes(1)],
      ["b", bytes(2)],
    ]),
    outbox: { chains: [] },
  });
  const commits = [
    commitBody({ positions: [{ stream: "S", sequence: 10 }, null], states: new Map(), outputs: [1] }),
    commitBody({
      positions: [{ stream: "S", sequence: 11 }, 4],
      states: new Map([["b", bytes(3)]]),
      outputs: [],
    }),
  ];
  const found = recoveredFrom(snapshot, commits);
  expect(found.positions).toEqual([{ stream: "S", sequence: 11 }, 4]);
  expect([...found.states]).toEqual([
    ["a", [bytes(1)]],
    ["b", [bytes(2), bytes(3)]],
  ]);
  expect(found.outbox).toEqual({ chains: [] });
  expect(found.outputs).toEqual([[1], []]);
});

it("refuses what is no body", () => {
  for (const body of [
    bytes(),
    bytes(0xc1),
    bytes(0x01),
    commitBody({ positions: [], states: new Map(), outputs: null }),
  ]) {
    expect(() => recoveredFrom(body, [])).toThrow(WeirError);
  }
});
