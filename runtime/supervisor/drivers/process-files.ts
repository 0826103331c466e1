// What is written down of a worker that is a process, in a folder of its own, so that it is found again by whoever
// looks next: its order, its process, its end and its output. Never starts or ends anything.

import {
  closeSync,
  copyFileSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { limits } from "../../limits.ts";
import { writeWhole } from "../../whole-file.ts";

export interface ProcessOrder {
  /** The driver's handle. */
  readonly id: string;
  readonly name: string;
  readonly revision: string;
  /** Wall clock ms. */
  readonly ordered: number;
  /** Resident memory above which it is ended; null where nobody has to watch it. */
  readonly watched_bytes: number | null;
  /** Folders of its control group; none where it has none. */
  readonly groups: readonly string[];
}

export interface ProcessMark {
  readonly pid: number;
  readonly began: string;
  readonly boot: string;
  /** The process that waits for it; null where none was written down. */
  readonly guard: number | null;
}

const order: z.ZodType<ProcessOrder> = z.strictObject({
  id: z.string(),
  name: z.string(),
  revision: z.string(),
  ordered: z.number(),
  watched_bytes: z.number().nullable(),
  groups: z.array(z.string()),
});

const files = {
  order: "order.json",
  mark: "process",
  end: "end",
  output: "output.log",
  memory: "out-of-memory",
};

export class ProcessFiles {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  path(file: keyof typeof files): string {
    return join(this.folder, files[file]);
  }

  /** Takes the name; false where it is taken. */
  take(): boolean {
    try {
      mkdirSync(this.folder);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw error;
    }
  }

  write(written: ProcessOrder): void {
    writeWhole(this.path("order"), JSON.stringify(written));
  }

  /** When the name was taken, wall clock ms; null where it is free again. */
  taken(): number | null {
    return statSync(this.folder, { throwIfNoEntry: false })?.mtimeMs ?? null;
  }

  order(): ProcessOrder | null {
    try {
      return order.parse(JSON.parse(readFileSync(this.path("order"), "utf8")));
    } catch {
      return null;
    }
  }

  /** Its process; null before it has one. */
  mark(): ProcessMark | null {
    const [pid = "", began = "", boot = "", guard = ""] = this.#text("mark")?.split("\n") ?? [];
    if (!/^\d+$/.test(pid)) return null;
    return { pid: Number(pid), began: began.trim(), boot, guard: /^\d+$/.test(guard) ? Number(guard) : null };
  }

  /** The exit code that was written down, above 128 for a signal; null while there is none. */
  end(): number | null {
    const text = this.#text("end")?.trim() ?? "";
    return /^\d+$/.test(text) ? Number(text) : null;
  }

  /** Whether it was written down that it ended, with a code or without one. */
  hasEnd(): boolean {
    return this.#text("end") !== null;
  }

  /** Nobody is left who could say how it ended. */
  noteLostEnd(): void {
    writeFileSync(this.path("end"), "unknown\n");
  }

  noteOutOfMemory(): void {
    writeFileSync(this.path("memory"), "");
  }

  isOutOfMemory(): boolean {
    return this.#text("memory") !== null;
  }

  /** Keeps what it says from growing: what is full becomes the file before. */
  turnOutput(): void {
    const path = this.path("output");
    try {
      if (statSync(path).size < limits.process_output_bytes_max) return;
      copyFileSync(path, `${path}.before`);
      // It is appended to, so whatever comes next begins the file anew.
      truncateSync(path);
    } catch {
      // It has said nothing yet, or it is being removed.
    }
  }

  /** The last lines that it said. */
  lastLines(count: number): readonly string[] {
    const path = this.path("output");
    const text = tailOf(`${path}.before`) + tailOf(path);
    const lines = text.split("\n");
    if (lines.at(-1) === "") lines.pop();
    return lines.slice(-Math.min(count, limits.process_output_lines_max));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #text(file: keyof typeof files): string | null {
    try {
      return readFileSync(this.path(file), "latin1");
    } catch {
      return null;
    }
  }
}

/** The end of a file, from the beginning of a line where it is cut. */
function tailOf(path: string): string {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return "";
  }
  try {
    const { size } = fstatSync(file);
    const from = Math.max(0, size - limits.process_output_bytes_max);
    const bytes = Buffer.alloc(size - from);
    const read = readSync(file, bytes, 0, bytes.length, from);
    const text = bytes.subarray(0, read).toString("utf8");
    return from === 0 ? text : text.slice(text.indexOf("\n") + 1);
  } finally {
    closeSync(file);
  }
}

/** The folders of workers in `folder`. */
export function processFolders(folder: string): readonly ProcessFiles[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((each) => each.isDirectory())
    .map(({ name }) => new ProcessFiles(join(folder, name)));
}
