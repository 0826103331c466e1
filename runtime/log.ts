// The one way to say something that is not a command's result: lines on standard error. Never a secret,
// never a payload, never a line for each record.

import { pino } from "pino";
import { styleText } from "node:util";
import { wallClock } from "./clock.ts";

export interface Log {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
  /** What `who` waits for from now on, null once that is there; for whoever wants to know without reading lines. */
  waits?(who: string, what: string | null): void;
}

export type LogFormat = "text" | "json";

type Level = "info" | "warn" | "error";

/** Names and messages of others cannot start a new line or move the cursor. */
function printable(message: string): string {
  return message.replace(/\p{Cc}+/gu, " ");
}

const colours = { info: "dim", warn: "yellow", error: "red" } as const;

function textLog(): Log {
  const write = (level: Level, message: string): void => {
    const time = new Date(wallClock.now()).toISOString().slice(11, 23);
    const mark = styleText(colours[level], level.padEnd(5), { stream: process.stderr });
    process.stderr.write(`${time} ${mark} ${printable(message)}\n`);
  };
  return {
    info: (message) => write("info", message),
    warn: (message) => write("warn", message),
    error: (message) => write("error", message),
  };
}

function jsonLog(): Log {
  const logger = pino(
    { base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  );
  return {
    info: (message) => logger.info(message),
    warn: (message) => logger.warn(message),
    error: (message) => logger.error(message),
  };
}

/** Lines for people or one JSON object a line. */
export function makeLog(format: LogFormat): Log {
  return format === "json" ? jsonLog() : textLog();
}
