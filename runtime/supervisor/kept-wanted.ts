// What is wanted as the text of a file, and back: an entry that is damaged is told, and takes none of the others along. Pure.

import { z } from "zod";
import { messageOf } from "../errors.ts";
import { instanceOf } from "../instance.ts";
import { type WantedPipeline, wantedPipeline } from "./wanted.ts";

const entry = z.strictObject({
  file: z.string(),
  text: z.string(),
  partition: z.int().optional(),
  term: z.int().optional(),
  forget: z.boolean().optional(),
  resumes: z.boolean().optional(),
  leaves: z.boolean().optional(),
  carries: z.int().optional(),
  signature: z.unknown().optional(),
});

/** What was wanted last, as far as it can be read. */
export interface KeptWanted {
  readonly pipelines: readonly WantedPipeline[];
  /** Of each entry that cannot be read: where and why. */
  readonly damaged: readonly string[];
}

/** A line for each of them. */
export function wantedText(pipelines: readonly WantedPipeline[]): string {
  const entries = pipelines.map((pipeline) => {
    const { name, file, text, term, forget, resumes, leaves, carries, signature } = pipeline;
    const partition = instanceOf(name).partition ?? undefined;
    return JSON.stringify({ file, text, partition, term, forget, resumes, leaves, carries, signature });
  });
  return `[\n${entries.join(",\n")}\n]\n`;
}

/** `shown` names the file in what is told. */
export function keptWanted(text: string, shown: string): KeptWanted {
  const pipelines: WantedPipeline[] = [];
  const damaged: string[] = [];
  if (entriesIn(text).length === 0 && !Array.isArray(valueOf(text)))
    damaged.push(`${shown} cannot be read: nothing in it is a pipeline`);
  for (const [place, value] of entriesIn(text).entries()) {
    try {
      const read = entry.safeParse(value);
      if (!read.success) throw new Error("expected a file, a text, and what else belongs to a pipeline");
      const { file, text: pipeline, ...more } = read.data;
      pipelines.push(wantedPipeline(file, pipeline, more));
    } catch (error) {
      damaged.push(`${shown}: entry ${place + 1} cannot be read: ${messageOf(error)}`);
    }
  }
  return { pipelines, damaged };
}

/** The entries of a list; of one that is damaged what can be found of it, the rest as it stands. */
function entriesIn(text: string): readonly unknown[] {
  const all = valueOf(text);
  if (Array.isArray(all)) return all;
  // Within a text no quote stands by itself, so that an entry begins here and nowhere else.
  const pieces = text.split("\n").flatMap((line) => line.split(/(?=\{"file":)/));
  return pieces
    .map((piece) => piece.slice(0, piece.lastIndexOf("}") + 1))
    .filter((piece) => piece !== "")
    .map((piece) => valueOf(piece) ?? piece);
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
