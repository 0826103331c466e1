// Room that is kept for a last commit on a full disk: a file that says nothing and is removed when it comes to that. Where the
// disk is small the file is, and where there is no room for it there is none.

import { limits } from "../../limits.ts";
import { pageBytes } from "./block.ts";
import type { Disk } from "./disk.ts";
import { isLackOfRoom } from "./disk-fault.ts";
import { reserveName, unfinished } from "./file-names.ts";

const pieceBytes = 1_048_576;

/** How long the file is to be; 0 for none. */
export function reserveBytes(free: number | null, most: number): number {
  const share = Math.min(most, (free ?? 0) * limits.log_reserve_share);
  return Math.floor(share / pageBytes) * pageBytes;
}

export class Reserve {
  readonly #disk: Disk;
  readonly #most: number;
  /** What it is filled with: a disk that compresses would keep no room for zeros. */
  readonly #random: (bytes: number) => Uint8Array;
  #kept: boolean;

  constructor(disk: Disk, most: number, random: (bytes: number) => Uint8Array, kept: boolean) {
    this.#disk = disk;
    this.#most = most;
    this.#random = random;
    this.#kept = kept;
  }

  /** Makes the file where there is none and room for it. */
  async keep(): Promise<void> {
    if (this.#kept) return;
    const length = reserveBytes(await this.#disk.free(), this.#most);
    if (length === 0) return;
    const name = unfinished(reserveName);
    await this.#disk.remove(name);
    try {
      await this.#fill(name, length);
    } catch (error) {
      if (!isLackOfRoom(error)) throw error;
      await this.#disk.remove(name);
      return;
    }
    await this.#disk.rename(name, reserveName);
    this.#kept = true;
  }

  /** Tries once more, with the room that was kept, where there is none. `task`: leaves nothing behind when it fails so. */
  async tryWith<Done>(task: () => Promise<Done>): Promise<Done> {
    try {
      return await task();
    } catch (error) {
      if (!isLackOfRoom(error) || !(await this.#release())) throw error;
      return await task();
    }
  }

  /** True when room was made: once, until `keep` made the file again. */
  async #release(): Promise<boolean> {
    if (!this.#kept) return false;
    this.#kept = false;
    await this.#disk.remove(reserveName);
    await this.#disk.syncNames();
    return true;
  }

  async #fill(name: string, length: number): Promise<void> {
    const piece = this.#random(Math.min(length, pieceBytes));
    const file = await this.#disk.create(name);
    try {
      for (let position = 0; position < length; position += piece.length)
        await file.write(position, piece.subarray(0, length - position));
    } finally {
      await file.close();
    }
  }
}
