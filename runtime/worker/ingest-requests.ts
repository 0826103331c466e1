// What workers ask of the ingest beside them, as files in the state folder: one for each group of pipelines that has journals.
// They outlive the workers, so that an ingest goes on from them after a start of the machine. No secrets are in them.

import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { makeFolder } from "../folder.ts";
import { z } from "zod";
import { framings } from "../codec/framing.ts";
import { writeWhole } from "../whole-file.ts";
import { type IngestJob, ingestFolder, type IngestPlan } from "./ingest-plan.ts";

const requestFile = "request.json";
/** A name that cannot lead out of its folder. */
const folderName = /^[\w+.-]*\w[\w+.-]*$/;

const job: z.ZodType<IngestJob> = z.strictObject({
  // In that of its group, and nowhere else.
  folder: z.string().regex(folderName),
  to: z.string(),
  subject: z.string().min(1),
  framing: z.enum(framings),
  overflow: z.enum(["drop_oldest", "drop_newest"]),
  bytes: z.number().positive(),
  age: z.number().positive(),
  sequence: z.string().nullable(),
});

const requested = z.array(job).min(1);

/** Asks for it from here on. */
export function writeRequest({ folder, jobs }: IngestPlan): void {
  makeFolder(folder, 0o700);
  const within = jobs.map((each) => ({ ...each, folder: basename(each.folder) }));
  writeWhole(join(folder, requestFile), JSON.stringify(within));
}

export function isRequested(folder: string): boolean {
  return existsSync(join(folder, requestFile));
}

/** Nobody wants it any more. */
export function removeRequest(folder: string): void {
  rmSync(join(folder, requestFile), { force: true });
}

function requestedGroups(state: string): readonly string[] {
  try {
    return readdirSync(ingestFolder(state, "")).filter((name) => folderName.test(name));
  } catch {
    return [];
  }
}

/** Null where there is none, or none that may be carried out. */
function requestIn(folder: string): IngestPlan | null {
  try {
    const within = requested.parse(JSON.parse(readFileSync(join(folder, requestFile), "utf8")));
    const jobs = within.map((each) => ({ ...each, folder: join(folder, each.folder) }));
    return { folder, jobs, connections: {}, attended: true };
  } catch {
    return null;
  }
}

/** All that is asked for, each without its connections: those are the ingest's own. */
export function readRequests(state: string): readonly IngestPlan[] {
  return requestedGroups(state).flatMap((group) => requestIn(ingestFolder(state, group)) ?? []);
}
