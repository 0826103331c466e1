// argv to a command. Nothing else.

import { messageOf } from "../errors.ts";
import { withHelpOfKnown } from "./help.ts";
import { exitReaderGone, exitWriteFailed } from "./options.ts";
import { program } from "./program.ts";

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // A sink that writes rows there has a listener of its own, and goes on.
  if (process.stdout.listenerCount("error") > 1) return;
  if (error.code === "EPIPE") process.exit(exitReaderGone);
  process.stderr.write(`error: standard output takes no more: ${messageOf(error)}\n`);
  process.exit(exitWriteFailed);
});

const typed = withHelpOfKnown(program, process.argv.slice(2));
program.parseAsync(typed, { from: "user" }).catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(70);
});
