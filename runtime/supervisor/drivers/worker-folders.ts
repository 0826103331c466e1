// The folders of this host that a worker is given, before it starts: there, and its own where it is to write.

import { chownSync, existsSync } from "node:fs";
import { WeirError } from "../../errors.ts";
import { makeFolder } from "../../folder.ts";
import type { WorkerSpec } from "../driver.ts";

/** A folder to write in is made where it is missing and, by root, given to the `user` (`1000:1000`) of the worker. */
export function prepareFolders({ name, folders }: WorkerSpec, user: string): void {
  const [owner = 0, group = 0] = user.split(":").map(Number);
  for (const { host, writable } of folders) {
    if (!writable) {
      if (existsSync(host)) continue;
      throw new WeirError("WEIR_WORKER_REFUSED", `worker ${name}: there is no folder ${host}`, {
        remedy: "correct the path, or make the folder",
      });
    }
    const made = makeFolder(host, 0o700);
    if (made !== undefined && process.getuid?.() === 0) chownSync(host, owner, group);
  }
}
