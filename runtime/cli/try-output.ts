// Rows on standard output, one a line, no faster than they are read there; a reader that goes away is noticed, so that what
// was opened can be closed. Decides nothing about rows.

import { isShown } from "../pipeline/shown-plan.ts";
import type { Trial, TrialRow } from "../testing/trial.ts";
import { print, styled } from "./terminal.ts";

/** A row behind its branch where there are several, and its subject where the sink has one; or all of it as JSON. */
export function rowLine(
  { plan, step }: Trial,
  { branch, subject, caused, text }: TrialRow,
  json: boolean,
): string {
  const { name } = plan.branches[branch]!;
  if (json) {
    const place = step === null ? { branch: name } : { step };
    const about = JSON.stringify({ ...place, subject, time: new Date(caused).toISOString() });
    return `${about.slice(0, -1)},"row":${text}}`;
  }
  const several = plan.branches.filter(isShown).length > 1;
  const front = [
    ...(several ? [styled("cyan", name)] : []),
    ...(subject === "" ? [] : [styled("dim", subject)]),
  ];
  return [...front, text].join(" ");
}

/** What differs: `-` only in the one, `+` only in the other. */
export function changeLine(sign: "-" | "+", branch: string | null, text: string): string {
  return styled(sign === "-" ? "red" : "green", [sign, ...(branch === null ? [] : [branch]), text].join(" "));
}

export class RowOutput {
  #isGone = false;
  readonly #onError: (error: NodeJS.ErrnoException) => void;

  /** `gone`: told once when nobody reads any more. */
  constructor(gone: () => void) {
    this.#onError = (error) => {
      if (error.code !== "EPIPE") throw error;
      this.#isGone = true;
      gone();
    };
    process.stdout.on("error", this.#onError);
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  write(line: string): void {
    if (!this.#isGone) print(line);
  }

  /** Resolves once there is room for more lines. */
  async room(): Promise<void> {
    const { stdout } = process;
    if (this.#isGone || !stdout.writableNeedDrain) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        stdout.off("drain", done).off("error", done);
        resolve();
      };
      stdout.on("drain", done).on("error", done);
    });
  }

  close(): void {
    // Once the reader has gone every further write fails, and somebody has to listen.
    if (!this.#isGone) process.stdout.off("error", this.#onError);
  }
}
