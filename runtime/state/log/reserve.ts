// Room that is kept on a disk that becomes full: a file that says nothing. Most of it is for a last commit; what is left then is for
// the next starts, because a log that cannot be opened could send nothing, and no room would ever come of what waits. Where the
// disk is small the file is, and where there is no room for it there is none.

import { limits } from "../../limits.ts";
import { pageBytes } from "./block.ts";
import type { Disk, DiskFile } from "./disk.ts";
import { isLackOfRoom } from "./disk-fault.ts";
import { reserveName, startReserveName, unfinished } from "./file-names.ts";

const pieceBytes = 1_048_576;

/** All of it, what is for starts, or nothing. */
export type Kept = "whole" | "start" | "none";

/** How long the file is to be; 0 for none. */
export function reserveBytes(free: number | null, most: number): number {
  return paged(Math.min(most, (free ?? 0) * limits.log_reserve_share));
}

const startBytes = (whole: number): number => paged(whole * limits.log_reserve_start_share);
const paged = (bytes: number): number => Math.floor(bytes / pageBytes) * pageBytes;

export class Reserve {
  readonly #disk: Disk;
  readonly #most: number;
  /** What it is filled with: a disk that compresses would keep no room for zeros. */
  readonly #random: (bytes: number) => Uint8Array;
  #kept: Kept;
  /** The disk was full: what there is goes to the next starts first. */
  #wasNeeded = false;

  constructor(disk: Disk, most: number, random: (bytes: number) => Uint8Array, kept: Kept) {
    this.#disk = disk;
    this.#most = most;
    this.#random = random;
    this.#kept = kept;
  }

  /** Makes the file where there is none and room for it. */
  async keep(): Promise<void> {
    if (this.#kept === "whole") return;
    const free = (await this.#disk.free()) ?? 0;
    if (this.#kept === "none" && this.#wasNeeded) {
      const most = Math.min(startBytes(this.#most), free * limits.log_reserve_scarce_share);
      if (await this.#make(startReserveName, paged(most))) this.#kept = "start";
      return;
    }
    const started = this.#kept === "start" ? await this.#sizeOf(startReserveName) : 0;
    const length = reserveBytes(free + started, this.#most);
    // As long as it would leave less to the next starts, it stays as it is.
    if (startBytes(length) < started || !(await this.#make(reserveName, length))) return;
    await this.#disk.remove(startReserveName);
    this.#kept = "whole";
    this.#wasNeeded = false;
  }

  /** Tries once more, with the room that was kept, where there is none. `task`: leaves nothing behind when it fails so. */
  tryWith<Done>(task: () => Promise<Done>): Promise<Done> {
    return this.#try(task, false);
  }

  /** The same with all of it: a start. */
  tryStart<Done>(task: () => Promise<Done>): Promise<Done> {
    return this.#try(task, true);
  }

  async #try<Done>(task: () => Promise<Done>, isStart: boolean): Promise<Done> {
    for (;;) {
      try {
        return await task();
      } catch (error) {
        if (!isLackOfRoom(error) || !(await this.#release(isStart))) throw error;
      }
    }
  }

  /** True when room was made: once, until `keep` made the file again. */
  async #release(isStart: boolean): Promise<boolean> {
    const isWhole = this.#kept === "whole";
    if (!isWhole && !(isStart && this.#kept === "start")) return false;
    this.#wasNeeded = true;
    if (isWhole) await this.#shorten();
    else await this.#disk.remove(startReserveName);
    this.#kept = isWhole ? "start" : "none";
    await this.#disk.syncNames();
    return true;
  }

  /** Somebody may have removed it, for the room. */
  async #shorten(): Promise<void> {
    const file = await this.#opened(reserveName);
    if (file === null) return;
    try {
      await file.truncate(startBytes(await file.size()));
      await file.sync();
    } finally {
      await file.close();
    }
    await this.#disk.rename(reserveName, startReserveName);
  }

  async #sizeOf(name: string): Promise<number> {
    const file = await this.#opened(name);
    if (file === null) return 0;
    try {
      return await file.size();
    } finally {
      await file.close();
    }
  }

  async #opened(name: string): Promise<DiskFile | null> {
    const isThere = (await this.#disk.list()).includes(name);
    return isThere ? this.#disk.open(name) : null;
  }

  /** False where there is no room for it. */
  async #make(name: string, length: number): Promise<boolean> {
    if (length === 0) return false;
    await this.#disk.remove(unfinished(reserveName));
    try {
      await this.#fill(unfinished(reserveName), length);
    } catch (error) {
      if (!isLackOfRoom(error)) throw error;
      await this.#disk.remove(unfinished(reserveName));
      return false;
    }
    await this.#disk.rename(unfinished(reserveName), name);
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
