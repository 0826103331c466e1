// From what a container engine says of a container to what a supervisor wants to know of a worker. Pure.

import type { ObservedWorker, WorkerState } from "../driver.ts";
import { revisionLabel, workerLabel } from "./container-body.ts";
import type { InspectedContainer, ListedContainer } from "./engine-answers.ts";

/** The words of Docker and Podman. One that is being removed holds its name until it is gone. */
const states: Readonly<Record<string, WorkerState>> = {
  created: "starting",
  configured: "starting",
  initialized: "starting",
  running: "running",
  paused: "running",
  stopping: "running",
  restarting: "unknown",
  removing: "unknown",
  stopped: "exited",
  exited: "exited",
  dead: "exited",
};

const killed = 137;

/** Of one that ended by itself: an engine says 128 and the signal's number of one that a signal ended. */
export function ownExitCode(code: number): number | null {
  return code > 128 && code <= 128 + 64 ? null : code;
}

/**
 * Whether memory ended a container. The engine's yes counts; its no does not, because Podman 4 never says yes.
 * Then one with a limit that SIGKILL ended, and not this driver, is looked up in the kernel's log; `inKernelLog`
 * says null where that may not be read, and then the limit is what is left to blame.
 */
export function endedByMemory(
  { State, HostConfig }: InspectedContainer,
  killedHere: boolean,
  inKernelLog: () => boolean | null,
): boolean {
  if (State.OOMKilled) return true;
  if (State.ExitCode !== killed || HostConfig.Memory <= 0 || killedHere) return false;
  return inKernelLog() ?? true;
}

/** The state by the engine's word. `starting` is only what this driver is starting: else nobody ever will. */
export function stateOf(word: string, isStarting: boolean): WorkerState {
  const state = states[word.toLowerCase()] ?? "unknown";
  return state === "starting" && !isStarting ? "exited" : state;
}

/** A worker of which no more is known than that it is there. */
export function unknownWorker({ Id, Labels }: ListedContainer): ObservedWorker {
  return {
    id: Id,
    name: Labels[workerLabel] ?? "",
    revision: Labels[revisionLabel] ?? "",
    state: "unknown",
    exitCode: null,
    outOfMemory: false,
    started: 0,
  };
}

export function observedWorker(
  listed: ListedContainer,
  inspected: InspectedContainer,
  state: WorkerState,
  outOfMemory: boolean,
): ObservedWorker {
  const { Status, ExitCode, StartedAt } = inspected.State;
  // One that was made and never started has an exit code of 0, which it did not earn.
  const hasRun = stateOf(Status, true) === "exited";
  return {
    ...unknownWorker(listed),
    state,
    exitCode: state === "exited" && hasRun ? ownExitCode(ExitCode) : null,
    outOfMemory: state === "exited" && outOfMemory,
    started: Math.max(0, StartedAt),
  };
}
