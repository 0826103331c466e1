// Which folder of the state keeps which pipelines. Pipelines that share a source share a commit log, and stay together
// from then on; one that comes later has a folder of its own. The decision is pure; the folders' own list is read beside it.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { ConnectorLog } from "../connect/connector-log.ts";
import { messageOf, WeirError } from "../errors.ts";
import { makeFolder } from "../folder.ts";
import { isInstanceName } from "../instance.ts";
import { limits } from "../limits.ts";
import { writeWhole } from "../whole-file.ts";

/** A folder with a commit log, and the pipelines whose state is in it. */
export interface StateFolder {
  readonly name: string;
  readonly pipelines: readonly string[];
}

export interface Home<Pipeline> {
  readonly folder: StateFolder;
  /** The folder is to be made. */
  readonly isNew: boolean;
  readonly pipelines: readonly Pipeline[];
}

/** By `pipelines`, which of them run together and where: as before where they have run before. */
export function homesOf<Pipeline extends { readonly name: string }>(
  pipelines: readonly Pipeline[],
  known: readonly StateFolder[],
): Home<Pipeline>[] {
  const homes = new Map<StateFolder | null, Pipeline[]>();
  for (const pipeline of pipelines) {
    const folder = known.find((each) => each.pipelines.includes(pipeline.name)) ?? null;
    const together = homes.get(folder);
    if (together === undefined) homes.set(folder, [pipeline]);
    else together.push(pipeline);
  }
  return [...homes].map(([folder, together]) => ({
    folder: folder ?? newFolder(together.map(({ name }) => name)),
    isNew: folder === null,
    pipelines: together,
  }));
}

function newFolder(pipelines: readonly string[]): StateFolder {
  return { name: joinedName(pipelines, limits.state_folder_name_length_max), pipelines };
}

/** The names in one, in order; those that do not fit are told apart by a digest. */
export function joinedName(names: readonly string[], longest: number): string {
  const joined = [...names].sort().join("+");
  if (joined.length <= longest) return joined;
  const digest = createHash("sha256").update(joined).digest("hex").slice(0, 16);
  return `${joined.slice(0, longest - digest.length - 1)}+${digest}`;
}

const listFile = "pipelines.json";
const termFile = "term";
/** Where folders of earlier terms lie: nobody goes on from them, and `weir outbox` can look into them. */
const asideFolder = "handed-over";

/**
 * Sees that what is kept of a pipeline is of this host's present turn of it. What is of an earlier one is put aside, with the
 * rows that were not sent: others have sent since. Where nobody else had a turn since (`resumes`), it goes on.
 */
export function enterTerm(
  state: string,
  pipeline: string,
  { term, resumes }: { readonly term: number; readonly resumes: boolean },
  log: ConnectorLog,
): void {
  const home = stateFolders(state).find((each) => each.pipelines.includes(pipeline));
  if (home === undefined) {
    makeStateFolder(state, { name: pipeline, pipelines: [pipeline] });
    writeTerm(join(state, pipeline), term);
    return;
  }
  const folder = join(state, home.name);
  const known = termIn(folder);
  if (known === term) return;
  if (home.pipelines.length > 1)
    throw new WeirError("WEIR_STATE", `${folder} keeps ${pipeline} together with others`, {
      remedy:
        "what goes from host to host is kept alone: end those that run, and remove or rename the folder",
    });
  // What ran here before anybody handed it on goes on, and so does what nobody has had meanwhile.
  if ((known === null && term === 1) || (known !== null && known < term && resumes)) {
    writeTerm(folder, term);
    return;
  }
  if (known !== null && known > term)
    throw new WeirError("WEIR_FENCED", `${folder} is of term ${known}, and this is term ${term}`, {
      remedy: "an assignment came late, and the next one follows; nothing is to be done",
    });
  const aside = join(state, asideFolder);
  makeFolder(aside, 0o700);
  const to = join(aside, `${pipeline}.${known ?? 0}`);
  rmSync(to, { recursive: true, force: true });
  renameSync(folder, to);
  log.warn(
    `${pipeline}: another host ran it meanwhile; it begins anew, and what was not sent from here is in ${to}: weir outbox export`,
  );
  enterTerm(state, pipeline, { term, resumes: false }, log);
}

/** By pipeline, or partition of one, the newest turn that this host had, as far as anything of it is kept and can be read. */
export function termsIn(state: string): Readonly<Record<string, number>> {
  // What goes from host to host is kept alone, in a folder of its name.
  const terms: Record<string, number> = {};
  for (const name of namesIn(state).filter(isInstanceName)) {
    const term = existsSync(join(state, name, termFile)) ? termIn(join(state, name)) : null;
    if (term !== null && term > 0) terms[name] = term;
  }
  return terms;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function termIn(folder: string): number | null {
  try {
    const term = Number(readFileSync(join(folder, termFile), "utf8"));
    return Number.isSafeInteger(term) ? term : null;
  } catch {
    return null;
  }
}

function writeTerm(folder: string, term: number): void {
  writeWhole(join(folder, termFile), `${term}\n`, { flush: true });
}

/** The folders of a state, which need not be there. */
export function stateFolders(state: string): StateFolder[] {
  if (!existsSync(state)) return [];
  return readdirSync(state, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(state, entry.name, listFile)))
    .map(({ name }) => ({ name, pipelines: listIn(join(state, name, listFile)) }));
}

function listIn(file: string): string[] {
  let names: unknown;
  let why = "";
  try {
    names = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    why = `: ${messageOf(error)}`;
  }
  if (Array.isArray(names) && names.every((name) => typeof name === "string")) return names;
  throw new WeirError("WEIR_STATE", `${file}: expected a list of pipeline names${why}`, {
    remedy:
      "start again where it could not be read; else put back the file as it was: the names are those of the pipelines that shared this folder",
  });
}

/** Makes the folder of a new home, with its list. */
export function makeStateFolder(state: string, { name, pipelines }: StateFolder): void {
  const folder = join(state, name);
  makeFolder(folder, 0o700);
  // Not there at all, or whole.
  writeWhole(join(folder, listFile), `${JSON.stringify(pipelines)}\n`, { flush: true });
}
