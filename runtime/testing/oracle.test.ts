// The engine against the oracle: every kind of window with every aggregate and everything that it may send, over random
// pipelines, records, batches and silences. A short form of `npm run oracle`, which also replays what a failure names.

import { expect, test } from "vitest";
import { oracleChecks } from "./oracle-shapes.fixture.ts";

const cases = 60;
const seed = 20_260_726;

test.each(Object.keys(oracleChecks))("%s", { timeout: 120_000 }, (name) => {
  expect(oracleChecks[name]!({ cases, seed }).cases).toBeGreaterThan(0);
});
