// A disk whose calls take virtual time and are where a crash may come: before a call reached the disk, or after it and before
// the caller heard of it. What a crash leaves is the business of the disk underneath.

import type { Disk, DiskFile } from "../../state/log/disk.ts";
import type { MemoryDisk } from "../../state/log/memory-disk.ts";
import type { Life } from "./life.ts";
import type { Random } from "./random.ts";

/** How long calls take, ms. */
export interface DiskPace {
  readonly call_ms: number;
  readonly sync_ms: number;
}

/** How long calls of a usual disk take. */
export const diskPace: DiskPace = { call_ms: 0.2, sync_ms: 8 };
/** What a disk has room for that nobody fills. */
export const room_bytes = 100_000_000;

export function usedBytes(disk: MemoryDisk): number {
  let used = 0;
  for (const bytes of disk.files().values()) used += bytes.length;
  return used;
}

export class ScheduledDisk implements Disk {
  readonly place: string;
  readonly #disk: Disk;
  readonly #life: Life;
  readonly #random: Random;
  readonly #pace: DiskPace;

  constructor(disk: Disk, life: Life, random: Random, pace: DiskPace) {
    this.place = disk.place;
    this.#disk = disk;
    this.#life = life;
    this.#random = random;
    this.#pace = pace;
  }

  list(): Promise<readonly string[]> {
    return this.#call("list", () => this.#disk.list());
  }

  async create(name: string): Promise<DiskFile> {
    return this.#file(await this.#call("create", () => this.#disk.create(name)));
  }

  async open(name: string): Promise<DiskFile> {
    return this.#file(await this.#call("open", () => this.#disk.open(name)));
  }

  rename(from: string, to: string): Promise<void> {
    return this.#call("rename", () => this.#disk.rename(from, to));
  }

  remove(name: string): Promise<void> {
    return this.#call("remove", () => this.#disk.remove(name));
  }

  syncNames(): Promise<void> {
    return this.#sync("sync names", () => this.#disk.syncNames());
  }

  free(): Promise<number | null> {
    return this.#call("free", () => this.#disk.free());
  }

  lock(): Promise<{ release(): Promise<void> } | null> {
    return this.#call("lock", async () => {
      const lock = await this.#disk.lock();
      // It ends with the process, however that ends.
      this.#life.onEnd(() => void lock?.release());
      return lock;
    });
  }

  #file(file: DiskFile): DiskFile {
    return {
      size: () => this.#call("size", () => file.size()),
      read: (position, length) => this.#call("read file", () => file.read(position, length)),
      // The caller may use the memory again once this resolved, and not before.
      write: (position, bytes) => this.#call("write", () => file.write(position, bytes)),
      sync: () => this.#sync("sync", () => file.sync()),
      truncate: (length) => this.#call("truncate", () => file.truncate(length)),
      close: () => this.#call("close", () => file.close()),
    };
  }

  #sync<T>(label: string, act: () => Promise<T>): Promise<T> {
    return this.#after(label, this.#pace.sync_ms * (0.5 + this.#random.next()), act);
  }

  #call<T>(label: string, act: () => Promise<T>): Promise<T> {
    return this.#after(label, this.#pace.call_ms * this.#random.next(), act);
  }

  #after<T>(label: string, ms: number, act: () => Promise<T>): Promise<T> {
    const life = this.#life;
    return new Promise((resolve, reject) => {
      if (!life.callsOut(label)) return;
      life.scheduler.after(ms, label, () => {
        if (!life.alive) return;
        act().then(
          (answer) => {
            if (life.callsOut(label)) resolve(answer);
          },
          (fault: unknown) => {
            if (life.callsOut(label)) reject(fault instanceof Error ? fault : new Error(String(fault)));
          },
        );
      });
    });
  }
}
