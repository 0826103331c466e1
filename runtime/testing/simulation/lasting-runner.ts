// STAND-IN until the engine's runner remembers: whole snapshots in place of changes.
import { GroupRunner } from "../../engine/group-runner.ts";
import type { SourceGroup } from "../../engine/source-group.ts";
import type { LastingRunner } from "../../worker/durable-task.ts";

export class RememberingRunner extends GroupRunner implements LastingRunner {
  readonly #kept: SourceGroup;
  #last = new Map<string, Uint8Array>();
  constructor(group: SourceGroup) {
    super(group, { inputs: [], header: [], threads: 0 });
    this.#kept = group;
  }
  async checkpoint(now: number): Promise<ReadonlyMap<string, Uint8Array>> {
    this.#kept.each((engine) => this.#last.set(engine.plan.name, engine.snapshot(now).slice()));
    return new Map(this.#last);
  }
  async remembered(): Promise<ReadonlyMap<string, Uint8Array>> {
    return this.#last;
  }
  async restore(pipeline: string, changes: readonly Uint8Array[], now: number): Promise<void> {
    const last = changes.at(-1);
    if (last === undefined) return;
    this.#kept.each((engine) => {
      if (engine.plan.name === pipeline) engine.restore(last, now);
    });
  }
}
