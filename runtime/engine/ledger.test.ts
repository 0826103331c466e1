// The ledger adds up, and forgets nothing but on request.

import { expect, test } from "vitest";
import { Ledger } from "./ledger.ts";

test("entries are by step and reason, in the order of their first record", () => {
  const ledger = new Ledger();
  ledger.add("2 window", "late", 3);
  ledger.add("1 filter", "filtered", 5);
  ledger.add("2 window", "overflow", 1);
  ledger.add("2 window", "late", 2);
  expect(ledger.entries()).toEqual([
    { step: "2 window", reason: "late", records: 5 },
    { step: "2 window", reason: "overflow", records: 1 },
    { step: "1 filter", reason: "filtered", records: 5 },
  ]);
  expect(ledger.total).toBe(11);
});

test("nothing is not an entry", () => {
  const ledger = new Ledger();
  ledger.add("1 filter", "filtered", 0);
  expect(ledger.entries()).toEqual([]);
  expect(ledger.total).toBe(0);
});

test("draining hands over what there is, once", () => {
  const ledger = new Ledger();
  ledger.add("1 filter", "filtered", 5);
  expect(ledger.drain()).toEqual([{ step: "1 filter", reason: "filtered", records: 5 }]);
  expect(ledger.drain()).toEqual([]);
  expect(ledger.total).toBe(0);
  ledger.add("1 filter", "filtered", 1);
  expect(ledger.total).toBe(1);
});
