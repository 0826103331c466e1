// What becomes of lives and disks by chance, as the plan of the faults says, until nothing goes wrong any more. Remembers what
// did; ends nothing by itself.

import type { DiskCall } from "../../state/log/memory-disk.ts";
import type { Life } from "./life.ts";
import type { FaultPlan } from "./nemesis.ts";
import type { Random } from "./random.ts";

/** How much more often crashes come in their favourite place. */
const favoured = 8;

export class Trouble {
  readonly plan: FaultPlan;
  /** What went wrong, by name. */
  readonly struck: Set<string> = new Set();
  readonly #random: Random;
  /** The call out of the first life at which it ends; null where chance decides. */
  readonly #crashAt: number | null;
  #crashes = 0;
  #firstCalls = 0;
  #isOver = false;

  constructor(plan: FaultPlan, random: Random, crashAt: number | null) {
    this.plan = plan;
    this.#random = random;
    this.#crashAt = crashAt;
  }

  get crashes(): number {
    return this.#crashes;
  }

  /** Calls out of the first life. */
  get firstCalls(): number {
    return this.#firstCalls;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Nothing goes wrong from here on. */
  end(): void {
    this.#isOver = true;
  }

  /** Whether a life ends at this call out. */
  crashesNow(life: Life, recovering: boolean, label: string): boolean {
    const { crash, crashInRecovery, crashes_max, favourite } = this.plan;
    if (life.number === 1) this.#firstCalls = life.calls;
    if (life.number === 1 && this.#crashAt !== null)
      return life.calls === this.#crashAt && ++this.#crashes > 0;
    if (this.#isOver || this.#crashes >= crashes_max) return false;
    const usual = label === favourite ? crash * favoured : crash;
    if (!this.#random.chance(recovering ? Math.max(crash, crashInRecovery) : usual)) return false;
    this.struck.add(recovering ? "crash in recovery" : "crash");
    this.#crashes++;
    return true;
  }

  /** Whether the machine goes with the process. */
  losesPower(): boolean {
    return this.#random.chance(this.plan.powerShare);
  }

  /** Until somebody starts the process again. */
  pause_ms(): number {
    return this.#random.next() * this.#random.next() * (this.#isOver ? 1_000 : 20_000);
  }

  /** What calls of a disk fail with; null where none does. */
  diskFaults(): ((call: DiskCall) => string | null) | null {
    const { diskError } = this.plan;
    if (diskError === 0) return null;
    return ({ operation }) => {
      if (this.#isOver || !this.#random.chance(diskError)) return null;
      this.struck.add("disk error");
      return operation === "sync" && this.#random.chance(0.5) ? "abort" : "EIO";
    };
  }

  /** That a disk has no room is what somebody did to it. */
  get fillsDisks(): boolean {
    return this.plan.blows.some(({ kind }) => kind === "full disk");
  }
}
