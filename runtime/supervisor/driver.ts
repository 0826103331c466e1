// What the supervisor asks of whatever runs workers: processes, containers, virtual machines. One interface, one
// conformance suite for all that implement it. Decides nothing: no restarts, no back-off, no placement.

/** How far one worker may go; absent: no limit of its own. */
export interface WorkerLimits {
  readonly memory_bytes?: number;
  /** Processors, 0.5 is half of one. */
  readonly processors?: number;
  /** Processes and threads. */
  readonly pids?: number;
}

export interface WorkerSpec {
  /** Unique on this host: `[a-z0-9_-]{1,64}`. */
  readonly name: string;
  /** Of how it is started; a worker of another revision is another worker. */
  readonly revision: string;
  /** Arguments of `weir`: `["worker", "--state", "/var/lib/weir", …]`. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Folders that it sees, by their path inside. The process driver has no inside: both are the same there. */
  readonly folders: readonly { readonly host: string; readonly inside: string; readonly writable: boolean }[];
  readonly limits: WorkerLimits;
}

/** What is the same of a worker whatever its limits. */
export type UnlimitedWorker = Omit<WorkerSpec, "revision" | "limits">;

/** `unknown`: the driver could not find out; nothing may be started in its place until it can. */
export type WorkerState = "starting" | "running" | "exited" | "unknown";

export interface ObservedWorker {
  /** The driver's own handle. */
  readonly id: string;
  readonly name: string;
  readonly revision: string;
  readonly state: WorkerState;
  /** Of one that exited by itself; null while it runs, and where a signal ended it. */
  readonly exitCode: number | null;
  /** Killed for taking more memory than its limit, where that can be known. */
  readonly outOfMemory: boolean;
  /** Wall clock ms. */
  readonly started: number;
  /** How many times as long as a process of this host it takes for everything, as where its processor is emulated; absent: as long. */
  readonly slowness?: number;
}

export interface WorkerStats {
  readonly processor_s: number;
  readonly memory_bytes: number;
  readonly pids: number;
}

export interface Driver {
  readonly kind: "process" | "container" | "vm";
  /**
   * Makes ready, and resolves with what its workers are started from: an image, say, by its content, so that it is another one
   * after an upgrade. Rejects with why it cannot work here and what to do.
   */
  open(): Promise<string>;
  /** Starts a worker and resolves with its handle; rejects where one of its name is there. */
  start(spec: WorkerSpec): Promise<string>;
  /** Asks it to drain (SIGTERM), kills it after `grace_ms`; resolves once it has ended. One that is gone is no fault. */
  stop(id: string, grace_ms: number): Promise<void>;
  /** Kills at once; resolves once it has ended. */
  kill(id: string): Promise<void>;
  /** Forgets one that has ended: its exit code and its output. */
  remove(id: string): Promise<void>;
  /** All workers of this supervisor (by its label), those of an earlier run of it included. */
  list(): Promise<readonly ObservedWorker[]>;
  /** The end of its output, at most `lines`. */
  logs(id: string, lines: number): Promise<readonly string[]>;
  stats(id: string): Promise<WorkerStats>;
  close(): Promise<void>;
}
