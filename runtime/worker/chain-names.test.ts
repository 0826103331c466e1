import { expect, it } from "vitest";
import { leftRows } from "./chain-names.ts";

it("tells of rows that wait where no sink writes now, those of a backlog too", () => {
  const lanes = new Map([["p/cloud/NEW/lane/live", { connection: "cloud", lane: "live" as const }]]);
  const chains = [
    { chain: "p/cloud/NEW/lane/live", rows: 1 },
    { chain: "p/cloud/NEW/lane/live.backlog", rows: 2 },
    { chain: "p/cloud/OLD", rows: 3 },
    { chain: "p/cloud/EMPTY", rows: 0 },
    { chain: "p/cloud/OLD/lane/live.backlog", rows: 4 },
  ];
  expect(leftRows(chains, lanes).map((line) => line.slice(0, line.indexOf(",")))).toEqual([
    "3 rows wait in p/cloud/OLD",
    "4 rows wait in p/cloud/OLD/lane/live.backlog",
  ]);
});
