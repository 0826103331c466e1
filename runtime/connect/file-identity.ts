// Which file it is that was read up to a position: the same name may be another file tomorrow. Reads the file's beginning and
// nothing else; decides from numbers.

import { crc32 } from "node:zlib";
import type { FileHandle } from "node:fs/promises";
import { limits } from "../limits.ts";
import { member, textOf, wholeOf, type Plain } from "../state/plain.ts";

/** What `commit` takes, as data that may be written down. */
export type FilePosition = {
  readonly path: string;
  /** Where the line after the last one delivered begins. */
  readonly offset: number;
  /** The file's place on its disk, as the system numbers it. */
  readonly inode: string;
  /** The checksum of so many bytes from the file's start, none of them behind the offset: they stay while it only grows. */
  readonly head: number;
  readonly head_crc32: number;
};

export function filePositionOf(data: Plain): FilePosition {
  return {
    path: textOf(member(data, "path")),
    offset: wholeOf(member(data, "offset")),
    inode: textOf(member(data, "inode")),
    head: wholeOf(member(data, "head"), limits.file_identity_bytes + 1),
    head_crc32: wholeOf(member(data, "head_crc32")),
  };
}

export class FileIdentity {
  readonly #path: string;
  readonly #size: number;
  readonly #inode: string;
  readonly #head: Uint8Array;
  /** Of all of `#head`, which most positions are behind. */
  readonly #whole: number;

  private constructor(path: string, size: number, inode: string, head: Uint8Array) {
    this.#path = path;
    this.#size = size;
    this.#inode = inode;
    this.#head = head;
    this.#whole = crc32(head);
  }

  static async of(path: string, file: FileHandle): Promise<FileIdentity> {
    const { size, dev, ino } = await file.stat({ bigint: true });
    const head = new Uint8Array(limits.file_identity_bytes);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(head, length, head.length - length, length);
      length += bytesRead;
      if (bytesRead === 0 || length === head.length) break;
    }
    return new FileIdentity(path, Number(size), `${dev}:${ino}`, head.subarray(0, length));
  }

  position(offset: number): FilePosition {
    const head = Math.min(offset, this.#head.length);
    return { path: this.#path, offset, inode: this.#inode, head, head_crc32: this.#checksum(head) };
  }

  /**
   * Why the position means nothing here; null where the file is the one that it was taken in, if renamed, or a copy in its place.
   */
  fault({ path, offset, inode, head, head_crc32 }: FilePosition): "truncated" | "replaced" | null {
    const isSame = inode === this.#inode;
    if (!isSame && path !== this.#path) return "replaced";
    if (this.#head.length >= head && this.#checksum(head) !== head_crc32) return "replaced";
    if (offset > this.#size) return isSame ? "truncated" : "replaced";
    return null;
  }

  #checksum(length: number): number {
    return length === this.#head.length ? this.#whole : crc32(this.#head.subarray(0, length));
  }
}
