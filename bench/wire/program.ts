// A program of this folder in a process of its own, and what it says, in order.

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { peakResident_mb, processorSeconds } from "../side-by-side/processes.ts";

const stderr_bytes_max = 4096;

/** `A`: what it answers, told apart by `kind`. */
export class Program<A extends { readonly kind: string }> {
  readonly #child: ChildProcess;
  readonly #answers: A[] = [];
  readonly #hear: (answer: A) => void;
  #errors = "";
  #wake: (() => void) | null = null;
  #ended = false;

  /** `hear` gets every answer at once. */
  constructor(
    file: string,
    parameters: readonly (string | number)[],
    hear: (answer: A) => void = () => undefined,
  ) {
    this.#hear = hear;
    const path = fileURLToPath(new URL(file, import.meta.url));
    this.#child = fork(path, parameters.map(String), { stdio: ["ignore", "ignore", "pipe", "ipc"] });
    this.#child.stderr!.on("data", (text: Buffer) => {
      this.#errors = (this.#errors + text.toString()).slice(-stderr_bytes_max);
    });
    this.#child.on("message", (answer: A) => {
      this.#hear(answer);
      this.#answers.push(answer);
      this.#wake?.();
    });
    this.#child.on("exit", () => {
      this.#ended = true;
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
      if (answer?.kind === "failed") throw new Error((answer as unknown as { message: string }).message);
      if (answer !== undefined) continue;
      if (this.#ended) throw new Error(`it ended\n${this.#errors}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  processorSeconds(): number | null {
    return processorSeconds([this.#child.pid!]);
  }

  peakResident_mb(): number | null {
    return peakResident_mb([this.#child.pid!]);
  }

  end(): void {
    this.#child.kill();
  }
}
