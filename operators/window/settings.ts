// The settings of `window` as the operator gets them. Shapes only.

import type { AggregateCall, ColumnReference, Expression } from "weir/sdk";
import type { CalendarUnit } from "./kinds/calendar.ts";
import type { GapPolicy } from "./kinds/gaps.ts";

/** Lengths in ms. Exactly one kind is there. */
export interface WindowSettings {
  readonly tumbling?: number | undefined;
  readonly hopping?: { readonly size: number; readonly every: number } | undefined;
  readonly cumulate?: { readonly step: number; readonly max: number } | undefined;
  readonly session?: { readonly gap: number; readonly max?: number | undefined } | undefined;
  readonly count?: { readonly n: number; readonly every?: number | undefined } | undefined;
  readonly sliding?: number | undefined;
  readonly state?: { readonly open: Expression; readonly close: Expression } | undefined;
  readonly calendar?: CalendarSettings | undefined;
  readonly offset?: number | undefined;
  readonly emit?:
    | "final"
    | { readonly early?: number | undefined; readonly updates?: number | undefined }
    | undefined;
  readonly gaps?: "skip" | GapPolicy | undefined;
  readonly by?: readonly ColumnReference[] | undefined;
  readonly select: Readonly<Record<string, AggregateCall>>;
}

export interface CalendarSettings {
  readonly unit?: CalendarUnit | undefined;
  /** By name, when each begins, ms after local midnight. */
  readonly shifts?: Readonly<Record<string, number>> | undefined;
  readonly zone: string;
}
