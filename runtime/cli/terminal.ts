// What commands share in front of a person: mistakes and failures, in colour only on a terminal.

import { styleText } from "node:util";
import { messageOf, WeirError } from "../errors.ts";

type Style = Parameters<typeof styleText>[0];

/** `text` in a style, where the stream is a terminal and NO_COLOR is not set. */
export function styled(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(style, text, { stream, validateStream: true });
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Says on standard error what does not keep a command from going on. */
export function warn(text: string): void {
  process.stderr.write(`${styled("yellow", "warning:", process.stderr)} ${text}\n`);
}

/** True while a line stands that says how far a command is. */
let isUnderWay = false;

/** Says on a terminal how far a command is, in a line that gives way to the next; "" takes it away. Elsewhere it says nothing. */
export function progress(text: string, stream: NodeJS.WriteStream = process.stderr): void {
  if (!stream.isTTY || (text === "" && !isUnderWay)) return;
  isUnderWay = text !== "";
  // To the first column, without what stood there.
  stream.write(`\r\u001b[K${text}`);
}

/** An error of the system about a file or folder that a command was told: nobody's fault but of what is there. */
export function isOfSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error && "path" in error && "code" in error;
}

/** Tells what went wrong, and what to do about it. */
export function complain(error: unknown): void {
  const label = styled("red", "error:", process.stderr);
  process.stderr.write(`${label} ${messageOf(error)}\n`);
  if (error instanceof WeirError) {
    if (error.remedy !== undefined) process.stderr.write(`  ${error.remedy}\n`);
  } else if (isOfSystem(error))
    process.stderr.write("  look at that path: is it there, may this user use it, and has its disk room?\n");
  else if (error instanceof Error && error.stack !== undefined) {
    process.stderr.write(
      `${error.stack.split("\n").slice(1).join("\n")}\n  this is a fault of weir's; please report it\n`,
    );
  }
}
