// What is wanted on a host: pipelines with their texts, read from files as far as a supervisor has to know them. It
// knows their names, placement and subjects; whether their steps make sense, the worker that runs them sees.

import { readdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { revisionOf } from "../assignment.ts";
import { readBounded } from "../bounded-file.ts";
import { adviceOf, messageOf, WeirError } from "../errors.ts";
import { instanceName, pipelineNamePattern } from "../instance.ts";
import { limits } from "../limits.ts";
import { readDocument } from "../pipeline/document.ts";
import type { Diagnostic, PlacementSpec } from "../pipeline/pipeline.ts";
import { readPlacement } from "../pipeline/placement-spec.ts";
import { Reader } from "../pipeline/section.ts";
import { subscriptionOf } from "../pipeline/subject.ts";
import { signatureMark } from "./signature.ts";
import { signatureBeside } from "./signature-file.ts";

export interface WantedPipeline {
  /** As it runs here: the file's own, or that of the one partition of it that is wanted (instance.ts). */
  readonly name: string;
  /** Of the text. */
  readonly revision: string;
  readonly text: string;
  /** Where its file is, or would be: what it names is relative to that. */
  readonly file: string;
  readonly placement: PlacementSpec;
  /** What it reads from NATS. */
  readonly subjects: readonly string[];
  /** Which turn of it this host's is; absent where it is wanted of this host by name. */
  readonly term?: number | undefined;
  /** Where what was kept of it is of other steps, it begins anew. */
  readonly forget?: boolean | undefined;
  /** Nobody else had a turn of it since this host's own: it goes on with what is kept here. */
  readonly resumes?: boolean | undefined;
  /** Its turn here has ended, and what is kept of it goes to its next host: it does not run. */
  readonly leaves?: boolean | undefined;
  /** It takes what another host left of it, of this turn or a later one. */
  readonly carries?: number | undefined;
  /** What is said to be the signature of its text, whatever that is: a host that trusts keys judges it. */
  readonly signature?: unknown;
}

/** What tells one revision, and who wants it, from another. */
export function revisionMark({
  revision,
  signature,
}: Pick<WantedPipeline, "revision" | "signature">): string {
  return `${revision}${signatureMark(signature)}`;
}

/** The device's own settings, which may lie beside pipelines. */
const settingsFile = "weir.yaml";

const nameWanted = "a pipeline has a name of lower-case letters, digits, - and _, at most 64";

/** Why a file cannot be used, and where in it. */
function refusal(file: string, mistake: Diagnostic | undefined): WeirError {
  const { line = 1, column = 1, message = "it cannot be read", hint = null } = mistake ?? {};
  const why = hint === null ? message : `${message}; ${hint}`;
  const remedy = `weir lint ${file} shows every mistake`;
  return new WeirError("WEIR_CONFIG", `${file}:${line}:${column}: ${why}`, { remedy });
}

/**
 * Reads what a supervisor has to know of a pipeline, or of one partition of it; throws where it cannot even be told apart from
 * others, and where it has no such partition.
 */
export function wantedPipeline(
  file: string,
  text: string,
  {
    partition = null,
    term,
    forget,
    resumes,
    leaves,
    carries,
    signature,
  }: Pick<WantedPipeline, "term" | "forget" | "resumes" | "leaves" | "carries" | "signature"> & {
    readonly partition?: number | null | undefined;
  } = {},
): WantedPipeline {
  const { document, diagnostics } = readDocument(file, text);
  if (document === null) throw refusal(file, diagnostics[0]);
  const name = document.valueAt(["name"]);
  if (typeof name !== "string" || !pipelineNamePattern.test(name))
    throw refusal(file, document.diagnostic(document.spanOf(["name"]), nameWanted));
  const reader = new Reader(document);
  const placement = readPlacement(reader);
  const [fault] = reader.diagnostics;
  if (fault !== undefined) throw refusal(file, fault);
  if (partition !== null && partition >= (placement.partitions ?? 0))
    throw refusal(file, document.diagnostic(document.spanOf(["name"]), `it has no partition ${partition}`));
  return {
    name: partition === null ? name : instanceName(name, partition),
    revision: revisionOf(text),
    text,
    file: resolve(file),
    placement,
    subjects: subjectsIn(document.value),
    ...(term === undefined ? {} : { term }),
    ...(forget === true ? { forget } : {}),
    ...(resumes === true ? { resumes } : {}),
    ...(leaves === true ? { leaves } : {}),
    ...(carries === undefined ? {} : { carries }),
    ...(signature === undefined ? {} : { signature }),
  };
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function subjectsIn(value: unknown): readonly string[] {
  if (!isMap(value)) return [];
  const several = isMap(value["sources"]) ? Object.values(value["sources"]) : [value["source"]];
  return several.flatMap((source) => {
    const nats = isMap(source) ? source["nats"] : undefined;
    const subject = isMap(nats) ? nats["subject"] : undefined;
    return typeof subject === "string" ? [subscriptionOf(subject)] : [];
  });
}

/** A file of a folder that cannot be used, or one that may not be. */
export interface RefusedFile {
  /** Its whole path. */
  readonly file: string;
  /** Of its pipeline, where that is known. */
  readonly name?: string;
  /** Where and why. */
  readonly reason: string;
}

/**
 * The files in `folder` as they are, and why those that cannot be used cannot. Of two with one name the first counts. Those of
 * `forget` begin anew where what is kept does not fit.
 */
export function wantedInFolder(
  folder: string,
  forget: readonly string[] = [],
): {
  readonly pipelines: readonly WantedPipeline[];
  readonly refused: readonly RefusedFile[];
} {
  const refused: RefusedFile[] = [];
  const refuse = (file: string, reason: string): void => void refused.push({ file: resolve(file), reason });
  const found = new Map<string, WantedPipeline>();
  const files = readdirSync(folder).filter((name) => /\.ya?ml$/.test(name) && name !== settingsFile);
  for (const name of files.sort()) {
    const path = join(folder, name);
    try {
      // Looked at again and again, by the one thread that looks after all workers: a pipe would hold it up for ever.
      const text = readBounded(path, limits.config_bytes_max).toString("utf8");
      const read = wantedPipeline(path, text, { signature: signatureBeside(path) });
      const pipeline = forget.includes(read.name) ? { ...read, forget: true } : read;
      const first = found.get(pipeline.name);
      if (first !== undefined)
        refuse(
          path,
          `${path}: another file has a pipeline ${pipeline.name} already, ${basename(first.file)}; give it another name`,
        );
      else found.set(pipeline.name, pipeline);
    } catch (error) {
      refuse(
        path,
        error instanceof WeirError ? adviceOf(error) : `${path} cannot be read: ${messageOf(error)}`,
      );
    }
  }
  return { pipelines: [...found.values()], refused };
}
