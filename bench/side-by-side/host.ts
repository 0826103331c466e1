// The process in which one engine runs on one workload, so that its processor time and its memory are its
// own. Does what the process that started it says, one pass at a time.
//
//     node bench/side-by-side/host.ts ENGINE SUITE WORKLOAD FILE RECORDS

import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { stopwatch } from "../../runtime/clock.ts";
import { messageOf } from "../../runtime/errors.ts";
import { engines } from "../engines/engines.ts";
import { workloads } from "../workloads/workloads.ts";
import type { Session } from "./engine.ts";
import { folderOf, type Row, type Workload } from "./workload.ts";

/** Asks for one pass; with `rows`, for its rows in that file, and their hash. */
export interface Order {
  readonly rows: string | null;
}

export interface Passed {
  readonly kind: "passed";
  readonly wall_ms: number;
  readonly count: number;
  /** Of the sorted rows; null when none were asked for. */
  readonly hash: string | null;
}

export type Answer =
  | { readonly kind: "ready" }
  | Passed
  | { readonly kind: "failed"; readonly message: string };

function answer(message: Answer): void {
  process.send?.(message);
}

function hashOf(workload: Workload, rows: readonly Row[], file: string): string {
  const text = rows.map(workload.canonical).sort().join("\n");
  writeFileSync(file, text);
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

async function pass(session: Session, workload: Workload, { rows }: Order): Promise<void> {
  globalThis.gc?.();
  const started = stopwatch();
  const passed = await session.pass(rows !== null);
  const wall_ms = stopwatch() - started;
  const hash = rows === null ? null : hashOf(workload, passed.rows!, rows);
  answer({ kind: "passed", wall_ms, count: passed.count, hash });
}

function fail(error: unknown): void {
  answer({ kind: "failed", message: messageOf(error) });
}

const [engineName = "", suite = "", workloadName = "", file = "", records = ""] = process.argv.slice(2);

try {
  const engine = engines.find(({ name }) => name === engineName);
  const workload = workloads.find((each) => each.suite === suite && each.name === workloadName);
  if (engine === undefined || workload === undefined) {
    throw new RangeError(
      `expected an engine and a workload, got ${engineName}, ${suite} and ${workloadName}`,
    );
  }
  // Until something is asked of it, nothing else may keep the process alive.
  process.channel?.ref();
  const session = await engine.open({ folder: folderOf(workload), file, records: Number(records) });
  process.on("message", (order: Order) => void pass(session, workload, order).catch(fail));
  process.on("disconnect", () => void session.close?.());
  answer({ kind: "ready" });
} catch (error) {
  fail(error);
}
