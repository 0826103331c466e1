// What a worker says of itself once a second: the shape that it writes and its supervisor reads. Data only;
// nothing here measures or sends.

/** How far a worker, or one pipeline of it, is in its life. */
export type Phase = "starting" | "running" | "draining" | "stopped" | "failed";

const phases: readonly unknown[] = [
  "starting",
  "running",
  "draining",
  "stopped",
  "failed",
] satisfies readonly Phase[];

export interface PipelineBeat {
  readonly name: string;
  readonly revision: string;
  readonly attempt: number;
  readonly phase: Phase;
  /** Why it failed; null unless it did. */
  readonly fault: string | null;
  /** Wall clock ms at which it came into this phase. */
  readonly since: number;
  /** The server or the stream that is not there yet, or, of one that runs, not any more; absent where that is not known, or nothing. */
  readonly waits_for?: string;
  /** Of one that starts: ms for which it has not been open although all its connections are there; absent where one is not. */
  readonly unready_ms?: number;
  /** The disk of its state is full, in words: it takes nothing new until there is room; absent while there is. */
  readonly lacks_room?: string;
  /** Records read, and rows confirmed, since it was started. */
  readonly records: number;
  readonly rows: number;
  /** Records in open windows and queues. */
  readonly held: number;
  /** About how large its state is where it is written down; absent where it is not, or before it was looked at. */
  readonly state_bytes?: number;
  /** Rows that wait to be confirmed, and those that never will be. */
  readonly pending: number;
  readonly dropped: number;
  /** Records that wait at the source; null when it cannot be known. */
  readonly lag: number | null;
  /** Event time so far, ms; null before the first record. */
  readonly watermark: number | null;
  /** Share of the last second, 0 to 1, in which it worked. */
  readonly busy: number;
  /** Records a second that it handles while it works; null while that is not known. */
  readonly true_rate: number | null;
}

export interface Heartbeat {
  readonly host: string;
  readonly worker: string;
  readonly process: number;
  /** Wall clock ms. */
  readonly at: number;
  readonly started: number;
  readonly phase: Phase;
  /** The mark of the assignment that it has carried out; null before the first. */
  readonly assignment: string | null;
  readonly memory_bytes: number;
  readonly processor_s: number;
  /** Share of the last second, 0 to 1, in which its main thread had something to do; absent before it is known. */
  readonly busy?: number;
  readonly pipelines: readonly PipelineBeat[];
}

/** Where heartbeats go on NATS. */
export function heartbeatSubject(host: string, worker: string): string {
  return `weir.heartbeat.${host}.${worker}`;
}

/** A heartbeat that came from elsewhere; null when it is none. */
export function parseHeartbeat(text: string): Heartbeat | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  return isHeartbeat(value) ? value : null;
}

function isHeartbeat(value: unknown): value is Heartbeat {
  if (typeof value !== "object" || value === null) return false;
  const beat = value as Partial<Record<keyof Heartbeat, unknown>>;
  const numbers = [beat.process, beat.at, beat.started, beat.memory_bytes, beat.processor_s];
  const texts = [beat.host, beat.worker];
  return (
    numbers.every((each) => typeof each === "number") &&
    texts.every((each) => typeof each === "string") &&
    phases.includes(beat.phase) &&
    (beat.assignment === null || typeof beat.assignment === "string") &&
    (beat.busy === undefined || typeof beat.busy === "number") &&
    Array.isArray(beat.pipelines) &&
    beat.pipelines.every(isPipelineBeat)
  );
}

function isPipelineBeat(value: unknown): value is PipelineBeat {
  if (typeof value !== "object" || value === null) return false;
  const { name, revision, attempt, phase, since } = value as Partial<Record<keyof PipelineBeat, unknown>>;
  return (
    typeof name === "string" &&
    typeof revision === "string" &&
    typeof attempt === "number" &&
    typeof since === "number" &&
    phases.includes(phase)
  );
}
