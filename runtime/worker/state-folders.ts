// Which folder of the state keeps which pipelines. Pipelines that share a source share a commit log, and stay together
// from then on; one that comes later has a folder of its own. The decision is pure; the folders' own list is read beside it.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { messageOf, WeirError } from "../errors.ts";
import { makeFolder } from "../folder.ts";
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

/** What is to be told of folders of which no pipeline is among `pipelines`: one may be called otherwise since. */
export function leftFolders(known: readonly StateFolder[], pipelines: readonly string[]): readonly string[] {
  return known
    .filter((folder) => !folder.pipelines.some((name) => pipelines.includes(name)))
    .map(
      (folder) =>
        `${folder.name} in the state folder is of ${folder.pipelines.join(", ")}, which this process does not run: rows that wait there are sent once one of that name runs (weir outbox ls FOLDER shows them)`,
    );
}

/** Bytes of the files in a folder, as far as they can be seen. */
export function bytesIn(folder: string): number {
  const sizeOf = (name: string): number => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0;
  return readdirSync(folder).reduce((sum, name) => sum + sizeOf(name), 0);
}

/** Makes the folder of a new home, with its list. */
export function makeStateFolder(state: string, { name, pipelines }: StateFolder): void {
  const folder = join(state, name);
  makeFolder(folder, 0o700);
  // Not there at all, or whole.
  writeWhole(join(folder, listFile), `${JSON.stringify(pipelines)}\n`, { flush: true });
}
