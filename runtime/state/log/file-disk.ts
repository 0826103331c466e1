// A real folder as the commit log and the outbox know it. What is durable here is durable as far as the system tells: data by
// fdatasync, names by synchronising the folder. Decides nothing about errors; they come through as the system gave them.
//
// A file that was removed, or a folder that was moved away or unmounted, can still be written to by whoever has it open, and
// would be found by nobody later. So every synchronisation also looks whether the place is still what it was.

import type { BigIntStats } from "node:fs";
import { constants, type FileHandle, open, readdir, rename, rm, stat, statfs } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { WeirError } from "../../errors.ts";
import { makeFolder } from "../../folder.ts";
import type { Disk, DiskFile, DiskLock } from "./disk.ts";
import { lockFile } from "./folder-lock.ts";

export class FileDisk implements Disk {
  readonly place: string;
  readonly #identity: BigIntStats;

  private constructor(place: string, identity: BigIntStats) {
    this.place = place;
    this.#identity = identity;
  }

  /** The folder at `path`, made where there is none, for its user alone. */
  static async open(path: string): Promise<FileDisk> {
    const place = resolve(path);
    const made = makeFolder(place, 0o700);
    if (made !== undefined) await syncAbove(place, dirname(made));
    return new FileDisk(place, await stat(place, { bigint: true }));
  }

  async list(): Promise<readonly string[]> {
    return (await readdir(this.place)).filter((name) => !name.startsWith(".")).sort();
  }

  async create(name: string): Promise<DiskFile> {
    return new OpenFile(await open(this.#path(name), "wx+", 0o600), name, this);
  }

  async open(name: string): Promise<DiskFile> {
    return new OpenFile(await open(this.#path(name), "r+"), name, this);
  }

  async rename(from: string, to: string): Promise<void> {
    await rename(this.#path(from), this.#path(to));
  }

  async remove(name: string): Promise<void> {
    await rm(this.#path(name), { force: true });
  }

  async syncNames(): Promise<void> {
    await syncFolder(this.place);
    await this.assertThere();
  }

  async free(): Promise<number | null> {
    const { bavail, bsize } = await statfs(this.place);
    return bavail * bsize;
  }

  lock(): Promise<DiskLock | null> {
    return lockFile(join(this.place, ".lock"));
  }

  /** Rejects where the path leads to another folder than at first, or to none. */
  async assertThere(): Promise<void> {
    const found = await stat(this.place, { bigint: true });
    if (found.dev === this.#identity.dev && found.ino === this.#identity.ino) return;
    throw new WeirError("WEIR_STATE", `${this.place} is no longer the folder that was opened`, {
      remedy: "mount or move it back, then start again",
    });
  }

  #path(name: string): string {
    if (/^\.|[/\\\0]|^$/.test(name)) throw new WeirError("WEIR_INTERNAL", `no name for a file: "${name}"`);
    return join(this.place, name);
  }
}

/** What one call of the system reads or writes at most. */
const atOnce = 1_073_741_824;

class OpenFile implements DiskFile {
  readonly #file: FileHandle;
  readonly #name: string;
  readonly #disk: FileDisk;

  constructor(file: FileHandle, name: string, disk: FileDisk) {
    this.#file = file;
    this.#name = name;
    this.#disk = disk;
  }

  async size(): Promise<number> {
    return (await this.#file.stat()).size;
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    const bytes = Buffer.allocUnsafeSlow(length);
    let got = 0;
    while (got < length) {
      const { bytesRead } = await this.#file.read(bytes, got, Math.min(length - got, atOnce), position + got);
      if (bytesRead === 0) break;
      got += bytesRead;
    }
    return new Uint8Array(bytes.buffer, 0, got);
  }

  async write(position: number, bytes: Uint8Array): Promise<void> {
    let put = 0;
    while (put < bytes.length) {
      const length = Math.min(bytes.length - put, atOnce);
      const { bytesWritten } = await this.#file.write(bytes, put, length, position + put);
      put += bytesWritten;
    }
  }

  async sync(): Promise<void> {
    await this.#file.datasync();
    await this.#disk.assertThere();
    if ((await this.#file.stat()).nlink > 0) return;
    throw new WeirError(
      "WEIR_STATE",
      `${join(this.#disk.place, this.#name)} was removed while it was in use`,
      {
        remedy: "leave the state folder to weir; start again to go on with what is left",
      },
    );
  }

  async truncate(length: number): Promise<void> {
    await this.#file.truncate(length);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** Makes the names of new folders durable, from the one that holds `place` up to `top`. */
async function syncAbove(place: string, top: string): Promise<void> {
  for (let at = dirname(place); ; at = dirname(at)) {
    await syncFolder(at);
    if (at === top || at === dirname(at)) return;
  }
}

/** Makes its names durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
