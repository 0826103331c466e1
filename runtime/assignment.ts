// What a worker is to run, as its supervisor writes it and the worker reads it: one JSON file with the text of
// every pipeline, so that it is there as a whole or not at all. Never opens the file.

import { createHash } from "node:crypto";
import { WeirError } from "./errors.ts";
import { isInstanceName } from "./instance.ts";

export interface AssignedPipeline {
  /** Of a partition of a pipeline: see instance.ts. */
  readonly name: string;
  /** Of its text: another text is another revision. */
  readonly revision: string;
  /** The start of it that is wanted: one that failed is started again by a higher number. */
  readonly attempt: number;
  /** Which turn of the pipeline this host's is, where a control centre gives it to one host after the other. */
  readonly term?: number | undefined;
  /** Where what was kept of it is of other steps, it begins anew; without it, it is refused then. */
  readonly forget?: boolean | undefined;
  /** Nobody else had a turn since this host's own: what is kept here goes on. */
  readonly resumes?: boolean | undefined;
  /** Where its file is, or would be: what it names is relative to that. */
  readonly file: string;
  readonly text: string;
}

/** A short name for a pipeline's text that another text does not have. */
export function revisionOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

export interface Assignment {
  readonly pipelines: readonly AssignedPipeline[];
}

/** What tells one assignment from another. */
export type AssignmentKey = Pick<AssignedPipeline, "name" | "revision" | "attempt" | "term">;

/** The same for the same pipelines, in whatever order. A worker says by it which assignment it has carried out. */
export function assignmentMark(pipelines: readonly AssignmentKey[]): string {
  return pipelines
    .map(({ name, revision, attempt, term }) => {
      const mark = `${name}@${revision}#${attempt}`;
      return term === undefined ? mark : `${mark}~${term}`;
    })
    .sort()
    .join(" ");
}

export function assignmentText(assignment: Assignment): string {
  return `${JSON.stringify(assignment, null, 1)}\n`;
}

/** Reads what `assignmentText` wrote; `shown` names the file in what is thrown. */
export function parseAssignment(text: string, shown: string): Assignment {
  const wrong = (what: string): WeirError =>
    new WeirError("WEIR_CONFIG", `${shown} is no assignment: ${what}`, {
      remedy: "weir supervise writes it; a folder of pipeline files can be named instead",
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw wrong("it is not JSON");
  }
  const pipelines = isRecord(value) ? value["pipelines"] : undefined;
  if (!Array.isArray(pipelines)) throw wrong("expected a list of pipelines");
  const all = pipelines as readonly unknown[];
  if (!all.every(isAssigned)) throw wrong("a pipeline has a name, a revision, an attempt, a file and a text");
  if (new Set(all.map(({ name }) => name)).size < all.length) throw wrong("two pipelines have one name");
  return { pipelines: all };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isAssigned(value: unknown): value is AssignedPipeline {
  if (!isRecord(value)) return false;
  const { name, revision, attempt, term, forget, resumes, file, text } = value;
  if (![forget, resumes].every((each) => each === undefined || typeof each === "boolean")) return false;
  const texts = [name, revision, file, text].every((each) => typeof each === "string");
  const numbers = Number.isSafeInteger(attempt) && (term === undefined || Number.isSafeInteger(term));
  return texts && numbers && isInstanceName(String(name));
}
