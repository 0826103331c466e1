// A disk in memory, for simulation and tests, that does to files what a real one may: at a power cut it loses what was not
// synchronised, in part and out of order; it fails when it is told to; it is full at so many bytes; its bits rot.
// What happens is settled by the numbers that it is given, so that it happens again.
import type { Disk, DiskFile, DiskLock } from "./disk.ts";
import { MemoryFile, shareKept } from "./memory-file.ts";

export type DiskOperation = keyof Omit<Disk, "place"> | keyof DiskFile;

export interface DiskCall {
  readonly operation: DiskOperation;
  readonly name: string;
  /** 1 for the first call of this disk. */
  readonly count: number;
}

export interface MemoryDiskOptions {
  /**
   * The code of the error that a call is to fail with, as "EIO"; "stop" for one at which the process ends; "abort" for one at
   * which the system gives the disk up; null for none.
   */
  readonly fault?: (call: DiskCall) => string | null;
  /** Bytes that all files may have. */
  readonly room?: number;
}

/** What a disk that was given up does not do any more. */
const changing: ReadonlySet<DiskOperation> = new Set([
  "create",
  "open",
  "rename",
  "remove",
  "syncNames",
  "write",
  "sync",
  "truncate",
]);

type NameChange =
  | { readonly to: string; readonly file: MemoryFile; readonly from: string | null }
  | { readonly removed: string };

export class MemoryDisk implements Disk {
  readonly place: string = "memory";
  /** Bytes that all files may have. */
  room: number;
  /** Resolves when a fault has said "stop". */
  readonly stopped: Promise<void>;
  readonly #stop: () => void;
  readonly #fault: (call: DiskCall) => string | null;
  readonly #names: Map<string, MemoryFile>;
  #durableNames: Map<string, MemoryFile>;
  #nameChanges: NameChange[] = [];
  #calls = 0;
  #locked = false;
  #isDead = false;
  #isAborted = false;

  constructor(files: Iterable<readonly [string, MemoryFile]> = [], options: MemoryDiskOptions = {}) {
    this.#names = new Map(files);
    this.#durableNames = new Map(this.#names);
    this.#fault = options.fault ?? (() => null);
    this.room = options.room ?? Infinity;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.stopped = promise;
    this.#stop = resolve;
  }

  /** A disk with these files, all of them durable. */
  static of(files: Iterable<readonly [string, Uint8Array]>, options: MemoryDiskOptions = {}): MemoryDisk {
    return new MemoryDisk(
      Array.from(files, ([name, bytes]) => [name, new MemoryFile(bytes)] as const),
      options,
    );
  }

  /** Calls so far. */
  get calls(): number {
    return this.#calls;
  }

  /** What every file holds for those who read it. */
  files(): Map<string, Uint8Array> {
    return new Map(Array.from(this.#names, ([name, file]) => [name, file.read(0, file.length)]));
  }

  /** Turns bits of a byte around, as a disk does in time. */
  rot(name: string, position: number, mask: number): void {
    this.#names.get(name)?.flip(position, mask);
  }

  /**
   * The process ends; the system does not, and still holds all that was written, unless it gave the disk up: then somebody mounts
   * that anew. Calls on this disk never end from now on.
   */
  afterKill(options: MemoryDiskOptions = {}): MemoryDisk {
    this.#isDead = true;
    if (this.#isAborted) return this.#left(() => 0, options);
    const next = new MemoryDisk(this.#names, options);
    next.#durableNames = new Map(this.#durableNames);
    next.#nameChanges = [...this.#nameChanges];
    return next;
  }

  /** The power goes. */
  afterCrash(random: () => number, options: MemoryDiskOptions = {}): MemoryDisk {
    this.#isDead = true;
    return this.#left(random, options);
  }

  /** What is certain to be left if the power went now; this disk goes on. */
  durable(): MemoryDisk {
    return this.#left(() => 0, {});
  }

  #left(random: () => number, options: MemoryDiskOptions): MemoryDisk {
    const names = new Map(this.#durableNames);
    const share = shareKept(random);
    for (const change of this.#nameChanges) if (share() >= 0.5) apply(names, change);
    const left = Array.from(names, ([name, file]) => [name, file.afterCrash(random)] as const);
    return new MemoryDisk(left, options);
  }

  async list(): Promise<readonly string[]> {
    return this.#called("list", "") ?? [...this.#names.keys()].sort();
  }

  async create(name: string): Promise<DiskFile> {
    return this.#called("create", name) ?? this.#created(name);
  }

  async open(name: string): Promise<DiskFile> {
    return this.#called("open", name) ?? this.#handle(name, this.#found("open", name));
  }

  async rename(from: string, to: string): Promise<void> {
    return this.#called("rename", from) ?? this.#changeName({ to, file: this.#found("rename", from), from });
  }

  async remove(name: string): Promise<void> {
    return (
      this.#called("remove", name) ??
      (this.#names.has(name) ? this.#changeName({ removed: name }) : undefined)
    );
  }

  async syncNames(): Promise<void> {
    try {
      const never = this.#called("syncNames", "");
      if (never !== null) return never;
      if (this.#isAborted) return;
      for (const change of this.#nameChanges) apply(this.#durableNames, change);
    } catch (error) {
      // As with data: what a failed one leaves behind is seen, and will never be durable.
      this.#nameChanges = [];
      throw error;
    }
    this.#nameChanges = [];
  }

  async free(): Promise<number | null> {
    return (
      this.#called("free", "") ?? (this.room === Infinity ? null : Math.max(0, this.room - this.#used()))
    );
  }

  async lock(): Promise<DiskLock | null> {
    const never = this.#called("lock", "");
    if (never !== null) return never;
    if (this.#locked) return null;
    this.#locked = true;
    return {
      release: () => {
        this.#locked = false;
        return Promise.resolve();
      },
    };
  }

  #created(name: string): DiskFile {
    if (this.#names.has(name)) throw systemError("EEXIST", "create", name);
    const file = new MemoryFile();
    this.#changeName({ to: name, file, from: null });
    return this.#handle(name, file);
  }

  #handle(name: string, file: MemoryFile): DiskFile {
    return {
      size: async () => this.#called("size", name) ?? file.length,
      read: async (position, length) => this.#called("read", name) ?? file.read(position, length),
      write: async (position, bytes) => this.#write(name, file, position, bytes),
      sync: async () => this.#sync(name, file),
      truncate: async (length) => this.#called("truncate", name) ?? file.truncate(length),
      close: async () => this.#called("close", name) ?? undefined,
    };
  }

  #sync(name: string, file: MemoryFile): Promise<never> | void {
    try {
      const never = this.#called("sync", name);
      if (never !== null) return never;
      if (!this.#isAborted) file.sync();
    } catch (error) {
      file.dropVolatile();
      throw error;
    }
  }

  /** One that fails leaves the first half, unless the disk takes nothing any more. */
  #write(name: string, file: MemoryFile, position: number, bytes: Uint8Array): Promise<never> | void {
    try {
      const never = this.#called("write", name);
      if (never !== null) return never;
    } catch (error) {
      if (!this.#isAborted) file.write(position, bytes.subarray(0, bytes.length >> 1));
      throw error;
    }
    const free = this.room === Infinity ? Infinity : Math.max(0, this.room - this.#used());
    const fitting = Math.max(file.length, position) + free - position;
    file.write(position, bytes.subarray(0, Math.max(0, fitting)));
    if (fitting < bytes.length) throw systemError("ENOSPC", "write", name);
  }

  /** Null where the call goes on, at once: what it does is done by the time that it returns. */
  #called(operation: DiskOperation, name: string): Promise<never> | null {
    if (this.#isDead) return forEver();
    if (this.#isAborted && changing.has(operation)) throw systemError("EROFS", operation, name);
    const fault = this.#fault({ operation, name, count: ++this.#calls });
    if (fault === null) return null;
    if (fault === "abort") return this.#aborted(operation, name);
    if (fault !== "stop") throw systemError(fault, operation, name);
    this.#isDead = true;
    this.#stop();
    return forEver();
  }

  /**
   * As ext4 does when it finds its disk damaged: nothing becomes durable any more, and nothing can be changed. A synchronisation
   * that is under way just then resolves all the same (measured: one of ten that meet it).
   */
  #aborted(operation: DiskOperation, name: string): null {
    this.#isAborted = true;
    if (changing.has(operation) && operation !== "sync" && operation !== "syncNames")
      throw systemError("EROFS", operation, name);
    return null;
  }

  #found(operation: string, name: string): MemoryFile {
    const file = this.#names.get(name);
    if (file === undefined) throw systemError("ENOENT", operation, name);
    return file;
  }

  #changeName(change: NameChange): void {
    apply(this.#names, change);
    this.#nameChanges.push(change);
  }

  #used(): number {
    let used = 0;
    for (const file of this.#names.values()) used += file.length;
    return used;
  }
}

/** Changes may have been kept without those before them. */
function apply(names: Map<string, MemoryFile>, change: NameChange): void {
  if ("removed" in change) {
    names.delete(change.removed);
    return;
  }
  if (change.from !== null && names.get(change.from) === change.file) names.delete(change.from);
  names.set(change.to, change.file);
}

function forEver(): Promise<never> {
  return new Promise(() => {});
}

function systemError(code: string, operation: string, name: string): Error {
  return Object.assign(new Error(`${code}: ${operation} '${name}'`), { code });
}
