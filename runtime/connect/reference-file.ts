// A reference table in a file: read as a whole, looked at every second, and read again once it has changed
// and then stood still. Replacing it by renaming another over it is seen; so is writing in place.

import { constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import type { BigIntStats } from "node:fs";
import type { Clock } from "../clock.ts";
import { type ReferenceContent, type ReferenceFormat, referenceFormats } from "../codec/reference/content.ts";
import { messageOf } from "../errors.ts";
import { limits } from "../limits.ts";
import type { ReferenceWatch } from "./reference.ts";

/** Reads a table's file; `name` is what messages call it. Never rejects: what cannot be read is content as well. */
export async function readReferenceFile(path: string, name: string): Promise<ReferenceContent> {
  const refuse = (why: string): ReferenceContent => ({
    kind: "unreadable",
    message: `cannot read the table ${name}: ${why}`,
    remedy: "its path is relative to the pipeline's file",
  });
  const format = formatOf(name);
  if (format === null) return refuse(`expected a name that ends in .csv, .json or .ndjson`);
  let file: FileHandle | null = null;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const facts = await file.stat({ bigint: true });
    if (!facts.isFile()) return refuse("not a regular file");
    if (facts.size > limits.lookup_bytes_max) return refuse(`larger than ${limits.lookup_bytes_max} bytes`);
    const bytes = await file.readFile();
    if (markOf(await file.stat({ bigint: true })) !== markOf(facts))
      return refuse("it changed while it was read");
    return { kind: "file", name, format, bytes };
  } catch (error) {
    return refuse(messageOf(error));
  } finally {
    await file?.close();
  }
}

function formatOf(name: string): ReferenceFormat | null {
  return referenceFormats.find((format) => name.endsWith(`.${format}`)) ?? null;
}

/** Tells one state of a file from another. */
function markOf({ dev, ino, size, mtimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${size}:${mtimeNs}`;
}

async function markAt(path: string): Promise<string> {
  try {
    return markOf(await stat(path, { bigint: true }));
  } catch {
    return "missing";
  }
}

export function fileReference(path: string, name: string, clock: Clock): ReferenceWatch {
  return new FileWatch(path, name, clock);
}

class FileWatch implements ReferenceWatch {
  readonly #path: string;
  readonly #name: string;
  readonly #clock: Clock;
  /** The state that was read last. */
  #taken = "";
  /** The state that was seen last. */
  #seen = "";
  #looking = false;
  #end: () => void = () => undefined;

  constructor(path: string, name: string, clock: Clock) {
    this.#path = path;
    this.#name = name;
    this.#clock = clock;
  }

  async load(): Promise<ReferenceContent> {
    this.#taken = await markAt(this.#path);
    return readReferenceFile(this.#path, this.#name);
  }

  watch(changed: (content: ReferenceContent) => void): void {
    this.#end = this.#clock.every(limits.lookup_poll_ms, () => {
      if (this.#looking) return;
      this.#looking = true;
      void this.#look(changed).finally(() => (this.#looking = false));
    });
  }

  close(): Promise<void> {
    this.#end();
    return Promise.resolve();
  }

  async #look(changed: (content: ReferenceContent) => void): Promise<void> {
    const mark = await markAt(this.#path);
    const still = mark === this.#seen;
    this.#seen = mark;
    if (mark === this.#taken || !still) return;
    const content = await readReferenceFile(this.#path, this.#name);
    // Whoever writes just now is given time to finish.
    if ((await markAt(this.#path)) !== mark) return;
    this.#taken = mark;
    changed(content);
  }
}
