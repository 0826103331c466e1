// What of the outbox goes to the disk, and when: all that a snapshot needs, and what memory has no room for. Works on the
// chains that it is given; never changes which entries a chain has.

import type { Clock } from "../../clock.ts";
import { messageOf } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { neededFiles } from "./manifest.ts";
import type { KeptChain, OutboxChain } from "./outbox-chain.ts";
import type { OutboxFiles } from "./outbox-files.ts";
import type { Piece } from "./piece.ts";
import { type Group, groupsToSpill } from "./spill.ts";

export class OutboxStore {
  readonly files: OutboxFiles;
  readonly #clock: Clock;
  /** On the disk for a commit to come: no chain has them yet. */
  coming: readonly Piece[] = [];
  readonly #memoryBytes: number;
  readonly #chains: () => readonly OutboxChain[];
  /** Called when memory has room again. */
  readonly #relieved: () => void;
  /** Files that the last two snapshots need: the log may go back to the one before the last. */
  #named: readonly ReadonlySet<number>[];
  #naming: ReadonlySet<number> | null = null;
  /** Work goes one after the other. */
  #work: Promise<unknown> = Promise.resolve();
  #relieving = false;
  /** Takes back that memory is relieved once more, where that failed. */
  #cancelRetry: () => void = () => {};
  #fault: string | null = null;

  constructor(
    files: OutboxFiles,
    clock: Clock,
    named: ReadonlySet<number>,
    memoryBytes: number,
    chains: () => readonly OutboxChain[],
    relieved: () => void,
  ) {
    this.files = files;
    this.#clock = clock;
    this.#named = [named];
    this.#memoryBytes = memoryBytes;
    this.#chains = chains;
    this.#relieved = relieved;
  }

  /** Why memory could not be relieved lately, or rows not be read; null when all is well. */
  get fault(): string | null {
    return this.#fault ?? this.files.waiting;
  }

  get memoryBytes(): number {
    let bytes = 0;
    for (const { uncutBytes, pieces } of this.#chains()) {
      bytes += uncutBytes;
      for (const { block } of pieces) bytes += block?.length ?? 0;
    }
    return bytes;
  }

  /** Memory holds so much that whoever adds has to wait. */
  get isFull(): boolean {
    return this.memoryBytes >= this.#memoryBytes * 2;
  }

  /** Makes all pieces of `kept` durable on the disk. */
  keep(kept: readonly KeptChain[]): Promise<void> {
    return this.alone(async () => {
      for (const { name, pieces } of kept) await this.#spill(name, pieces, Number.POSITIVE_INFINITY);
      await this.files.sync();
      this.#naming = new Set(neededFiles(kept.flatMap(({ pieces }) => pieces)).keys());
    });
  }

  /** What `keep` was given last is in a durable snapshot: files that neither that, nor the one before, nor a chain needs go. */
  kept(): Promise<void> {
    if (this.#naming !== null) this.#named = [this.#naming, ...this.#named].slice(0, 2);
    this.#naming = null;
    return this.letGo();
  }

  /** Removes files that no snapshot, present or to come, and no chain needs. */
  letGo(): Promise<void> {
    return this.alone(() => {
      const inUse = neededFiles([...this.#chains().flatMap(({ pieces }) => pieces), ...this.coming]).keys();
      const named = [...this.#named, this.#naming ?? []].flatMap((files) => [...files]);
      return this.files.keepOnly(new Set([...named, ...inUse]));
    });
  }

  /** Begins to write what memory has no room for, the oldest of the largest chain first. */
  relieve(): void {
    if (this.#relieving || this.memoryBytes <= this.#memoryBytes) return;
    this.#relieving = true;
    this.#cancelRetry();
    this.alone(async () => {
      for (let surplus = this.#surplus(); surplus > 0; surplus = this.#surplus()) {
        const fullest = this.#fullest();
        if (fullest === null) break;
        await this.#spill(fullest.name, fullest.pieces, surplus);
      }
      this.#fault = null;
    })
      // It stays in memory, and whoever asks for room waits: nothing else may come of which anybody would try it again.
      .catch((error: unknown) => {
        this.#fault = messageOf(error);
        this.#cancelRetry = this.#clock.after(limits.outbox_relieve_again_ms, () => this.relieve());
      })
      .finally(() => {
        this.#relieving = false;
        this.#relieved();
      });
  }

  async close(): Promise<void> {
    this.#cancelRetry();
    this.files.end();
    await this.alone(() => this.files.close());
  }

  /** Runs `work` when all other work is done. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => {});
    return done;
  }

  #surplus(): number {
    return this.memoryBytes - this.#memoryBytes * 0.75;
  }

  #fullest(): KeptChain | null {
    const [fullest] = this.#chains()
      .map((chain) => chain.kept())
      .sort((one, other) => memoryOf(other.pieces) - memoryOf(one.pieces));
    return fullest === undefined || memoryOf(fullest.pieces) === 0 ? null : fullest;
  }

  /** Writes the oldest pieces that are in memory, `bytes` of them where there are so many. */
  async #spill(name: string, pieces: readonly Piece[], bytes: number): Promise<void> {
    let written = 0;
    for (const group of groupsToSpill(pieces)) {
      if (written >= bytes) break;
      written += memoryOf(group);
      await this.#write(name, group);
    }
    for (const chain of this.#chains()) chain.join();
  }

  async #write(writer: string, group: Group): Promise<void> {
    const blocks: Uint8Array[] = [];
    for (const { block, place } of group) blocks.push(block ?? (await this.files.readBlock(place!)));
    const rows = group.reduce((sum, { count }) => sum + count, 0);
    const place = await this.files.append(writer, Buffer.concat(blocks), rows);
    let skip = 0;
    for (const piece of group) {
      piece.place = { ...place, skip };
      piece.block = null;
      skip += piece.count;
    }
  }
}

function memoryOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { block }) => sum + (block?.length ?? 0), 0);
}
