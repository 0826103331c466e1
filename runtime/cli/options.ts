// What commands share on the command line: how they end, and the options that several of them have. Never runs one.

import { InvalidArgumentError, Option } from "commander";
import { WeirError } from "../errors.ts";
import { complain } from "./terminal.ts";

/** Of weir. */
export const version = "0.1.0";

/** Runs a command; its failure is told on standard error and gives the exit code. */
export async function finish(command: Promise<number>): Promise<void> {
  let code: number;
  try {
    code = await command;
  } catch (error) {
    complain(error);
    code = error instanceof WeirError ? error.exitCode : 70;
  }
  // Whatever is buffered for a pipe is written before the process ends.
  await Promise.all(
    [process.stdout, process.stderr].map(
      (stream) => new Promise<void>((resolve) => stream.write("", () => resolve())),
    ),
  );
  process.exit(code);
}

/** For options that may be there several times. */
export function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

export function positive(value: string): number {
  const number = Number(value);
  if (!(number > 0)) throw new InvalidArgumentError("expected a number above 0");
  return number;
}

export const connectionOption = (): Option =>
  new Option("--nats <[name=]url>", "a NATS connection; without a name it is the default one (repeatable)")
    .argParser(collect)
    .default([], "nats://127.0.0.1:4222");
export const jsonOption = (): Option => new Option("--json", "print JSON for machines");
