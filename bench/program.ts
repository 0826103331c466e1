// A program of this folder in a process of its own: what it says, in order, and what it and those below it have used.

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { WeirError } from "../runtime/errors.ts";
import { peakResident_mb, processorSeconds, treeOf } from "./side-by-side/processes.ts";

const stderr_bytes_max = 4096;

export interface ProgramOptions<A> {
  /** Stands before what went wrong. */
  readonly name: string;
  /** Gets every answer at once. */
  readonly hear?: (answer: A) => void;
  /** Of Node. */
  readonly flags?: readonly string[];
}

/** `A`: what it answers, told apart by `kind`. */
export class Program<A extends { readonly kind: string }> {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #answers: A[] = [];
  #errors = "";
  #wake: (() => void) | null = null;
  #end: string | null = null;

  constructor(
    file: URL,
    parameters: readonly (string | number)[],
    { name, hear, flags = [] }: ProgramOptions<A>,
  ) {
    this.#name = name;
    this.#child = fork(fileURLToPath(file), parameters.map(String), {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      execArgv: [...flags],
    });
    this.#child.stderr!.on("data", (text: Buffer) => {
      this.#errors = (this.#errors + text.toString()).slice(-stderr_bytes_max);
    });
    this.#child.on("message", (answer: A) => {
      hear?.(answer);
      this.#answers.push(answer);
      this.#wake?.();
    });
    this.#child.on("exit", (code, signal) => {
      this.#end = String(signal ?? code);
      this.#wake?.();
    });
  }

  send(order: object): void {
    this.#child.send(order);
  }

  /** The next answer of a kind; others before it are passed over. Throws where it says `failed`, or ends. */
  async next<K extends A["kind"]>(kind: K): Promise<Extract<A, { kind: K }>> {
    for (;;) {
      const answer = this.#answers.shift();
      if (answer?.kind === kind) return answer as Extract<A, { kind: K }>;
      if (answer?.kind === "failed") throw this.#failure((answer as unknown as { message: string }).message);
      if (answer !== undefined) continue;
      if (this.#end !== null) throw this.#failure(`it ended with ${this.#end}\n${this.#errors}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  processorSeconds(): number | null {
    return processorSeconds(treeOf(this.#child.pid!));
  }

  peakResident_mb(): number | null {
    return peakResident_mb(treeOf(this.#child.pid!));
  }

  end(): void {
    this.#child.kill();
  }

  #failure(message: string): WeirError {
    this.end();
    return new WeirError("WEIR_INTERNAL", `${this.#name}: ${message}`);
  }
}
