// Condenses rows that wait, for the outbox: rows of one form, subject and headers together, each as codec/condense.ts has it.
// What became of a row is said by a header. Pure.

import { createHash } from "node:crypto";
import { joinedPayload, RowCondenser, type RowForm } from "../codec/condense.ts";
import type { BranchPlan, PipelinePlan } from "../pipeline/pipeline.ts";
import { condensable } from "../pipeline/condensable.ts";
import type { Condensate, Condenser } from "../state/outbox/condensing.ts";
import type { KeptRow } from "../state/outbox/entry.ts";
import { stepMarks } from "./fingerprint.ts";

/** How much time a row stands for, where it was condensed: `10s`, `1m`. */
const resolutionHeader = "Weir-Resolution";

/**
 * Names the rows of a branch among those of a worker; null where they cannot be condensed. The steps that made them are in it:
 * rows that waited while those were changed are no rows of the new ones, though their columns may be called the same.
 */
export function formName(plan: PipelinePlan, branch: BranchPlan): string | null {
  return condensable(plan, branch).form === null ? null : nameOf(plan, branch);
}

function nameOf(plan: PipelinePlan, branch: BranchPlan): string {
  const marks = stepMarks(plan);
  const steps = [...plan.steps, ...branch.steps].map(({ label }) => marks.get(label)?.mark);
  const digest = createHash("sha256").update(JSON.stringify(steps)).digest("hex").slice(0, 8);
  return `${plan.name}/${branch.name}#${digest}`;
}

/** By name, the forms of those rows of `plans` that can be condensed. */
export function formsOf(plans: readonly PipelinePlan[]): ReadonlyMap<string, RowForm> {
  const forms = new Map<string, RowForm>();
  for (const plan of plans)
    for (const branch of plan.branches) {
      const { form } = condensable(plan, branch);
      const isAlarm = branch.sink.kind === "nats" && branch.sink.lane === "alarm";
      if (form !== null && !isAlarm) forms.set(nameOf(plan, branch), form);
    }
  return forms;
}

/** Rows of other forms stay as they are. */
export function condenserOf(forms: ReadonlyMap<string, RowForm>): Condenser {
  return { begin: (every) => new FormCondensate(forms, every) };
}

/** Rows with all that is the same for them. */
interface Group {
  readonly form: RowForm;
  readonly condenser: RowCondenser;
  readonly like: KeptRow;
  caused: number;
  /** Of one message, at most. */
  rows: number;
}

class FormCondensate implements Condensate {
  readonly #forms: ReadonlyMap<string, RowForm>;
  readonly #every: number;
  readonly #groups: Map<string, Group> = new Map();

  constructor(forms: ReadonlyMap<string, RowForm>, every: number) {
    this.#forms = forms;
    this.#every = every;
  }

  add(row: KeptRow): boolean {
    const form = row.form === undefined ? undefined : this.#forms.get(row.form);
    if (form === undefined) return false;
    const { [resolutionHeader]: _, ...headers } = row.headers ?? {};
    const key = JSON.stringify([row.form, row.subject, headers]);
    let group = this.#groups.get(key);
    if (group === undefined) {
      const like = { ...row, headers: { ...headers, [resolutionHeader]: durationText(this.#every) } };
      const condenser = new RowCondenser(form, this.#every);
      group = { form, condenser, like, caused: row.caused, rows: 1 };
    }
    if (!group.condenser.add(row.payload)) return false;
    this.#groups.set(key, group);
    group.caused = Math.max(group.caused, row.caused);
    group.rows = Math.max(group.rows, row.rows);
    return true;
  }

  rows(): readonly KeptRow[] {
    return [...this.#groups.values()].flatMap((group) =>
      messagesOf(group).map(({ payload, rows }) => ({ ...group.like, payload, rows, caused: group.caused })),
    );
  }
}

/** As many rows in a message as there were at most: so there are no more messages than before. */
function messagesOf({
  condenser,
  form,
  rows,
}: Group): readonly { readonly payload: Uint8Array; readonly rows: number }[] {
  const payloads = condenser.payloads();
  const messages: { payload: Uint8Array; rows: number }[] = [];
  for (let place = 0; place < payloads.length; place += rows) {
    const some = payloads.slice(place, place + rows);
    messages.push({ payload: joinedPayload(some, form.format), rows: some.length });
  }
  return messages;
}

const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
] as const;

/** In the largest unit that it is a multiple of. */
function durationText(ms: number): string {
  for (const [name, unit] of units) if (ms % unit === 0) return `${ms / unit}${name}`;
  return `${ms}ms`;
}
