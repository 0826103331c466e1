// A thread that holds the engine to the oracle: takes checks by name, and answers each with what it came to. Knows of no
// other thread.

import { parentPort } from "node:worker_threads";
import { messageOf } from "../errors.ts";
import type { OracleCases } from "./oracle.fixture.ts";
import { oracleChecks } from "./oracle-shapes.fixture.ts";

export interface OracleOrder extends OracleCases {
  readonly name: string;
}

export interface OraclePart {
  readonly name: string;
  readonly cases: number;
  readonly rows: number;
  /** What differs, with the seed and the path of the case; null when nothing does. */
  readonly fault: string | null;
}

parentPort?.on("message", (order: OracleOrder) => parentPort?.postMessage(obey(order)));

function obey({ name, ...asked }: OracleOrder): OraclePart {
  const check = oracleChecks[name];
  if (check === undefined) return { name, cases: 0, rows: 0, fault: "there is no such check" };
  try {
    return { name, ...check(asked), fault: null };
  } catch (error) {
    return { name, cases: 0, rows: 0, fault: messageOf(error) };
  }
}
