// A folder of pipelines as what a supervisor is to run: followed as it changes. Starts and ends nothing itself.

import { existsSync, statSync } from "node:fs";
import { wallClock } from "../clock.ts";
import { messageOf, WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";
import { wantedInFolder } from "../supervisor/wanted.ts";
import { checkForget } from "./known-names.ts";

/** Follows the folder; what is wrong in it is told once for each fault, and takes nothing away that runs. */
export function followFolder(
  folder: string,
  supervisor: Supervisor,
  { forget, log }: { readonly forget: readonly string[]; readonly log: Log },
): () => void {
  let told = "";
  const look = (): void => {
    try {
      const { pipelines, refused } = wantedInFolder(folder, forget);
      const complaint = refused.map(({ reason }) => reason).join("\n");
      if (complaint !== told) for (const { reason } of refused) log.error(reason);
      told = complaint;
      // Of a file that cannot be read just now, what was wanted before is wanted still.
      const broken = supervisor.wanted.filter(
        ({ name, file }) =>
          refused.some((each) => each.file === file) && !pipelines.some((each) => each.name === name),
      );
      supervisor.want([...pipelines, ...broken]);
      supervisor.refuse(refused);
    } catch (error) {
      const message = messageOf(error);
      if (message !== told) log.error(`${folder} cannot be read, what is wanted stays as it is: ${message}`);
      told = message;
    }
  };
  look();
  return wallClock.every(limits.supervisor_look_ms, look);
}

/** Refuses to let begin anew what the folder does not have. */
export function checkForgotten(folder: string | undefined, forget: readonly string[]): void {
  if (forget.length === 0) return;
  if (folder === undefined) {
    throw new WeirError("WEIR_USAGE", "--forget names pipelines of a folder, and none is given", {
      remedy: "name the folder; of a bucket, weir apply FILE --forget NAME says it",
    });
  }
  const known = existsSync(folder) ? wantedInFolder(folder).pipelines : [];
  checkForget(
    forget,
    known.map(({ name }) => name),
  );
}

/** Refuses a command that leaves nothing to supervise. What is known runs, though its folder may not be there just now. */
export function checkWanted(
  folder: string | undefined,
  desired: string | undefined,
  supervisor: Supervisor,
): void {
  if (folder !== undefined && desired !== undefined) {
    throw new WeirError("WEIR_USAGE", "what is wanted comes from a folder or from a bucket, not from both", {
      remedy: "leave out the folder, or --desired",
    });
  }
  // What may not run just now may again, by another key or another file.
  if (desired !== undefined || supervisor.wanted.length + supervisor.refused.length > 0) return;
  if (folder === undefined) {
    throw new WeirError("WEIR_USAGE", "there is nothing to supervise", {
      remedy: "name a folder of pipeline files: weir supervise pipelines/ --state /var/lib/weir",
    });
  }
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw new WeirError("WEIR_FILE", `there is no folder ${folder}, and nothing is known from before`, {
    remedy: "name a folder of pipeline files; it may be empty, and is looked at again and again",
  });
}
