// From what lies in a machine's folder and what its monitor says to what a supervisor wants to know. Pure.

import type { WorkerState } from "../driver.ts";

/** What the system inside reports of its worker: `started`, `memory`, `exit 7`, one a line. */
export interface MachineReport {
  readonly started: boolean;
  readonly outOfMemory: boolean;
  /** 128 and the signal's number of one that a signal ended; null as long as it has not ended. */
  readonly code: number | null;
}

export function parseReport(text: string): MachineReport {
  const lines = text.split("\n").map((line) => line.trim());
  const code = lines.map((line) => /^exit (\d{1,3})$/.exec(line)?.[1]).find((found) => found !== undefined);
  return {
    started: lines.includes("started"),
    outOfMemory: lines.includes("memory"),
    code: code === undefined ? null : Number(code),
  };
}

/** `answered` is whether its monitor did: null where that could not be found out. */
export function machineState(answered: boolean | null, report: MachineReport): WorkerState {
  if (answered === null) return "unknown";
  if (!answered) return "exited";
  return report.started ? "running" : "starting";
}

/** The port of this host that leads into a guest, from what its monitor tells of its network; null where it tells none. */
export function doorPort(network: unknown): number | null {
  const port =
    typeof network === "string"
      ? /HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)/.exec(network)?.[1]
      : undefined;
  return port === undefined ? null : Number(port);
}

/** What comes before this line is of firmware and kernel. */
export const outputBegins = "weir-output-begins";

/** The worker's own lines at the end of a console, at most so many. */
export function outputLines(text: string, most: number): readonly string[] {
  const [, ...rest] = text.split(`${outputBegins}\n`);
  const own = rest.length === 0 ? text : rest.join("");
  const lines = own.replaceAll("\r", "").split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.slice(-most);
}
