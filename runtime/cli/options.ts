// What commands share on the command line: how they end, and the options that several of them have. Never runs one.

import { InvalidArgumentError, Option } from "commander";
import { type ErrorCode, messageOf, WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import { outputWritten } from "../written.ts";
import { complain, isOfSystem } from "./terminal.ts";

/** Of weir. */
export const version = "0.1.0";

/** As the shell's own programs end when nobody reads any more: 128 and the number of SIGPIPE. */
export const exitReaderGone = 141;
/** Of what cannot be written, as that of WEIR_SINK. */
export const exitWriteFailed = 74;
/** Of a file or folder that cannot be used, as that of WEIR_FILE. */
const exitFile = 66;

/** Where the command that runs prints JSON: `stderr` where rows go to the other; null where it prints text. */
let json: "stdout" | "stderr" | null = null;

/** Has what goes wrong told as JSON too, in the place of a command's results. */
export function failAsJson(stream: "stdout" | "stderr"): void {
  json = stream;
}

/** Runs a command; its failure is told on standard error, and as JSON where it prints that, and gives the exit code. */
export async function finish(command: Promise<number>): Promise<void> {
  let code: number;
  try {
    code = await command;
  } catch (error) {
    complain(error);
    if (json !== null) process[json].write(`${failureText(error)}\n`);
    code = error instanceof WeirError ? error.exitCode : isOfSystem(error) ? exitFile : 70;
  }
  await outputWritten();
  process.exit(code);
}

/** One object in a line, as that of a pipeline's mistakes is. */
function failureText(error: unknown): string {
  const isKnown = error instanceof WeirError;
  const code: ErrorCode = isKnown ? error.code : isOfSystem(error) ? "WEIR_FILE" : "WEIR_INTERNAL";
  const remedy = isKnown ? error.remedy : undefined;
  return JSON.stringify({ ok: false, error: { code, message: messageOf(error), remedy } });
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

/** An option that may be there several times; `none`: what holds where it is not. */
export function repeatable(flags: string, description: string, none = "none"): Option {
  return new Option(flags, `${description} (repeatable)`).argParser(collect).default([], none);
}

export function positive(value: string): number {
  const number = Number(value);
  if (!(number > 0)) throw new InvalidArgumentError("expected a number above 0");
  return number;
}

export function whole(value: string): number {
  const number = positive(value);
  if (!Number.isSafeInteger(number)) throw new InvalidArgumentError("expected a whole number");
  return number;
}

/** A number above 0 and at most `most`: one that was meant in another unit bounds nothing. */
function upTo(value: string, most: number): number {
  const number = positive(value);
  if (number > most) throw new InvalidArgumentError(`expected at most ${most}`);
  return number;
}

const mebibyte = 1024 ** 2;

export const memoryOption = (): Option =>
  new Option("--memory <MiB>", "what one worker may take, or more where its own pipeline's placement says so")
    .argParser((value) => Math.round(upTo(value, limits.worker_memory_bytes_max / mebibyte) * mebibyte))
    .default(limits.worker_memory_bytes_default, String(limits.worker_memory_bytes_default / mebibyte));
export const processorsOption = (): Option =>
  new Option(
    "--processors <number>",
    "how many one worker may keep busy, likewise: 0.5 is half of one; without it, as many as there are",
  ).argParser((value) => upTo(value, limits.worker_processors_max));

export const connectionOption = (): Option =>
  repeatable(
    "--nats <[name=]url>",
    "a NATS connection; without a name it is the default one",
    "nats://127.0.0.1:4222",
  );
export const jsonOption = (): Option =>
  new Option("--json", "print JSON for machines, what goes wrong as well");
