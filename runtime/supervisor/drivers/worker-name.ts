// What every driver asks of a worker's name and revision before it becomes part of a path, a label or a command.

import { WeirError } from "../../errors.ts";
import type { WorkerSpec } from "../driver.ts";

const namePattern = /^[a-z0-9_-]{1,64}$/;

/** Throws for a name that could mean anything but itself. */
export function checkSpec({ name, revision, command }: WorkerSpec): void {
  const refuse = (what: string): WeirError =>
    new WeirError("WEIR_WORKER_REFUSED", `${what} cannot be that of a worker`, {
      remedy: "lower-case letters, digits, - and _, at most 64",
    });
  if (!namePattern.test(name)) throw refuse(`the name ${JSON.stringify(name)}`);
  if (!/^[A-Za-z0-9_.-]{1,64}$/.test(revision)) throw refuse(`the revision ${JSON.stringify(revision)}`);
  if (command.some((each) => each.includes("\0"))) throw refuse("a command with a NUL");
}
