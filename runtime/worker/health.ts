// Whether a worker is well, and whether it is ready, from its heartbeat: what the probes of an orchestrator ask. Pure.
// That a server cannot be reached makes no worker unwell: starting it again would not help.

import type { Heartbeat } from "../heartbeat.ts";

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
