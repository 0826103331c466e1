// A chain: the outputs of one pipeline for one place, in the order of their numbers, of which the other side can tell how
// far it has them. The ports between the outbox and whoever stores the rows; nothing here sends anything.

import type { Entry } from "../../state/outbox/entry.ts";

/** Who sends. */
export interface ChainIdentity {
  /** Unique for ever: made with the commit log, so that numbers of a log that was thrown away mean nothing. */
  readonly id: string;
  /** Grows with each start of the log; whoever meets a greater one of its own chain has been replaced. */
  readonly epoch: number;
  /**
   * Which turn it is, where a pipeline may go from host to host: whoever has a later one has taken its place. Absent where
   * nobody hands it on.
   */
  readonly term?: number;
}

/** How far the other side has a chain. */
export interface Tail {
  /** The number of the last entry that it holds for certain; 0 when it has none. */
  readonly number: number;
  /** The epoch of whoever sent that; 0 when there is none, or nobody can tell. */
  readonly epoch: number;
  /** What was confirmed may be gone: all that is kept is to be sent again; the target leaves out what is there. */
  readonly regressed?: true;
  /** How many entries up to `number` are not known to have landed and will not be sent again. */
  readonly doubtful?: number;
}

/**
 * Where the other side had a chain, as far as it is known: entry `number` was stored as `sequence` of the stream that was made
 * at `created`. Plain data that may be written down and given to the target of a later start, which then can tell what an empty
 * stream, or one that lost its end, still had. Without it targets assume the least.
 */
export type Place = {
  readonly created: string;
  readonly sequence: number;
  readonly number: number;
  /** The stream lost some of it, and has not got all of that again. */
  readonly healing?: true;
  /** The subject of a lane, which may be called otherwise at the next start. */
  readonly subject?: string;
  /**
   * Where others write as well, the last message of the chain itself: entry `ownNumber` as `ownSequence`. A stream that lost its
   * end may have been filled up by them to where it was.
   */
  readonly ownSequence?: number;
  readonly ownNumber?: number;
};

export type Refusal =
  /** It can never be stored as it is: too large, a subject that nothing takes. */
  | { readonly kind: "never"; readonly reason: string }
  /** Not now: no room, no stream, no permission. */
  | { readonly kind: "later"; readonly reason: string };

export interface TargetEvents {
  /** All entries up to `number` are stored. */
  confirmed(number: number): void;
  /** The entry was not stored. Nothing behind it is, until `attach`. */
  refused(number: number, refusal: Refusal): void;
  /** Nobody knows what became of those that were sent and not confirmed: `attach` tells. */
  unsure(reason: string): void;
}

/** One place where rows of one chain go. */
export interface Target {
  /**
   * Asks the side that decides (a stream's leader) how far it has the chain, and makes ready to send what comes after.
   * `unconfirmed`: the entries that may have been sent by somebody and are not known to have landed, oldest first.
   * `confirmed`: the number before the first of them, known to have landed or to be settled otherwise.
   * Waits for the other side as long as it takes. Rejects with WEIR_FENCED where another sends for the same chain, and with
   * WEIR_CONFIG where the other side cannot take it at all.
   */
  attach(unconfirmed: readonly Entry[], confirmed: number): Promise<Tail>;
  /** Why an entry can never be sent, as a reason to be counted; null when it can. Absent where all can. */
  unfit?(entry: Entry): string | null;
  /** Rows that were confirmed and of which it is known by now that they never arrived, by reason. Absent where there are none. */
  readonly lost?: Readonly<Record<string, number>>;
  /** The last place that is known; null, or absent, where there is none. */
  readonly place?: Place | null;
  /**
   * Looks whether the other side is still the one that it was, and says `unsure` where it is not: for a chain that has
   * nothing to send, which would not learn of it otherwise. Absent where nothing can be asked.
   */
  check?(): Promise<void>;
  /** How many entries may be sent now. */
  readonly room: number;
  /** Sends the next entries, in order and without a gap behind those sent so far or behind the tail. */
  send(entries: readonly Entry[]): void;
  close(): Promise<void>;
}
