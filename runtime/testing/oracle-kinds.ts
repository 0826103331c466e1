// Which of the oracle's windows a step names. Part of the oracle that tests hold the engine to; shares no
// code with it.

import { calendarSpans, type OracleSpan, type OracleUnit } from "./oracle-calendar.ts";
import {
  type Condition,
  type Conditions,
  Counted,
  growing,
  InOrder,
  OracleSessions,
  slid,
  stated,
} from "./oracle-records.ts";
import {
  evenSteps,
  Gapped,
  listedSteps,
  type OracleKind,
  type OracleSteps,
  Spans,
  Updated,
} from "./oracle-windows.ts";

export type OracleWindow =
  | { readonly kind: "tumbling"; readonly size: number; readonly offset: number }
  | { readonly kind: "hopping"; readonly size: number; readonly every: number; readonly offset: number }
  | { readonly kind: "cumulate"; readonly step: number; readonly max: number; readonly offset: number }
  | { readonly kind: "session"; readonly gap: number; readonly max: number }
  | { readonly kind: "count"; readonly n: number; readonly every: number }
  | { readonly kind: "sliding"; readonly length: number }
  | { readonly kind: "state"; readonly opens: Condition; readonly closes: Condition }
  | {
      readonly kind: "calendar";
      readonly unit: OracleUnit;
      readonly zone: string;
      /** The times that are looked at. */
      readonly from: number;
      readonly to: number;
    };

export interface OracleEmission {
  readonly early: number | null;
  readonly updates: number | null;
  readonly gaps: "zero" | "null" | "last" | "interpolate" | null;
  /** Windows without records in a row that a key has rows for. */
  readonly gapsMax: number;
}

const calendars = new Map<string, readonly OracleSpan[]>();

function calendarOf(unit: OracleUnit, zone: string, from: number, to: number): readonly OracleSpan[] {
  const name = JSON.stringify([unit, zone, from, to]);
  const spans = calendars.get(name) ?? calendarSpans(unit, zone, from, to);
  calendars.set(name, spans);
  return spans;
}

function spansOf(
  steps: OracleSteps,
  { early, updates, gaps, gapsMax }: OracleEmission,
  offset: number,
  repeats: boolean,
): OracleKind {
  if (updates !== null) return new Updated(steps, updates);
  if (gaps !== null) return new Gapped(steps, gaps, gapsMax);
  return new Spans(steps, early === null ? null : { every: early, offset, cumulates: false, repeats });
}

export function windowsOf(window: OracleWindow, emission: OracleEmission): OracleKind {
  const { early, updates } = emission;
  switch (window.kind) {
    case "tumbling":
      return spansOf(evenSteps(window.size, window.size, window.offset), emission, window.offset, false);
    case "hopping":
      return spansOf(evenSteps(window.size, window.every, window.offset), emission, window.offset, true);
    case "calendar": {
      const spans = calendarOf(window.unit, window.zone, window.from, window.to);
      return spansOf(listedSteps(spans), emission, 0, false);
    }
    case "cumulate": {
      const { step, max, offset } = window;
      return new Spans(evenSteps(max, max, offset), { every: step, offset, cumulates: true, repeats: false });
    }
    case "session":
      return new OracleSessions({ gap: window.gap, max: window.max, early, updates });
    case "count":
      return new Counted(window.n, window.every);
    case "sliding":
      return new InOrder((taken, at) => slid(taken, at, window.length));
    case "state":
      return statesOf({ ...window, labels: early === null ? {} : { window_final: true } }, early);
  }
}

function statesOf(conditions: Conditions, early: number | null): OracleKind {
  return new InOrder(
    (taken, at, keys) => stated(taken, at, keys, conditions),
    early === null
      ? null
      : { every: early, show: (taken, at, keys) => growing(taken, at, keys, early, conditions) },
  );
}
