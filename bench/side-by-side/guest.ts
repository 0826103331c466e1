// An engine in a process of its own, as the process that compares them sees it. Starts it and asks it for
// passes; judges nothing.

import { Program } from "../program.ts";
import type { Engine } from "./engine.ts";
import type { Answer, Order, Passed } from "./host.ts";
import type { Workload } from "./workload.ts";

const host: URL = new URL("./host.ts", import.meta.url);

/** One pass, and the processor time of all its processes; null where the system does not tell. */
export interface Timed extends Passed {
  readonly cpu_s: number | null;
}

export class Guest {
  readonly engine: Engine;
  readonly records: number;
  readonly #program: Program<Answer>;

  private constructor(engine: Engine, workload: Workload, file: string, records: number) {
    this.engine = engine;
    this.records = records;
    const parameters = [engine.name, workload.suite, workload.name, file, records];
    this.#program = new Program(host, parameters, { name: engine.name, flags: ["--expose-gc"] });
  }

  static async open(engine: Engine, workload: Workload, file: string, records: number): Promise<Guest> {
    const guest = new Guest(engine, workload, file, records);
    await guest.#program.next("ready");
    return guest;
  }

  async pass(order: Order): Promise<Timed> {
    const before = this.#program.processorSeconds();
    this.#program.send(order);
    const passed = await this.#program.next("passed");
    const after = this.#program.processorSeconds();
    return { ...passed, cpu_s: before === null || after === null ? null : after - before };
  }

  peakResident_mb(): number | null {
    return this.#program.peakResident_mb();
  }

  close(): void {
    this.#program.end();
  }
}
