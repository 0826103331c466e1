// The files of a folder as one stream of bytes, for another machine, and back. Knows nothing of what is in them; whoever asks
// sees that nobody writes there meanwhile, and that what arrives is what was sent.
//
// Compressed by zstd with its checksum; in it, for each file, a line of JSON `{"name":…,"bytes":…}` and its bytes, and at the end the line
// `{"files":…}`, so that what was cut short is told from what is whole. Behind the frame that has it all zlib may put another one, empty, where it
// was still at work on the last bytes when it heard that they were the last.

import { createReadStream } from "node:fs";
import { mkdir, open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { constants, createZstdCompress, createZstdDecompress } from "node:zlib";
import { WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import { syncFolder } from "./log/file-disk.ts";

/** A file's name, and nothing that leads elsewhere. */
const namePattern = /^(?!\.)[\w.-]{1,255}$/;

/** Bytes of the files of a folder, those of `without` left out; null where there is something that is no file. */
export async function parcelBytes(folder: string, without: readonly string[]): Promise<number | null> {
  let bytes = 0;
  for (const name of await namesIn(folder, without)) {
    const found = await stat(join(folder, name));
    if (!found.isFile()) return null;
    bytes += found.size;
  }
  return bytes;
}

/** Throws where a file is not read as it was when it was begun. */
export async function* parcelOf(folder: string, without: readonly string[]): AsyncGenerator<Uint8Array> {
  const plain = Readable.from(plainOf(folder, without));
  const packed = createZstdCompress({ params: { [constants.ZSTD_c_checksumFlag]: 1 } });
  plain.on("error", (error) => packed.destroy(error));
  plain.pipe(packed);
  for await (const piece of packed) yield piece as Uint8Array;
}

async function* plainOf(folder: string, without: readonly string[]): AsyncGenerator<Buffer> {
  const names = await namesIn(folder, without);
  for (const name of names) {
    const { size: bytes } = await stat(join(folder, name));
    yield lineOf({ name, bytes });
    let read = 0;
    for await (const piece of createReadStream(join(folder, name))) {
      read += (piece as Buffer).length;
      yield piece as Buffer;
    }
    if (read !== bytes)
      throw new WeirError("WEIR_STATE", `${join(folder, name)} changes while it is read`, {
        remedy: "end whatever writes there",
      });
  }
  yield lineOf({ files: names.length });
}

/** Names that begin with a dot are of locks and the like. */
async function namesIn(folder: string, without: readonly string[]): Promise<readonly string[]> {
  const names = await readdir(folder);
  return names.filter((name) => !name.startsWith(".") && !without.includes(name)).sort();
}

function lineOf(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}

/**
 * Makes `folder` of what `parcelOf` made of another one, durable. Throws WEIR_STATE where it is not whole, or leads elsewhere, and
 * what the pieces or the system throw as it is.
 */
export async function unpackParcel(
  pieces: AsyncIterable<Uint8Array>,
  folder: string,
  bytesMax: number,
): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  let fault: unknown = null;
  const source = Readable.from(pieces);
  const plain = createZstdDecompress();
  source.on("error", (error) => {
    fault = error;
    plain.destroy(error);
  });
  source.pipe(plain);
  const reader = new PlainPieces(plain[Symbol.asyncIterator]() as AsyncIterator<Buffer>);
  try {
    await writeFiles(reader, folder, bytesMax);
  } catch (error) {
    const isSystems =
      error instanceof Error && "syscall" in error && !("code" in error && error.code === "EEXIST");
    if (fault !== null || error instanceof WeirError || isSystems) throw fault ?? error;
    throw damaged("it cannot be unpacked", error);
  } finally {
    plain.destroy();
  }
  await syncFolder(folder);
}

async function writeFiles(reader: PlainPieces, folder: string, bytesMax: number): Promise<void> {
  let left = bytesMax;
  for (let count = 0; ; count++) {
    const line = JSON.parse((await reader.line()).toString("utf8")) as Record<string, unknown>;
    const { name, bytes, files } = line;
    if (files !== undefined) {
      if (files !== count) throw damaged(`it has ${count} files of ${JSON.stringify(files)}`);
      return reader.end();
    }
    if (typeof name !== "string" || !namePattern.test(name)) throw damaged("a file in it has no plain name");
    if (!Number.isSafeInteger(bytes) || (bytes as number) < 0) throw damaged(`${name} in it has no length`);
    left -= bytes as number;
    if (left < 0) throw damaged(`it has more than ${bytesMax} bytes`);
    await writeFile(reader, join(folder, name), bytes as number);
  }
}

async function writeFile(reader: PlainPieces, path: string, bytes: number): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    for await (const piece of reader.take(bytes)) await file.writeFile(piece);
    await file.datasync();
  } finally {
    await file.close();
  }
}

function damaged(why: string, cause?: unknown): WeirError {
  return new WeirError("WEIR_STATE", `what another host left is damaged: ${why}`, {
    remedy: "it is on the disk of that host as well: weir outbox export shows what of it was not sent",
    cause,
  });
}

/** Lines, and bytes that are counted, of pieces as they come. */
class PlainPieces {
  readonly #pieces: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(pieces: AsyncIterator<Buffer>) {
    this.#pieces = pieces;
  }

  async line(): Promise<Buffer> {
    for (;;) {
      const end = this.#rest.indexOf(0x0a);
      if (end >= 0) {
        const line = this.#rest.subarray(0, end);
        this.#rest = this.#rest.subarray(end + 1);
        return line;
      }
      if (this.#rest.length > limits.parcel_line_bytes_max) throw damaged("a line in it is too long");
      this.#rest = Buffer.concat([this.#rest, await this.#next()]);
    }
  }

  async *take(bytes: number): AsyncGenerator<Buffer> {
    let left = bytes;
    while (left > 0) {
      if (this.#rest.length === 0) this.#rest = await this.#next();
      const piece = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  /** Nothing is behind it, and all that was sent is read. */
  async end(): Promise<void> {
    if (this.#rest.length > 0 || (await this.#pieces.next()).done !== true)
      throw damaged("there is more behind its end");
  }

  async #next(): Promise<Buffer> {
    const { done, value } = await this.#pieces.next();
    if (done === true) throw damaged("it was cut short");
    return value;
  }
}
