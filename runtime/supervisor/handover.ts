// How what a pipeline keeps goes from one host to the next, by way of the hub: one turn leaves it, another takes it.
//
// The hub's mark says which turn left something or has begun, and is written compare-and-set. What was left is taken only before
// any later turn has begun, and a turn that has begun lets nobody leave anything of one before. So nobody goes on with what is
// outdated, whoever is cut off or ended meanwhile. Looks once each time that it is asked; when to ask again, others decide.

import { createHash } from "node:crypto";
import { messageOf, WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { BegunMark, LeftMark, MarkEntry } from "./handover-bucket.ts";
import type { Happening } from "./situation.ts";
import type { WantedPipeline } from "./wanted.ts";

/** What of a host's disk is asked for; `TurnFolders` of the worker's room is one. */
export interface HandoverFolders {
  /** The turn that what is kept is of; null where nothing is. */
  termOf(name: string): number | null;
  /** Whether no worker has it. */
  isFree(name: string): Promise<boolean>;
  /** Ends a turn for good; null while a worker has it. */
  leave(name: string, term: number): Promise<HandoverFolder | null>;
  /** Whether what the turn before left is here, whole, and not yet in its place. */
  hasArrived(name: string, term: number): boolean;
  receive(name: string, term: number, pieces: AsyncIterable<Uint8Array>): Promise<void>;
  forgetArrived(name: string): void;
  /** Sees that what is kept is of that turn: what has arrived, what is here already (`resumes`), or nothing. */
  begin(name: string, term: number, resumes: boolean): void;
}

export interface HandoverFolder {
  readonly folder: string;
  /** Of its files; null where another host could not have all of it. */
  bytes(): Promise<number | null>;
  pieces(): AsyncIterable<Uint8Array>;
  carried(): void;
  release(): Promise<void>;
}

/** The bucket as it is needed here. */
export interface HandoverMarks {
  mark(name: string): Promise<MarkEntry>;
  setMark(
    name: string,
    value: NonNullable<MarkEntry["mark"]>,
    sequence: MarkEntry["sequence"],
  ): Promise<boolean>;
  putPiece(name: string, term: number, piece: number, bytes: Uint8Array): Promise<void>;
  pieces(name: string, left: LeftMark): AsyncIterable<Uint8Array>;
  forget(name: string, left: LeftMark): Promise<void>;
}

/** What is in the way; or that it is done, and what there is to tell of it. */
export type Outcome = string | Omit<Happening, "name"> | null;

export const waitsForWorker = "its worker has not let go of it yet";
const another = "another host has a later turn";

export class Handover {
  readonly #host: string;
  readonly #folders: HandoverFolders;

  constructor(host: string, folders: HandoverFolders) {
    this.#host = host;
    this.#folders = folders;
  }

  /** A turn that ends here leaves what it keeps. */
  async leave(pipeline: WantedPipeline, bucket: HandoverMarks): Promise<Outcome> {
    const { name, term = 0 } = pipeline;
    const folders = this.#folders;
    const { mark } = await bucket.mark(name);
    this.#finishArrival(name, mark);
    const own = folders.termOf(name);
    // A turn that never began has nothing of its own: what the one before left is there still.
    if (own !== term && !isNewest(own, pipeline, mark, this.#host)) {
      folders.forgetArrived(name);
      return null;
    }
    const leaving = await folders.leave(name, term);
    if (leaving === null) return waitsForWorker;
    try {
      return await this.#send(name, term, leaving, bucket);
    } finally {
      await leaving.release();
    }
  }

  async #send(name: string, term: number, leaving: HandoverFolder, bucket: HandoverMarks): Promise<Outcome> {
    const { mark, sequence } = await bucket.mark(name);
    if (mark !== null && mark.term > term) return null;
    if (mark?.kind === "left" && mark.term === term) {
      leaving.carried();
      return null;
    }
    const size = await leaving.bytes();
    if (size === null || size > limits.handover_bytes_max) {
      const why =
        size === null
          ? "there is more than files in it"
          : `${size} bytes, ${limits.handover_bytes_max} may go`;
      const reason = `what it keeps stays in ${leaving.folder}, and its next host begins anew: ${why}`;
      return { what: "failed", reason };
    }
    const digest = createHash("sha256");
    let [pieces, bytes] = [0, 0];
    for await (const piece of cut(leaving.pieces(), limits.handover_piece_bytes)) {
      await bucket.putPiece(name, term, pieces++, piece);
      digest.update(piece);
      bytes += piece.length;
    }
    const host = this.#host;
    const left = { kind: "left", term, host, pieces, bytes, digest: digest.digest("hex") } as const;
    if (!(await bucket.setMark(name, left, sequence))) return "somebody else was faster";
    leaving.carried();
    if (mark?.kind === "left") await bucket.forget(name, mark).catch(() => undefined);
    return { what: "left", reason: `what it keeps goes to its next host: ${bytes} bytes` };
  }

  /** What has come for a turn that the hub knows to have begun here is this host's. */
  #finishArrival(name: string, mark: MarkEntry["mark"]): void {
    const [folders, host] = [this.#folders, this.#host];
    if (mark?.kind === "begun" && mark.host === host && folders.hasArrived(name, mark.term))
      folders.begin(name, mark.term, false);
  }

  /** A turn that begins here takes what the one before it left. */
  async take(pipeline: WantedPipeline, bucket: HandoverMarks): Promise<Outcome> {
    const { name, term = 0 } = pipeline;
    const folders = this.#folders;
    const { mark, sequence } = await bucket.mark(name);
    if (mark !== null && mark.term >= term && !isBegun(mark, term)) return another;
    if (!(await folders.isFree(name))) return waitsForWorker;
    this.#finishArrival(name, mark);
    if (folders.termOf(name) === term)
      return this.#taken(name, isBegun(mark, term) ? mark.took : null, bucket);
    return this.#begin(pipeline, mark, sequence, bucket);
  }

  async #begin(
    { name, term = 0, carries = 0, resumes: isOwn }: WantedPipeline,
    mark: MarkEntry["mark"],
    sequence: MarkEntry["sequence"],
    bucket: HandoverMarks,
  ): Promise<Outcome> {
    const [folders, host] = [this.#folders, this.#host];
    const own = folders.termOf(name);
    const resumes = isNewest(own, { term, carries, resumes: isOwn }, mark, host);
    const left = mark?.kind === "left" && mark.term >= carries && !resumes ? mark : null;
    const fault = left === null ? null : await this.#receive(name, term, left, bucket);
    const took = fault === null ? left : null;
    const begun: BegunMark = { kind: "begun", term, host, resumes: resumes ? own : null, took };
    if (!isBegun(mark, term) && !(await bucket.setMark(name, begun, sequence)))
      return "somebody else was faster";
    folders.begin(name, term, resumes);
    if (resumes) return { what: "taken", reason: "it goes on with what it kept here" };
    if (took !== null) return this.#taken(name, took, bucket);
    return term === 1 ? null : { what: "begun_anew", reason: fault ?? "the host before left nothing" };
  }

  async #taken(name: string, took: LeftMark | null, bucket: HandoverMarks): Promise<Outcome> {
    if (took === null) return null;
    // Nobody needs it any more. Where the hub is away just now, it stays there until somebody removes it.
    await bucket.forget(name, took).catch(() => undefined);
    return { what: "taken", reason: `it goes on with what ${took.host} kept` };
  }

  /** Null once it is here; else why it will never be. */
  async #receive(name: string, term: number, left: LeftMark, bucket: HandoverMarks): Promise<string | null> {
    if (this.#folders.hasArrived(name, term)) return null;
    const digest = createHash("sha256");
    async function* checked(): AsyncGenerator<Uint8Array> {
      for await (const piece of bucket.pieces(name, left)) {
        digest.update(piece);
        yield piece;
      }
      if (digest.digest("hex") !== left.digest)
        throw new WeirError("WEIR_STATE", "its digest is another one", { remedy: "nothing is to be done" });
    }
    try {
      await this.#folders.receive(name, term, checked());
      return null;
    } catch (error) {
      if (!(error instanceof WeirError) || error.code !== "WEIR_STATE") throw error;
      this.#folders.forgetArrived(name);
      return messageOf(error);
    }
  }
}

function isBegun(mark: MarkEntry["mark"], term: number): mark is BegunMark {
  return mark?.kind === "begun" && mark.term === term;
}

/**
 * Whether what a host kept of an earlier turn of its own is the newest there is: nobody has begun one since. A mark that is not
 * there says nothing: somebody may have taken it away.
 */
function isNewest(
  own: number | null,
  { term = 0, carries, resumes }: Pick<WantedPipeline, "term" | "carries" | "resumes">,
  mark: MarkEntry["mark"],
  host: string,
): boolean {
  if (own === null || own >= term) return false;
  // A turn that was to go on with it, and has not come to that.
  if (mark?.kind === "begun" && mark.host === host && mark.resumes === own) return true;
  if (isBegun(mark, term)) return false;
  if (resumes === true) return true;
  return mark !== null && carries !== undefined && own >= carries && own >= mark.term;
}

/** The same bytes in pieces of that size, the last one smaller. */
async function* cut(source: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let [rest, length]: [Uint8Array[], number] = [[], 0];
  for await (const piece of source) {
    rest.push(piece);
    length += piece.length;
    if (length < size) continue;
    const whole = Buffer.concat(rest);
    let from = 0;
    for (; from + size <= length; from += size) yield whole.subarray(from, from + size);
    [rest, length] = [[whole.subarray(from)], length - from];
  }
  if (length > 0) yield Buffer.concat(rest);
}
