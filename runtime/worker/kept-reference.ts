// A reference table of a bucket that is there without its server: what was read last is in a file of the state folder, and a
// start that nobody answers goes on with that. What comes later takes its place. Never looks into the content.

import { createHash } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import type { ReferenceContent } from "../codec/reference/content.ts";
import { type Clock, sleep } from "../clock.ts";
import type { ReferenceWatch } from "../connect/reference.ts";
import { messageOf } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Log } from "../log.ts";

type Entries = Extract<ReferenceContent, { readonly kind: "entries" }>;

export interface KeptReferenceOptions {
  /** Opens what follows the bucket; waits for its connection as long as it takes. */
  readonly open: () => Promise<ReferenceWatch>;
  /** Where the content is kept. */
  readonly file: string;
  /** What messages call the table. */
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
}

export function keptReference(options: KeptReferenceOptions): ReferenceWatch {
  return new KeptReference(options);
}

class KeptReference implements ReferenceWatch {
  readonly #options: KeptReferenceOptions;
  #watch: ReferenceWatch | null = null;
  #listener: ((content: ReferenceContent) => void) | null = null;
  /** What came while nobody listened. */
  #unheard: ReferenceContent | null = null;
  /** What is to be written; not before the last write is a while ago, so that a table that keeps changing does not wear out the disk. */
  #unwritten: Entries | null = null;
  #endRest: (() => void) | null = null;
  #writing: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: KeptReferenceOptions) {
    this.#options = options;
  }

  async load(): Promise<ReferenceContent> {
    const { file, name, clock, log } = this.#options;
    const asked = this.#follow();
    // It is looked at below, and may be known before.
    asked.catch(() => undefined);
    const kept = await readKept(file, name, log);
    if (kept === null) return asked;
    const answered = await Promise.race([asked, sleep(clock, limits.lookup_kept_wait_ms).then(() => null)]);
    if (answered !== null) return answered;
    log.warn(
      `table ${name}: its bucket does not answer; going on with the ${kept.entries.length} entries that were read last`,
    );
    asked.then(
      (content) => this.#deliver(content),
      // Whoever ends the wait has no use for the table any more.
      (error: unknown) => {
        if (!this.#isClosed) log.warn(`table ${name}: ${messageOf(error)}`);
      },
    );
    return kept;
  }

  watch(changed: (content: ReferenceContent) => void): void {
    this.#listener = changed;
    if (this.#unheard !== null) changed(this.#unheard);
    this.#unheard = null;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#watch?.close();
    this.#endRest?.();
    this.#write();
    await this.#writing;
  }

  /** The bucket's first content; every later one is delivered. */
  async #follow(): Promise<ReferenceContent> {
    const watch = await this.#options.open();
    this.#watch = watch;
    if (this.#isClosed) await watch.close();
    const content = await watch.load();
    this.#keep(content);
    watch.watch((newer) => {
      this.#keep(newer);
      this.#deliver(newer);
    });
    return content;
  }

  #deliver(content: ReferenceContent): void {
    if (this.#listener === null) this.#unheard = content;
    else this.#listener(content);
  }

  #keep(content: ReferenceContent): void {
    if (content.kind !== "entries") return;
    this.#unwritten = content;
    if (this.#endRest === null) this.#write();
  }

  /** Writes the newest content, where it is not written. */
  #write(): void {
    const { file, name, log, clock } = this.#options;
    const content = this.#unwritten;
    if (content === null) return;
    this.#unwritten = null;
    this.#writing = this.#writing
      .then(() => writeKept(file, content))
      .catch((error: unknown) =>
        log.warn(`table ${name}: it is not kept for a start without its server: ${messageOf(error)}`),
      );
    this.#endRest = clock.after(limits.lookup_kept_every_ms, () => {
      this.#endRest = null;
      this.#write();
    });
  }
}

function textOf({ entries }: Entries): string {
  return entries
    .map(({ key, value }) => `${JSON.stringify([key, Buffer.from(value).toString("base64")])}\n`)
    .join("");
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

async function writeKept(path: string, content: Entries): Promise<void> {
  const text = textOf(content);
  const file = await open(`${path}.new`, "w", 0o600);
  try {
    await file.writeFile(`${digestOf(text)}\n${text}`);
    await file.datasync();
  } catch (error) {
    await rm(`${path}.new`, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}

/** What was kept; null where nothing was, or it is damaged. */
async function readKept(path: string, name: string, log: Log): Promise<Entries | null> {
  const whole = await readFile(path, "utf8").catch(() => null);
  if (whole === null) return null;
  const [digest = ""] = whole.split("\n", 1);
  const text = whole.slice(digest.length + 1);
  if (digestOf(text) !== digest) {
    log.warn(`table ${name}: what was kept of it is damaged and not used: ${path}`);
    return null;
  }
  const lines = text.split("\n").slice(0, -1);
  const entries = lines.map((line) => {
    const [key, value] = JSON.parse(line) as [string, string];
    return { key, value: new Uint8Array(Buffer.from(value, "base64")) };
  });
  return { kind: "entries", name, entries };
}
