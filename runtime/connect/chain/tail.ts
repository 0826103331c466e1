// What follows from how far the other side has a chain. Pure: a function of what the outbox knows and what the tail says.

import type { Tail } from "./chain.ts";

/** What this side knows of the chain. Numbers are 0 where there is none. */
export interface Reach {
  /** The oldest entry that can be sent again; behind `last` where nothing is kept. */
  readonly oldest: number;
  /** The last entry that any start of this state may have sent: a commit said so before. */
  readonly last: number;
  /** The last entry that the other side is known to have stored. */
  readonly stored: number;
  /** The last entry that was sent since this start. */
  readonly sent: number;
  /** Of this start. */
  readonly epoch: number;
}

export type Decision =
  /** All is as it should be: send from `from` on. */
  | { readonly kind: "continue"; readonly from: number }
  /** The other side lost what it had stored from `from` on, and all of it is still here: send it again. */
  | { readonly kind: "heal"; readonly from: number }
  /** The same, but those from `first` to `last` are not here any more. */
  | { readonly kind: "gap"; readonly from: number; readonly first: number; readonly last: number }
  /** The other side has entries that this state never made, or never sent: it was rolled back, or a copy of it runs. */
  | { readonly kind: "fork"; readonly reason: string }
  /** A later start of the same chain has taken over. */
  | { readonly kind: "fenced"; readonly epoch: number };

/**
 * Numbers that were skipped (an entry that nothing takes, one that the outbox had to drop) leave the tail below what the
 * outbox calls confirmed without any loss. Therefore `stored`, not `confirmed`, is what the tail is held against: the last
 * number that was really stored, as far as this start knows. And therefore a jump of numbers behind the tail is no fault: what
 * is between the tail and the next entry was settled in another way, and counted there.
 */
export function decideTail(reach: Reach, tail: Tail): Decision {
  const { oldest, last, stored, sent, epoch } = reach;
  if (tail.epoch > epoch) return { kind: "fenced", epoch: tail.epoch };
  if (tail.number > last) {
    return {
      kind: "fork",
      reason: `it has entry ${tail.number}, and no more than ${last} can have been sent from here`,
    };
  }
  if (tail.epoch === epoch && tail.number > sent) {
    return {
      kind: "fork",
      reason: `it has entry ${tail.number} from start ${epoch}, and this one sent no further than ${sent}`,
    };
  }
  if (tail.regressed === true) return { kind: "heal", from: oldest };
  const from = tail.number + 1;
  if (tail.number >= stored) return { kind: "continue", from: Math.max(from, oldest) };
  if (oldest <= from) return { kind: "heal", from };
  return { kind: "gap", from: oldest, first: from, last: Math.min(oldest - 1, stored) };
}
