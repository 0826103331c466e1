// What a run of the suite makes once and its test files share; and which weir tests and fault runs start as processes: the
// sources, or, where a suite starts hundreds of them, a bundle that takes a third of the processor time to start. Never says
// what is run.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { WeirError } from "../errors.ts";
import { type Part, partUrl, sourceUrl } from "../layout.ts";

/** The folder of the suite's run; nothing where none runs. */
const folderVariable = "WEIR_SUITE_FOLDER";

/** A file or folder that `make` writes, made by whoever asks first. Two may be at it, and then one of both is kept. */
export function madeOnce(name: string, make: (output: string) => void): string {
  const folder = process.env[folderVariable];
  if (folder === undefined) throw new WeirError("WEIR_INTERNAL", `${name} is made for tests, and none run`);
  const path = join(folder, name);
  if (existsSync(path)) return path;
  const scratch = mkdtempSync(join(folder, "making-"));
  make(join(scratch, name));
  try {
    renameSync(join(scratch, name), path);
  } catch (error) {
    if (!existsSync(path)) throw error;
  }
  rmSync(scratch, { recursive: true, force: true });
  return path;
}

function makeBundle(output: string): void {
  const script = sourceUrl("deploy/bundle.ts")?.pathname ?? "";
  const { status, stderr } = spawnSync(process.execPath, [script, output], { encoding: "utf8" });
  if (status !== 0) throw new WeirError("WEIR_INTERNAL", `no bundle for tests could be made: ${stderr}`);
}

/** Where a part of the weir lies that is to be started. */
export function startedPart(part: Part): URL {
  if (process.env[folderVariable] === undefined) return partUrl(part);
  const bundle = madeOnce("bundle", makeBundle);
  // Compiled code is kept beside what it was compiled of, and goes with it.
  process.env["NODE_COMPILE_CACHE"] = join(bundle, "..", "compiled");
  return pathToFileURL(join(bundle, part));
}
