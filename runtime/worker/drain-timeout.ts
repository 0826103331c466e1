// Why a worker that was told to end gave up draining, from what its pipelines count. Pure.

import { WeirError } from "../errors.ts";
import { limits } from "../limits.ts";

/** A pipeline, as far as it matters to that. */
interface Draining {
  readonly sinks: readonly { readonly pending: number }[];
  readonly lacks_room?: string;
}

export function drainTimeout(statuses: readonly Draining[]): WeirError {
  const pending = statuses.flatMap(({ sinks }) => sinks.map((sink) => sink.pending));
  const rows = pending.reduce((total, each) => total + each, 0);
  const lacks = statuses.find(({ lacks_room }) => lacks_room !== undefined)?.lacks_room;
  return new WeirError(
    "WEIR_DRAIN_TIMEOUT",
    `not drained after ${limits.drain_ms_max} ms: ${rows} rows are unconfirmed`,
    {
      remedy:
        lacks === undefined
          ? "the sinks' server cannot be reached or does not confirm"
          : `rows leave once they are written down: ${lacks}; free space there, and start again`,
    },
  );
}
