// What a worker is to run, as it lies on the disk: an assignment that a supervisor writes, or a folder of pipeline
// files that somebody keeps. Looked at now and then; told only when it is another one.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { type AssignedPipeline, assignmentMark, parseAssignment, revisionOf } from "../assignment.ts";
import type { Clock } from "../clock.ts";
import { messageOf, WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Log } from "../log.ts";
import { readDocument } from "../pipeline/document.ts";

/** The device's own settings, which may lie beside pipelines. */
const settingsFile = "weir.yaml";

/** What lies at `path` now. A folder's files are named by what they call themselves, or by their own names. */
export function readAssigned(path: string): readonly AssignedPipeline[] {
  const facts = statSync(path, { throwIfNoEntry: false });
  if (facts === undefined)
    throw new WeirError("WEIR_FILE", `there is no ${path}`, {
      remedy: "name a folder of pipeline files, or the assignment that weir supervise writes",
    });
  if (!facts.isDirectory()) return parseAssignment(readFileSync(path, "utf8"), path).pipelines;
  const files = readdirSync(path).filter((name) => /\.ya?ml$/.test(name) && name !== settingsFile);
  const pipelines = files.sort().map((name) => readFolderPipeline(join(path, name)));
  const twice = pipelines.find(
    ({ name }, place) => pipelines.findIndex((each) => each.name === name) < place,
  );
  if (twice === undefined) return pipelines;
  throw new WeirError("WEIR_CONFIG", `two files in ${path} call their pipeline ${twice.name}`, {
    remedy: "give each a name of its own",
  });
}

function readFolderPipeline(path: string): AssignedPipeline {
  // Looked at again and again by the thread of the sockets: a pipe would hold it up for ever.
  if (!statSync(path).isFile())
    throw new WeirError("WEIR_FILE", `${path} is not a regular file`, {
      remedy: "a folder of pipelines holds pipeline files",
    });
  const text = readFileSync(path, "utf8");
  const written = readDocument(path, text).document?.valueAt(["name"]);
  const name = typeof written === "string" ? written : basename(path).replace(/\.ya?ml$/, "");
  return { name, revision: revisionOf(text), attempt: 1, file: resolve(path), text };
}

/** Tells what lies at `path`, and each change of it. What cannot be read just now is told once, and changes nothing. */
export function watchAssigned(
  path: string,
  told: (pipelines: readonly AssignedPipeline[]) => void,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): () => void {
  let mark: string | null = null;
  let complaint = "";
  const look = (): void => {
    try {
      const pipelines = readAssigned(path);
      complaint = "";
      const now = assignmentMark(pipelines);
      if (now !== mark) told(pipelines);
      mark = now;
    } catch (error) {
      const message = messageOf(error);
      if (message !== complaint) log.error(`what is to run cannot be read, nothing is changed: ${message}`);
      complaint = message;
    }
  };
  look();
  return clock.every(limits.assignment_look_ms, look);
}
