// How many workers share one pipeline's stream: from its lag and the rate at which it really works, which is
// records per busy second. Pure; knows no worker. An increase that gained nothing is undone and not tried
// again for a while, because then something else is the limit.

import { limits } from "../limits.ts";

/** Busy share above which the rate is worth a new reading, and what is aimed at. */
const busyEnough = 0.3;
const busyWanted = 0.75;
/** Between these nothing is changed. */
const idleBelow = 0.5;
const busyAbove = 0.85;
/** Share of the promised gain below which an increase was in vain. */
const gainWanted = 0.1;

/** How fast it is decided, ms and samples. */
export interface ScaleTiming {
  /** Between two samples. */
  readonly every_ms: number;
  /** Over which what comes in is averaged. */
  readonly average_ms: number;
  /** In which a backlog is to be worked off. */
  readonly catchUp_ms: number;
  /** Until all work again after a change. */
  readonly change_ms: number;
  /** Samples in a row that want more before it is given, and after which what it gained is judged. */
  readonly upSamples: number;
  readonly trialSamples: number;
  /** After an increase there is no decrease for so long, and the largest want of that time is what is kept. */
  readonly down_ms: number;
  /** For so long an increase that gained nothing forbids the next. */
  readonly blocked_ms: number;
}

export const scaleTiming: ScaleTiming = {
  every_ms: limits.scale_every_ms,
  average_ms: limits.scale_average_ms,
  catchUp_ms: limits.scale_catch_up_ms,
  change_ms: limits.scale_change_ms,
  upSamples: limits.scale_up_samples,
  trialSamples: limits.scale_trial_samples,
  down_ms: limits.scale_down_ms,
  blocked_ms: limits.scale_blocked_ms,
};

/** One look at a pipeline, every `every_ms`. */
export interface ScaleSample {
  /** Wall clock ms. */
  readonly at: number;
  /** Records that wait at the source, those being worked on included. */
  readonly lag: number;
  /** Records settled since the beginning. */
  readonly settled: number;
  /** Mean share of the time, 0 to 1, in which its workers work. */
  readonly busy: number;
}

export interface ScaleBounds {
  /** The least of what the file allows, the partitions, and what the host has to give. */
  readonly most: number;
  /** Memory is short: nothing may be added. */
  readonly memoryShort: boolean;
}

interface Trial {
  readonly from: number;
  /** Records a second before, and as many more as were promised. */
  readonly rate: number;
  readonly promised: number;
  readonly samples: number;
}

export interface ScaleState {
  readonly workers: number;
  readonly last: ScaleSample | null;
  /** Records a second that come in, averaged; null before the second sample. */
  readonly input: number | null;
  /** Records a second that one busy worker handles; null until it was seen. */
  readonly trueRate: number | null;
  /** Samples in a row that wanted more. */
  readonly wanting: number;
  /** What was wanted lately, for decreases. */
  readonly wanted: readonly { readonly at: number; readonly workers: number }[];
  readonly increased: number;
  readonly trial: Trial | null;
  /** No increase before; 0 when none is forbidden. */
  readonly blockedUntil: number;
}

export interface ScaleDecision {
  readonly workers: number;
  readonly reason: string;
  /** More would be needed than may be had or than would help. */
  readonly saturated: boolean;
}

export function beginScale(workers: number): ScaleState {
  return {
    workers,
    last: null,
    input: null,
    trueRate: null,
    wanting: 0,
    wanted: [],
    increased: Number.NEGATIVE_INFINITY,
    trial: null,
    blockedUntil: 0,
  };
}

/** What one sample says, beside those before. */
interface Reading {
  readonly sample: ScaleSample;
  /** Records a second handled now. */
  readonly rate: number;
  readonly want: number;
  readonly state: ScaleState;
}

/** Takes one sample; `decision` is null when the number stays. */
export function scale(
  state: ScaleState,
  sample: ScaleSample,
  bounds: ScaleBounds,
  timing: ScaleTiming = scaleTiming,
): { readonly state: ScaleState; readonly decision: ScaleDecision | null } {
  const reading = read(state, sample, timing);
  if (reading === null) return { state: { ...state, last: sample }, decision: null };
  const change = judgeTrial(reading, timing) ?? more(reading, bounds, timing) ?? fewer(reading, timing);
  if (change === null) return { state: reading.state, decision: null };
  return { state: { ...reading.state, ...change.state }, decision: change.decision };
}

function read(state: ScaleState, sample: ScaleSample, timing: ScaleTiming): Reading | null {
  const { last, workers } = state;
  if (last === null || sample.at <= last.at || sample.settled < last.settled) return null;
  const seconds = (sample.at - last.at) / 1000;
  const rate = (sample.settled - last.settled) / seconds;
  const arrived = Math.max(0, rate + (sample.lag - last.lag) / seconds);
  const weight = 1 - Math.exp(-(sample.at - last.at) / timing.average_ms);
  const input = state.input === null ? arrived : state.input + weight * (arrived - state.input);
  const trueRate =
    sample.busy > busyEnough && rate > 0 ? rate / (Math.min(1, sample.busy) * workers) : state.trueRate;
  const need = input + (sample.lag + (input * timing.change_ms) / 1000) / (timing.catchUp_ms / 1000);
  const want = trueRate === null ? workers : Math.max(1, Math.ceil(need / (busyWanted * trueRate)));
  const wanted = [...state.wanted, { at: sample.at, workers: want }].filter(
    ({ at }) => sample.at - at <= timing.down_ms,
  );
  const wanting = want > workers && isBusy(sample) ? state.wanting + 1 : 0;
  return { sample, rate, want, state: { ...state, last: sample, input, trueRate, wanted, wanting } };
}

/** A backlog that is not worked off, or hardly any rest. */
function isBusy({ busy, lag }: ScaleSample): boolean {
  return busy > busyAbove || (lag > 0 && busy > idleBelow);
}

interface Change {
  readonly state: Partial<ScaleState>;
  readonly decision: ScaleDecision | null;
}

/** While an increase is on trial nothing else is decided. */
function judgeTrial({ sample, rate, state }: Reading, timing: ScaleTiming): Change | null {
  const { trial } = state;
  if (trial === null) return null;
  const samples = trial.samples + 1;
  if (samples < timing.trialSamples) return { state: { trial: { ...trial, samples } }, decision: null };
  const gained = rate - trial.rate;
  // Where nothing waits any more, there was nothing more to gain.
  const vain = sample.lag > 0 && gained < gainWanted * trial.promised;
  if (!vain) return { state: { trial: null, wanting: 0 }, decision: null };
  return {
    state: {
      workers: trial.from,
      trial: null,
      wanting: 0,
      wanted: [],
      blockedUntil: sample.at + timing.blocked_ms,
    },
    decision: {
      workers: trial.from,
      reason: `${state.workers} workers handle ${Math.round(rate)} records/s where ${trial.from} handled ${Math.round(trial.rate)}: something else is the limit`,
      saturated: true,
    },
  };
}

function more(
  { sample, rate, want, state }: Reading,
  bounds: ScaleBounds,
  { upSamples }: ScaleTiming,
): Change | null {
  const { workers, wanting, trueRate } = state;
  if (wanting < upSamples || trueRate === null) return null;
  const to = Math.min(want, 2 * workers, bounds.most);
  const blocked = sample.at < state.blockedUntil || bounds.memoryShort;
  if (blocked || to <= workers) return null;
  const promised = trueRate * (to - workers);
  return {
    state: {
      workers: to,
      wanting: 0,
      increased: sample.at,
      trial: { from: workers, rate, promised, samples: 0 },
    },
    decision: {
      workers: to,
      reason: `${Math.round(sample.lag)} records wait and ${Math.round(state.input ?? 0)} come in a second; a busy worker handles ${Math.round(trueRate)}`,
      saturated: to < want,
    },
  };
}

function fewer({ sample, state }: Reading, { down_ms, every_ms }: ScaleTiming): Change | null {
  const { workers, wanted } = state;
  const rested = sample.at - state.increased >= down_ms;
  const watched = sample.at - (wanted[0]?.at ?? sample.at) >= down_ms - every_ms;
  if (workers <= 1 || !rested || !watched || sample.busy >= idleBelow) return null;
  const largest = Math.max(...wanted.map((each) => each.workers));
  const to = Math.max(largest, Math.ceil(workers / 2));
  if (to >= workers) return null;
  return {
    state: { workers: to, wanted: [] },
    decision: {
      workers: to,
      reason: `for ${down_ms / 1000} s no more than ${largest} were needed`,
      saturated: false,
    },
  };
}
