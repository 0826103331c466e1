// Why a pipeline has not sent what it holds, as data and in words: how far event time has come, which
// source holds it back, and how far it has to go until a step sends its next rows. Pure.

import { nearClock_ms } from "./ahead.ts";
import { type HeldBack, heldBack, type InputState } from "./held-back.ts";
import type { LedgerEntry } from "./ledger.ts";
import { isIntakeStep } from "./intake.ts";
import type { PipelineStatus, StepWaiting } from "./status.ts";
import type { InputProgress } from "./watermark.ts";

export interface PipelineWaiting {
  /** Wall clock, ms. */
  readonly now: number;
  /** Event time so far, ms; null before the first record. */
  readonly watermark: number | null;
  readonly sources: HeldBack;
  /** Records that came and could not enter, by source and reason; a worker of an earlier version does not say so. */
  readonly refused?: readonly LedgerEntry[];
  readonly steps: readonly StepWaiting[];
}

/** Of the steps; rows may wait for a sink. */
export const nothingWaits = "nothing waits: no step holds a record";

/** What the source of a pipeline is called that has just one. Where keys have clocks of their own, it is the key that is furthest behind. */
const onlySource = "source";

/** What a pipeline with this status waits for when the clock on the wall shows `now`, and the one that nobody sets `elapsed`. */
export function waitingOf(status: PipelineStatus, now: number, elapsed: number = now): PipelineWaiting {
  const { watermark, inputs, steps, branches } = status;
  // As if the clock on the wall had always gone on from what it shows now.
  const set = now - elapsed;
  const shown = inputs.map(
    (input): InputProgress => ({
      ...input,
      moved: input.moved + set,
      arrived: input.arrived + set,
      silent: input.silent + set,
    }),
  );
  return {
    now,
    watermark: Number.isFinite(watermark) ? watermark : null,
    sources: heldBack(shown, now),
    // What does not enter is in the ledger of every branch.
    refused: branches[0]?.ledger.filter(({ step }) => isIntakeStep(step)) ?? [],
    steps,
  };
}

/** `1h 4m`, `26s`, `320ms`: the two largest units. */
export function durationText(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  if (whole < 1000) return `${whole}ms`;
  if (whole < 60_000) return `${Number((whole / 1000).toFixed(1))}s`;
  const parts: readonly (readonly [string, number])[] = [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["m", 60_000],
    ["s", 1_000],
  ];
  const first = parts.findIndex(([, size]) => whole >= size);
  const [unit, size] = parts[first]!;
  const [smaller, smallerSize] = parts[first + 1]!;
  const rest = Math.floor((whole % size) / smallerSize);
  return `${Math.floor(whole / size)}${unit}${rest === 0 ? "" : ` ${rest}${smaller}`}`;
}

/** A time of the same day as `now` without its date. */
function timeText(time: number, now: number): string {
  if (!(Math.abs(time) <= 8.64e15)) return String(time);
  const text = new Date(time).toISOString();
  return text.slice(0, 10) === new Date(now).toISOString().slice(0, 10) ? text.slice(11) : text;
}

function sourceLines(source: InputState, { now, sources, refused = [] }: PipelineWaiting): string[] {
  const { name, state, latest, arrived, lateness_ms, idle_ms } = source;
  const several = sources.inputs.length > 1;
  const who = several ? `source ${name}` : name === onlySource ? "its source" : name;
  const holds = several && state === "holding" ? heldText(sources) : "";
  if (latest === null || arrived === null) {
    const came = refused.some(({ step }) => step === (several ? `source ${name}` : "source"));
    return [`${who} has sent no record ${came ? "that could enter" : "yet"}${holds}`];
  }
  const lateness = lateness_ms > 0 ? `, less a lateness of ${durationText(lateness_ms)}` : "";
  const quiet = state === "idle" ? ", so it is idle" : state === "ended" ? ", and it has ended" : "";
  const silence = `its last record came ${durationText(now - arrived)} ago${quiet}`;
  const lines = [`${who} has come to ${timeText(latest, now)}${lateness}; ${silence}${holds}`];
  if (state === "holding") {
    lines.push(
      idle_ms === null
        ? "  it is never idle: with `idle` in its `time`, silence would not hold windows open"
        : `  after ${durationText(idle_ms)} of silence it holds nothing back`,
    );
  }
  return lines;
}

function heldText({ holder }: HeldBack): string {
  if (holder === null) return "";
  const by = holder.by_ms === null ? "" : ` by ${durationText(holder.by_ms)}`;
  return `: it holds event time back${by}, for ${durationText(holder.for_ms)} now`;
}

function stepLine({ step, held, due }: StepWaiting, { watermark, now }: PipelineWaiting): string {
  const holds = `${step} holds ${held} ${held === 1 ? "record" : "records"}`;
  if (due !== null && watermark !== null && due <= watermark)
    return `${holds}; its rows from ${timeText(due, now)} on are due, more than go at once: they are sent as there is room for them`;
  if (due === null) return `${holds} and waits for more of them, or for the end of the stream`;
  const further =
    watermark === null ? "event time has not begun" : `event time has ${durationText(due - watermark)} to go`;
  return `${holds}; its next rows are due at ${timeText(due, now)}: ${further}`;
}

/** For a time that was written in a coarser unit than its file says: what it is to be multiplied by to be one of these years. */
function coarserText(time: number, now: number): string {
  const factor = [1e3, 1e6].find((each) => Math.abs(time * each - now) < nearClock_ms);
  if (factor === undefined || Math.abs(time - now) < nearClock_ms) return "";
  return `; times ${factor} it would be of these years: is \`unit\` in its \`time\` right?`;
}

function refusedLine({ step, reason, records }: LedgerEntry): string {
  const who = step === onlySource ? "" : ` of ${step}`;
  const many = `${records} ${records === 1 ? "record" : "records"}${who}`;
  return `${many} could not enter: ${reason}; the log says more of the first, and dead_letter of each`;
}

/** The same in lines for people. `isRefusedTold`: what could not enter is said elsewhere. */
export function waitingText(
  waiting: PipelineWaiting,
  { isRefusedTold = false }: { readonly isRefusedTold?: boolean } = {},
): string[] {
  const { now, watermark, sources, refused = [], steps } = waiting;
  const lines: string[] = [];
  if (watermark === null) lines.push("event time has not begun");
  else {
    const behind = now - watermark;
    const clock = behind >= 0 ? `${durationText(behind)} behind` : `${durationText(-behind)} ahead of`;
    lines.push(`event time is ${timeText(watermark, now)}, ${clock} the clock${coarserText(watermark, now)}`);
  }
  for (const source of sources.inputs) lines.push(...sourceLines(source, waiting));
  if (!isRefusedTold) lines.push(...refused.map(refusedLine));
  if (steps.length === 0) lines.push(nothingWaits);
  for (const step of steps) lines.push(stepLine(step, waiting));
  return lines;
}
