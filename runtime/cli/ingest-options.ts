// What may be asked of `weir ingest`, and what it cannot do without. Loads nothing.

import { WeirError } from "../errors.ts";
import type { LogFormat } from "../log.ts";

export interface IngestOptions {
  readonly nats: readonly string[];
  readonly config: string;
  readonly state?: string;
  readonly log?: LogFormat;
  /** The plan comes on standard input. */
  readonly plan?: boolean;
  /** What to do is what workers ask for in the state folder, as long as they do. */
  readonly asked?: boolean;
}

/** Journals lie in a state folder, and nothing says which. */
export function noState(): WeirError {
  return new WeirError("WEIR_CONFIG", "journals need a state folder to be in", {
    remedy: "name it with --state, in weir.yaml (state: …) or by WEIR_STATE",
  });
}
