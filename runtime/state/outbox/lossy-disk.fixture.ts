// A disk in memory that forgets at a crash what was not synchronised: bytes since a file's last `sync`, in any part, and
// names since the last `syncNames`.

import type { Disk, DiskFile } from "../log/disk.ts";

interface Inode {
  bytes: Uint8Array;
  synced: Uint8Array;
}

export class LossyDisk {
  /** Called before each change; throws to make it fail. */
  beforeChange: (what: string) => void = () => {};
  names: Map<string, Inode> = new Map();
  #syncedNames: Map<string, Inode> = new Map();
  #life = 0;

  get life(): number {
    return this.#life;
  }

  /** What a process that starts afterwards finds. `random` says how much of what was not synchronised is there. */
  crash(random: () => number): void {
    this.#life++;
    const names = random() < 0.5 ? this.#syncedNames : this.names;
    for (const inode of names.values()) {
      const left = inode.bytes.slice(0, Math.floor(random() * (inode.bytes.length + 1)));
      const bytes = new Uint8Array(Math.max(left.length, inode.synced.length));
      bytes.set(left);
      bytes.set(inode.synced);
      // What was written last may be on the disk as zeros.
      if (random() < 0.3) bytes.fill(0, inode.synced.length);
      inode.bytes = bytes;
      inode.synced = bytes.slice();
    }
    this.names = new Map(names);
    this.#syncedNames = new Map(names);
  }

  syncNames(): void {
    this.#syncedNames = new Map(this.names);
  }

  /** The disk as one process has it: once that was killed, all that it asks for waits for ever. */
  process(): Disk {
    return new ProcessDisk(this);
  }
}

class ProcessDisk implements Disk {
  readonly place: string = "a disk in memory";
  readonly #disk: LossyDisk;
  readonly #life: number;

  constructor(disk: LossyDisk) {
    this.#disk = disk;
    this.#life = disk.life;
  }

  list(): Promise<readonly string[]> {
    return this.#do(() => [...this.#disk.names.keys()]);
  }

  create(name: string): Promise<DiskFile> {
    return this.#change(`create ${name}`, () => {
      if (this.#disk.names.has(name)) throw new Error(`${name} exists`);
      const inode = { bytes: new Uint8Array(0), synced: new Uint8Array(0) };
      this.#disk.names.set(name, inode);
      return this.#fileOf(name, inode);
    });
  }

  open(name: string): Promise<DiskFile> {
    return this.#do(() => this.#fileOf(name, this.#inode(name)));
  }

  rename(from: string, to: string): Promise<void> {
    return this.#change(`rename ${from}`, () => {
      this.#disk.names.set(to, this.#inode(from));
      this.#disk.names.delete(from);
    });
  }

  remove(name: string): Promise<void> {
    return this.#change(`remove ${name}`, () => {
      this.#disk.names.delete(name);
    });
  }

  syncNames(): Promise<void> {
    return this.#change("sync names", () => this.#disk.syncNames());
  }

  free(): Promise<number | null> {
    return Promise.resolve(null);
  }

  lock(): Promise<{ release(): Promise<void> } | null> {
    return Promise.resolve({ release: () => Promise.resolve() });
  }

  #inode(name: string): Inode {
    const inode = this.#disk.names.get(name);
    if (inode === undefined) throw new Error(`there is no ${name}`);
    return inode;
  }

  #fileOf(name: string, inode: Inode): DiskFile {
    return {
      size: () => this.#do(() => inode.bytes.length),
      read: (position, length) => this.#do(() => inode.bytes.slice(position, position + length)),
      write: (position, bytes) =>
        this.#change(`write ${name}`, () => {
          const longer = new Uint8Array(Math.max(inode.bytes.length, position + bytes.length));
          longer.set(inode.bytes);
          longer.set(bytes, position);
          inode.bytes = longer;
        }),
      sync: () =>
        this.#change(`sync ${name}`, () => {
          inode.synced = inode.bytes.slice();
        }),
      truncate: (length) =>
        this.#change(`truncate ${name}`, () => {
          inode.bytes = inode.bytes.slice(0, length);
        }),
      close: () => Promise.resolve(),
    };
  }

  #change<T>(what: string, change: () => T): Promise<T> {
    return this.#do(() => {
      this.#disk.beforeChange(what);
      return change();
    });
  }

  async #do<T>(task: () => T): Promise<T> {
    await Promise.resolve();
    return this.#life === this.#disk.life ? task() : new Promise<T>(() => {});
  }
}
