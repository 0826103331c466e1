// Whether a worker is well, and whether it is ready, from its heartbeat: what the probes of an orchestrator ask. Pure.
// That a server cannot be reached makes no worker unwell: starting it again would not help.

import type { Heartbeat, Phase } from "../heartbeat.ts";
import { WrittenAnswer } from "./control.ts";

export interface Health {
  readonly ok: boolean;
  /** Why not, or what is worth knowing; one a line. */
  readonly reasons: readonly string[];
}

/** Alive: it answers, and has not ended. */
export function liveness({ phase }: Pick<Heartbeat, "phase">): Health {
  const over = phase === "failed" || phase === "stopped";
  return { ok: !over, reasons: over ? [`the worker has ${phase}`] : [] };
}

/** Ready: it takes part, and every pipeline that it was given runs or has come to its sources' end. */
export function readiness({ phase, assignment, pipelines }: Heartbeat): Health {
  const reasons: string[] = [];
  if (phase !== "running") reasons.push(`the worker is ${phase}`);
  if (assignment === null) reasons.push("it has not been told what to run");
  for (const { name, revision, phase: its, fault } of pipelines) {
    if (its === "running" || its === "stopped") continue;
    reasons.push(`${name}@${revision} is ${its}${fault === null ? "" : `: ${fault.split("\n", 1)[0]}`}`);
  }
  return { ok: reasons.length === 0, reasons };
}

/** Of pipelines that one command runs together: ready once all are open, for as long as none has failed. */
export function readinessTogether(phase: Phase, faults: readonly string[]): Health {
  const reasons = phase === "running" ? [] : [`the worker is ${phase}`];
  for (const fault of faults) reasons.push(fault.split("\n", 1)[0]!);
  return { ok: reasons.length === 0, reasons };
}

/** What a probe is told: by the status whether, by the text why not. */
export function probe({ ok, reasons }: Health): WrittenAnswer {
  return new WrittenAnswer(
    ok ? 200 : 503,
    "text/plain; charset=utf-8",
    `${[ok ? "ok" : "not ok", ...reasons].join("\n")}\n`,
  );
}
