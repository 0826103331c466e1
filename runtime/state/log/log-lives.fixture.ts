// Lives of a commit log on a disk that ends in every way, and what must hold between them: all that was acknowledged is there,
// with its own bytes, and behind it at most what was being written. Bodies say their number and their life, so that
// one of another life or place is found out.

import { expect } from "vitest";
import { WeirError } from "../../errors.ts";
import { type CommitLog, openCommitLog } from "./commit-log.ts";
import type { LogRecovery } from "./commit-log.ts";
import type { MemoryDisk } from "./memory-disk.ts";

/** Numbers from 0 to below 1 that come again with the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function seededBytes(seed: number): (bytes: number) => Uint8Array {
  const random = seeded(seed);
  return (bytes) => Uint8Array.from({ length: bytes }, () => random() * 256);
}

export type Step = { readonly append: number } | { readonly checkpoint: true };

const encoder = new TextEncoder();

/** The texts of all commits: a snapshot's, and those of the commits behind it. */
export function textsOf(recovery: LogRecovery): string[] {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
  const before = recovery.snapshot === null ? [] : (JSON.parse(text(recovery.snapshot)) as string[]);
  return [...before, ...recovery.commits.map(text)];
}

export function snapshotOf(texts: readonly string[]): Uint8Array {
  return encoder.encode(JSON.stringify(texts));
}

/** What the outside knows of one log. */
export class Witness {
  /** Of commits that stand, in order. */
  readonly texts: string[] = [];
  /** The one that was being written when a life ended. */
  #pending: string | null = null;
  #life = 0;
  #epoch = 0;
  #id: string | null = null;

  /** One life: opens, does the steps, closes. What it was refused with; null when all went well. */
  async live(disk: MemoryDisk, steps: readonly Step[], seed: number): Promise<WeirError | null> {
    this.#life++;
    try {
      const options = { random: seededBytes(seed), reserveBytes: 8192 };
      const { log, recovery } = await openCommitLog(disk, options);
      this.#check(log, recovery);
      for (const step of steps) await this.#do(log, step);
      await log.close();
      return null;
    } catch (error) {
      if (error instanceof WeirError && /^WEIR_(STATE|DISK_FULL)$/.test(error.code)) return error;
      throw error;
    }
  }

  #check(log: CommitLog, recovery: LogRecovery): void {
    const found = textsOf(recovery);
    const more = found.length > this.texts.length ? [this.#pending] : [];
    expect(found).toEqual([...this.texts, ...more]);
    expect(recovery.epoch).toBeGreaterThan(this.#epoch);
    expect(log.id).toBe(this.#id ?? log.id);
    this.texts.splice(0, Infinity, ...found);
    this.#pending = null;
    this.#epoch = recovery.epoch;
    // Before a commit there is nothing that another log could be taken for.
    if (found.length > 0) this.#id = log.id;
  }

  async #do(log: CommitLog, step: Step): Promise<void> {
    if ("checkpoint" in step) {
      await log.checkpoint(snapshotOf(this.texts));
      return;
    }
    const text = `${this.texts.length + 1} of life ${this.#life} ${"x".repeat(step.append)}`;
    this.#pending = text;
    expect(await log.append(encoder.encode(text))).toBe(this.texts.length + 1);
    this.texts.push(text);
    this.#id = log.id;
    this.#pending = null;
  }
}
