// What became of the records of a trial: for each branch what came in, what stands in rows, what is held, and what was left out,
// with the first record of each kind. As data and in lines for people. Pure.

import type { DeadLetter } from "../engine/dead-letter.ts";
import type { LedgerEntry } from "../engine/ledger.ts";
import { isShown } from "../pipeline/shown-plan.ts";
import { type PipelineWaiting, waitingOf, waitingText } from "../engine/waiting.ts";
import { limits } from "../limits.ts";
import type { Trial } from "../testing/trial.ts";
import { countText } from "./amounts.ts";

interface FirstRecord {
  /** The field and why. */
  readonly detail: string;
  readonly subject: string;
  /** As it came; null where an operator made it. What is not text is in base64. */
  readonly record: string | null;
}

interface LeftOut extends LedgerEntry {
  /** Null where a step only counts what it leaves out. */
  readonly first: FirstRecord | null;
}

export interface BranchSummary {
  readonly name: string;
  /** in = out + held + what was left out; all but `rows` count records. */
  readonly in: number;
  readonly out: number;
  readonly held: number;
  readonly rows: number;
  readonly left_out: readonly LeftOut[];
}

export interface TrialSummary {
  readonly pipeline: string;
  readonly records: number;
  readonly branches: readonly BranchSummary[];
  /** What steps hold and wait for; null where all sources have ended. */
  readonly waiting: PipelineWaiting | null;
}

/** By source, records that were there and were not read, by reason. */
export type Unread = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** `isOver`: the sources have ended, and nothing waits. */
export function summaryOf(trial: Trial, isOver: boolean, now: number, elapsed: number = now): TrialSummary {
  const status = trial.status();
  const shown = trial.plan.branches.map(isShown);
  return {
    pipeline: status.name,
    records: trial.records,
    branches: status.branches
      .filter((_branch, place) => shown[place]!)
      .map(({ ledger, ...branch }) => ({
        ...branch,
        name: trial.step ?? branch.name,
        left_out: ledger.map((entry) => ({ ...entry, first: firstOf(trial.firstLeft, entry) })),
      })),
    waiting: isOver ? null : waitingOf(status, now, elapsed),
  };
}

function firstOf(letters: readonly DeadLetter[], { step, reason }: LedgerEntry): FirstRecord | null {
  const letter = letters.find((each) => each.step === step && each.reason === reason);
  if (letter === undefined) return null;
  const { detail, subject, payload } = letter;
  return { detail, subject, record: payload === null ? null : recordText(payload) };
}

function recordText(payload: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(payload);
  } catch {
    return Buffer.from(payload).toString("base64");
  }
}

/** In lines for people. */
export function summaryLines({ pipeline, records, branches, waiting }: TrialSummary): string[] {
  const lines = [`${pipeline}: ${many(records, "record")}`];
  // What does not enter is left out of every branch, and told of once.
  const told = new Set<string>();
  for (const branch of branches) lines.push(...branchLines(branch, told));
  if (waiting === null) return lines;
  return [
    ...lines,
    "  waits:",
    ...waitingText(waiting, { isRefusedTold: true }).map((line) => `    ${line}`),
  ];
}

export function unreadLines(unread: Unread): string[] {
  return Object.entries(unread).map(([source, reasons]) => {
    const counts = Object.entries(reasons).map(([reason, records]) => `${reason} ${countText(records)}`);
    return `${source}: not read, and in no count above: ${counts.join(", ")}`;
  });
}

function branchLines(
  { name, in: came, out, held, rows, left_out: left }: BranchSummary,
  told: Set<string>,
): string[] {
  const ledger = left.reduce((total, each) => total + each.records, 0);
  const [all, written, kept, gone] = [came, out, held, ledger].map(countText);
  return [
    `  ${name}: in ${all} = out ${written} (in ${many(rows, "row")}) + held ${kept} + left out ${gone}`,
    ...left.flatMap((each) => leftLines(each, told)),
  ];
}

function leftLines({ step, reason, records, first }: LeftOut, told: Set<string>): string[] {
  const lines = [`    ${many(records, "record")} at ${step}: ${reason}`];
  const kind = `${step}: ${reason}`;
  if (first === null || told.has(kind)) return lines;
  told.add(kind);
  const from = first.subject === "" ? "" : ` (from ${printable(first.subject)})`;
  lines.push(`      the first: ${printable(first.detail)}${from}`);
  if (first.record !== null) lines.push(`      ${shortened(printable(first.record))}`);
  return lines;
}

function many(count: number, what: string): string {
  return `${countText(count)} ${what}${count === 1 ? "" : "s"}`;
}

/** Records of others cannot start a new line or move the cursor. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ");
}

function shortened(text: string): string {
  const most = limits.shown_record_characters_max;
  return text.length <= most
    ? text
    : `${text.slice(0, most)}… and ${countText(text.length - most)} characters more`;
}
