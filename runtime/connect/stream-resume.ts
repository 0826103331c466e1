// Where reading a stream goes on, by how far it was read and what the stream is now: it may have been made anew, have lost
// its end in a crash of its server, or have dropped messages before they were read. Pure: asks no server, and says what
// happened instead of counting or logging it.

/** How far a stream was read. */
export interface StreamPlace {
  /** When the stream was made, as its server writes it: another text means another stream of the same name. */
  readonly created: string;
  /** How often the stream's numbers began to mean something else, so that a number that is used again is another record. */
  readonly incarnation: number;
  /** The last message that was read; 0 before the first. */
  readonly sequence: number;
}

/** What a stream is now. */
export interface StreamFacts {
  readonly created: string;
  /** Of its messages; `last + 1` where it holds none. */
  readonly first: number;
  readonly last: number;
  /**
   * The first message, not behind the place, that was stored after the one that was read there: from it on the numbers were
   * given anew. Null where there is none, or where nobody can tell.
   */
  readonly reused: number | null;
}

export type StreamEvent =
  /** Another stream has the name. What the old one still held is gone, and nobody can say how much that was. */
  | { readonly kind: "recreated" }
  /** The stream lost its end: so many numbers up to the place are not what was read any more. Exact. */
  | { readonly kind: "regressed"; readonly records: number }
  /** Messages were dropped before they were read, by age or size: so many numbers. Exact where every number is one of ours. */
  | { readonly kind: "gap"; readonly records: number }
  /** The same, and the stream holds none at all. */
  | { readonly kind: "purged"; readonly records: number };

export interface Resumption {
  /** The first message to read; `last + 1` for the next one that is stored. */
  readonly start: number;
  readonly incarnation: number;
  /** In the order in which they are told. */
  readonly events: readonly StreamEvent[];
}

/** Goes on in a stream: never at a place that the stream has not reached, where a consumer would wait in silence. */
export function resumeStream(place: StreamPlace, facts: StreamFacts): Resumption {
  if (facts.created !== place.created) {
    return from(1, facts, place.incarnation + 1, [{ kind: "recreated" }]);
  }
  const end = facts.reused === null ? facts.last : facts.reused - 1;
  if (facts.reused === null ? end >= place.sequence : end > place.sequence)
    return from(place.sequence + 1, facts, place.incarnation, []);
  return from(end + 1, facts, place.incarnation + 1, [{ kind: "regressed", records: place.sequence - end }]);
}

/** Goes on at `start`, or at the first message behind it that is still there. */
function from(
  start: number,
  { first, last }: StreamFacts,
  incarnation: number,
  events: readonly StreamEvent[],
): Resumption {
  if (first <= start) return { start, incarnation, events };
  const gone: StreamEvent = { kind: first > last ? "purged" : "gap", records: first - start };
  return { start: first, incarnation, events: [...events, gone] };
}
