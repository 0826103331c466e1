// What pipelines keep, on its way from one host to the next: a key-value bucket of NATS with, for each pipeline, a mark that says
// whose turn left something or has begun, written compare-and-set, and the pieces of what was left. Decides nothing.

import type { KV } from "@nats-io/kv";
import { z } from "zod";
import { bucketsOf, isOutdated } from "../connect/key-value.ts";
import type { NatsLink } from "../connect/nats-connection.ts";
import { WeirError } from "../errors.ts";
import { tokensOf } from "../instance.ts";

export const handoverBucket = "weir_handover";

/** Of the turn that left or began last. */
export interface LeftMark {
  readonly kind: "left";
  readonly term: number;
  readonly host: string;
  readonly pieces: number;
  readonly bytes: number;
  /** SHA-256 of all pieces. */
  readonly digest: string;
}

export interface BegunMark {
  readonly kind: "begun";
  readonly term: number;
  readonly host: string;
  /** The turn of the same host that it goes on with; null for none. */
  readonly resumes: number | null;
  /** What it took of the turn before; null for nothing. */
  readonly took: LeftMark | null;
}

export type Mark = LeftMark | BegunMark;

const term = z.int().positive();
const left = z.object({
  kind: z.literal("left"),
  term,
  host: z.string(),
  pieces: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
  digest: z.string(),
});
const begun = z.object({
  kind: z.literal("begun"),
  term,
  host: z.string(),
  resumes: term.nullable(),
  took: left.nullable(),
});
const mark: z.ZodType<Mark> = z.discriminatedUnion("kind", [left, begun]);

export interface MarkEntry {
  readonly mark: Mark | null;
  /** Of the entry that the next mark takes the place of; null for none. */
  readonly sequence: number | null;
}

const markKey = (name: string): string => `mark.${tokensOf(name)}`;
const pieceKey = (name: string, term: number, piece: number): string =>
  `piece.${tokensOf(name)}.term.${term}.${piece}`;

export class HandoverBucket {
  readonly #store: KV;

  private constructor(store: KV) {
    this.#store = store;
  }

  /** The bucket, which is made where it is not there. */
  static async open(link: NatsLink): Promise<HandoverBucket> {
    return new HandoverBucket(await bucketsOf(link).create(handoverBucket, { history: 1 }));
  }

  async mark(name: string): Promise<MarkEntry> {
    const entry = await this.#store.get(markKey(name));
    if (entry === null) return { mark: null, sequence: null };
    const read = mark.safeParse(entry.json());
    return { mark: read.success ? read.data : null, sequence: entry.revision };
  }

  /** False where somebody else was faster. */
  async setMark(name: string, value: Mark, sequence: number | null): Promise<boolean> {
    const [key, text] = [markKey(name), JSON.stringify(value)];
    try {
      if (sequence === null) await this.#store.create(key, text);
      else await this.#store.update(key, text, sequence);
      return true;
    } catch (error) {
      if (isOutdated(error)) return false;
      throw error;
    }
  }

  async putPiece(name: string, term: number, piece: number, bytes: Uint8Array): Promise<void> {
    await this.#store.put(pieceKey(name, term, piece), bytes);
  }

  /** What was left, piece by piece; throws WEIR_STATE where one is not there any more. */
  async *pieces(name: string, { term, pieces }: LeftMark): AsyncGenerator<Uint8Array> {
    for (let piece = 0; piece < pieces; piece++) {
      const entry = await this.#store.get(pieceKey(name, term, piece));
      if (entry === null || entry.operation !== "PUT")
        throw new WeirError("WEIR_STATE", `piece ${piece + 1} of ${pieces} is not there any more`, {
          remedy: `somebody has taken it out of the bucket ${handoverBucket}`,
        });
      yield entry.value;
    }
  }

  /** Lets go of what was left. */
  async forget(name: string, { term, pieces }: LeftMark): Promise<void> {
    const keys = Array.from({ length: pieces }, (_, piece) => pieceKey(name, term, piece));
    await Promise.all(keys.map((key) => this.#store.purge(key)));
  }
}
