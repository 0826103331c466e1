// An engine in a process of its own, as the process that compares them sees it. Starts it, asks it for
// passes, and reads what it has used; judges nothing.

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { WeirError } from "../../runtime/errors.ts";
import type { Engine } from "./engine.ts";
import type { Answer, Order, Passed } from "./host.ts";
import { peakResident_mb, processorSeconds, treeOf } from "./processes.ts";
import type { Workload } from "./workload.ts";

const host: string = fileURLToPath(new URL("./host.ts", import.meta.url));
const stderr_bytes_max = 4096;

/** One pass, and the processor time of all its processes; null where the system does not tell. */
export interface Timed extends Passed {
  readonly cpu_s: number | null;
}

export class Guest {
  readonly engine: Engine;
  readonly records: number;
  readonly #child: ChildProcess;
  #processes: readonly number[] = [];
  #errors = "";
  #take: ((answer: Answer) => void) | null = null;

  private constructor(engine: Engine, workload: Workload, file: string, records: number) {
    this.engine = engine;
    this.records = records;
    this.#child = fork(host, [engine.name, workload.suite, workload.name, file, String(records)], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      execArgv: ["--expose-gc"],
    });
    this.#child.stderr!.on("data", (text: Buffer) => {
      this.#errors = (this.#errors + text.toString()).slice(-stderr_bytes_max);
    });
    this.#child.on("message", (answer: Answer) => this.#take?.(answer));
    this.#child.on("exit", (code, signal) => {
      this.#take?.({ kind: "failed", message: `it ended with ${signal ?? code}\n${this.#errors}` });
    });
  }

  static async open(engine: Engine, workload: Workload, file: string, records: number): Promise<Guest> {
    const guest = new Guest(engine, workload, file, records);
    const ready = await guest.#answer("ready");
    guest.#processes = ready.processes;
    return guest;
  }

  async pass(order: Order): Promise<Timed> {
    const before = processorSeconds(this.#tree());
    this.#child.send(order);
    const passed = await this.#answer("passed");
    const after = processorSeconds(this.#tree());
    return { ...passed, cpu_s: before === null || after === null ? null : after - before };
  }

  peakResident_mb(): number | null {
    return peakResident_mb(this.#tree());
  }

  close(): void {
    this.#take = null;
    this.#child.kill();
    for (const pid of this.#processes) process.kill(pid);
  }

  #tree(): readonly number[] {
    return [...new Set([this.#child.pid!, ...this.#processes].flatMap(treeOf))];
  }

  async #answer<K extends Answer["kind"]>(kind: K): Promise<Extract<Answer, { kind: K }>> {
    const answer = await new Promise<Answer>((resolve) => {
      this.#take = resolve;
    });
    this.#take = null;
    if (answer.kind === kind) return answer as Extract<Answer, { kind: K }>;
    this.close();
    throw new WeirError("WEIR_INTERNAL", `${this.engine.name}: ${failureOf(answer)}`);
  }
}

function failureOf(answer: Answer): string {
  return answer.kind === "failed" ? answer.message : `answered ${answer.kind} out of turn`;
}
