// Every kind of window with everything that it may send, as random pipelines, and what is checked of each. Data only.

import type * as fc from "fast-check";
import { calendarShapes } from "./oracle-shapes-calendar.fixture.ts";
import { recordShapes } from "./oracle-shapes-records.fixture.ts";
import { timeShapes } from "./oracle-shapes-time.fixture.ts";
import { type OracleCheck, sameAsOracle, sameInBatches, type Shape } from "./oracle.fixture.ts";

const shapes: Readonly<Record<string, fc.Arbitrary<Shape>>> = {
  ...timeShapes,
  ...recordShapes,
  ...calendarShapes,
};

/** Kinds of windows with kinds of emissions. */
export const shapeCount: number = Object.keys(shapes).length;

/** By name. */
export const oracleChecks: Readonly<Record<string, OracleCheck>> = Object.fromEntries(
  Object.entries(shapes).flatMap(([name, shape]) => [
    [name, sameAsOracle(name, shape)],
    [`${name}, in batches`, sameInBatches(shape)],
  ]),
);
