// What a supervisor keeps on the disk so that it goes on where it was, offline and after any end: who it is, what is
// wanted, what it remembers, what each worker is to run, and the texts of revisions that may be wanted again.
// Every file is there as a whole or not at all; a disk without room is told as that (WEIR_DISK_FULL), and what was kept stays.

import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type AssignedPipeline, assignmentText, parseAssignment, revisionOf } from "../assignment.ts";
import { WeirError } from "../errors.ts";
import { makeFolder } from "../folder.ts";
import { instanceOf } from "../instance.ts";
import { bootMark, processBegan } from "./drivers/process-facts.ts";
import { type KeptWanted, keptWanted, wantedText } from "./kept-wanted.ts";
import { type Memory, memoryText, noMemory, parseMemory } from "./memory.ts";
import type { Accepted } from "./signature.ts";
import { type WantedPipeline, wantedPipeline } from "./wanted.ts";
import { overwrite, writeWhole, writing } from "../whole-file.ts";

/** A revision that was wanted once. */
export type KeptRevision = Omit<Waiting, "user">;

const revisionFile: z.ZodType<KeptRevision> = z.strictObject({
  file: z.string(),
  text: z.string(),
  signature: z.unknown().optional(),
});

const acceptedFile: z.ZodType<Readonly<Record<string, Accepted>>> = z.record(
  z.string(),
  z.record(z.string(), z.strictObject({ signed: z.iso.datetime(), digest: z.string() })),
);

/** What somebody asked this device to run while nobody could confirm it. */
export interface Waiting {
  readonly user: string;
  readonly file: string;
  readonly text: string;
  readonly signature?: unknown;
}

const waitingFile: z.ZodType<readonly Waiting[]> = z.array(
  z.strictObject({
    user: z.string(),
    file: z.string(),
    text: z.string(),
    signature: z.unknown().optional(),
  }),
);

function isPipeline({ file, text }: Waiting): boolean {
  try {
    wantedPipeline(file, text);
    return true;
  } catch {
    return false;
  }
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

export class SupervisorFiles {
  readonly folder: string;
  readonly #assignments: string;
  readonly #revisions: string;

  constructor(folder: string) {
    this.folder = folder;
    this.#assignments = join(folder, "assignments");
    this.#revisions = join(folder, "revisions");
  }

  /** Makes the folders, and sees that no other supervisor works in them. On a full disk only folders that are there will do. */
  open(): void {
    writing(this.folder, () => {
      for (const each of [this.folder, this.#revisions]) makeFolder(each, 0o700);
      // Workers may be other users; nobody else comes past the folder above.
      makeFolder(this.#assignments, 0o755);
    });
    const path = join(this.folder, "supervisor.lock");
    const [pid = "", began = "", boot = ""] = textOf(path)?.split("\n") ?? [];
    const other = Number(pid);
    if (other !== process.pid && boot === bootMark() && began !== "" && processBegan(other) === began) {
      throw new WeirError(
        "WEIR_STATE",
        `${this.folder} is in use by the supervisor with process number ${pid}`,
        {
          remedy: "end that one first, or name another folder with --state",
        },
      );
    }
    this.#lock(path, `${process.pid}\n${processBegan(process.pid) ?? ""}\n${bootMark()}\n`);
  }

  /** What is known is to run on a full disk as well: the lock of the supervisor before has room for this one's. */
  #lock(path: string, text: string): void {
    try {
      writeWhole(path, text);
    } catch (error) {
      if (textOf(path) === null) throw error;
      writing(path, () => overwrite(path, text));
    }
  }

  /** Tells this supervisor's workers from those of others; made up once. */
  identity(): string {
    const path = join(this.folder, "identity");
    const known = textOf(path)?.trim() ?? "";
    if (/^[a-z0-9_-]{1,32}$/.test(known)) return known;
    const identity = randomUUID().slice(0, 8);
    writeWhole(path, `${identity}\n`);
    return identity;
  }

  /** Whether nothing is to run for the time being. */
  held(): boolean {
    return textOf(join(this.folder, "held")) !== null;
  }

  keepHeld(held: boolean): void {
    const path = join(this.folder, "held");
    if (held) writeWhole(path, "");
    else rmSync(path, { force: true });
  }

  /** What waits for the control centre, as far as it can be read. */
  waiting(): readonly Waiting[] {
    try {
      const kept = waitingFile.parse(JSON.parse(textOf(join(this.folder, "waiting.json")) ?? ""));
      return kept.filter(isPipeline);
    } catch {
      return [];
    }
  }

  keepWaiting(waiting: readonly Waiting[]): void {
    writeWhole(join(this.folder, "waiting.json"), JSON.stringify(waiting));
  }

  memory(): Memory {
    return parseMemory(textOf(join(this.folder, "memory.json")) ?? "") ?? noMemory;
  }

  keepMemory(memory: Memory): void {
    writeWhole(join(this.folder, "memory.json"), memoryText(memory));
  }

  /** What was wanted last; null where nothing was kept. */
  wanted(): KeptWanted | null {
    const path = join(this.folder, "wanted.json");
    const text = textOf(path);
    return text === null ? null : keptWanted(text, path);
  }

  keepWanted(pipelines: readonly WantedPipeline[]): void {
    writeWhole(join(this.folder, "wanted.json"), wantedText(pipelines));
    for (const each of pipelines) this.#keepRevision(each);
  }

  /** By name, the newest revision that was accepted; null where that cannot be read any more. */
  accepted(): ReadonlyMap<string, Accepted> | null {
    const text = textOf(join(this.folder, "accepted.json"));
    if (text === null) return new Map();
    try {
      return new Map(Object.entries(acceptedFile.parse(JSON.parse(text))));
    } catch {
      return null;
    }
  }

  keepAccepted(accepted: ReadonlyMap<string, Accepted>): void {
    writeWhole(join(this.folder, "accepted.json"), JSON.stringify(Object.fromEntries(accepted)));
  }

  /** A revision that was wanted once; null where it is not kept any more. */
  revision(name: string, revision: string): KeptRevision | null {
    try {
      const kept = revisionFile.parse(
        JSON.parse(textOf(join(this.#revisions, name, `${revision}.json`)) ?? ""),
      );
      return revisionOf(kept.text) === revision ? kept : null;
    } catch {
      return null;
    }
  }

  /** Lets go of revisions that nobody will want: all but those named, of all pipelines. */
  forgetRevisions(needed: ReadonlyMap<string, ReadonlySet<string>>): void {
    for (const name of readdirSync(this.#revisions)) {
      const kept = needed.get(name);
      const folder = join(this.#revisions, name);
      if (kept === undefined) rmSync(folder, { recursive: true, force: true });
      else {
        for (const file of readdirSync(folder))
          if (!kept.has(file.replace(/\.json$/, ""))) rmSync(join(folder, file), { force: true });
      }
    }
  }

  assignmentPath(worker: string): string {
    return join(this.#assignments, `${worker}.json`);
  }

  /** By worker, what it was told to run; one that cannot be read is told anew. */
  assignments(): Map<string, readonly AssignedPipeline[]> {
    const found = new Map<string, readonly AssignedPipeline[]>();
    for (const file of readdirSync(this.#assignments).filter((each) => each.endsWith(".json"))) {
      const path = join(this.#assignments, file);
      try {
        found.set(
          file.slice(0, -".json".length),
          parseAssignment(readFileSync(path, "utf8"), path).pipelines,
        );
      } catch {
        // As if it had never been told.
      }
    }
    return found;
  }

  assign(worker: string, pipelines: readonly AssignedPipeline[]): void {
    writeWhole(this.assignmentPath(worker), assignmentText({ pipelines }), { mode: 0o644 });
  }

  forgetAssignment(worker: string): void {
    rmSync(this.assignmentPath(worker), { force: true });
  }

  #keepRevision({ name, file, text, signature }: WantedPipeline): void {
    const folder = join(this.#revisions, instanceOf(name).pipeline);
    const path = join(folder, `${revisionOf(text)}.json`);
    const kept = JSON.stringify({ file, text, signature });
    if (textOf(path) === kept) return;
    writing(folder, () => makeFolder(folder));
    writeWhole(path, kept);
  }
}
