// Every error that weir raises on purpose: a stable code, whose fault it is, whether trying again can
// help, and what to do. Never used for a single bad record; those are ledger entries.

/** Whose fault, whether it may pass, and the process's exit code when it ends a command. */
const codes = {
  WEIR_CONFIG: { domain: "user", retry: false, exit: 78 },
  WEIR_USAGE: { domain: "user", retry: false, exit: 64 },
  WEIR_FILE: { domain: "user", retry: false, exit: 66 },
  WEIR_REFERENCE: { domain: "user", retry: false, exit: 78 },
  WEIR_OPERATOR: { domain: "user", retry: false, exit: 70 },
  WEIR_TEST_FAILED: { domain: "user", retry: false, exit: 1 },
  WEIR_NO_WORKER: { domain: "user", retry: true, exit: 69 },
  WEIR_NATS_UNAVAILABLE: { domain: "external", retry: true, exit: 69 },
  WEIR_NATS_SERVER_MISSING: { domain: "external", retry: false, exit: 2 },
  WEIR_STATE: { domain: "external", retry: false, exit: 65 },
  /** Another process has the state folder; it is free once that one has ended. */
  WEIR_STATE_BUSY: { domain: "external", retry: true, exit: 65 },
  /** State that was kept of other steps. */
  WEIR_STATE_CHANGED: { domain: "user", retry: false, exit: 65 },
  /** No room on the disk of the state: nothing is lost, and all goes on once there is. */
  WEIR_DISK_FULL: { domain: "external", retry: true, exit: 74 },
  /** A worker that a driver cannot start, find or end. */
  WEIR_WORKER: { domain: "external", retry: true, exit: 69 },
  /** Another sends for the same chain: a second instance, or a copy of the state. */
  WEIR_FENCED: { domain: "external", retry: false, exit: 78 },
  /** A container engine that cannot be reached, does not answer, or answers what makes no sense. */
  WEIR_CONTAINER_ENGINE: { domain: "external", retry: true, exit: 69 },
  /** There is none on this machine. */
  WEIR_ENGINE_MISSING: { domain: "external", retry: false, exit: 1 },
  /** A virtual machine that does not start or does not answer. */
  WEIR_MACHINE: { domain: "external", retry: true, exit: 69 },
  /** A worker that cannot be started as asked. */
  WEIR_WORKER_REFUSED: { domain: "user", retry: false, exit: 78 },
  /** What was to be replaced is not what it was. */
  WEIR_STALE: { domain: "user", retry: true, exit: 75 },
  /** The control centre does not allow it, or a device that trusts keys and knows none that signed it. */
  WEIR_REFUSED: { domain: "user", retry: false, exit: 77 },
  WEIR_SINK: { domain: "external", retry: true, exit: 74 },
  WEIR_DRAIN_TIMEOUT: { domain: "external", retry: false, exit: 75 },
  WEIR_INTERNAL: { domain: "internal", retry: false, exit: 70 },
} as const;

export type ErrorCode = keyof typeof codes;

export function isErrorCode(text: unknown): text is ErrorCode {
  return typeof text === "string" && Object.hasOwn(codes, text);
}

export class WeirError extends Error {
  readonly code: ErrorCode;
  /** What the reader can do about it. */
  readonly remedy: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly remedy?: string; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = "WeirError";
    this.code = code;
    this.remedy = options.remedy;
  }

  get domain(): "user" | "external" | "internal" {
    return codes[this.code].domain;
  }

  /** True when the same call may succeed later. */
  get retry(): boolean {
    return codes[this.code].retry;
  }

  get exitCode(): number {
    return codes[this.code].exit;
  }
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The same, and what the reader can do about it, where nothing but one text is carried on. */
export function adviceOf(thrown: unknown): string {
  const remedy = thrown instanceof WeirError ? thrown.remedy : undefined;
  // More may come behind it.
  return remedy === undefined ? messageOf(thrown) : `${messageOf(thrown)}; ${remedy.replace(/\.$/, "")}`;
}
