// window: aggregates per key and window. Chooses the kind of window that the settings name; each kind is
// in a file of its own under kinds/. State is in tables that the engine holds.

import {
  defineOperator,
  type OperatorDefinition,
  type PartialOperator,
  type Schema,
  type SchemaField,
} from "weir/sdk";
import { aggregates } from "./aggregates/catalog.ts";
import { windowExamples } from "./examples.ts";
import type { Grouping, WindowKind } from "./kind.ts";
import { calendarPeriods, shiftPeriods } from "./kinds/calendar.ts";
import { countWindows } from "./kinds/count.ts";
import { rowsAtOnceMax } from "./bounds.ts";
import { cumulatingWindows } from "./kinds/cumulate.ts";
import { type Emissions, sharedPaneWindows } from "./kinds/hopping.ts";
import { evenPeriods, type Periods, periodWindows } from "./kinds/periods.ts";
import { sessionWindows } from "./kinds/session.ts";
import { slidingWindows } from "./kinds/sliding.ts";
import { stateWindows } from "./kinds/state.ts";
import { hoppingSteps, periodSteps } from "./kinds/steps.ts";
import { partialWindows } from "./partial.ts";
import { windowRule } from "./rule.ts";
import type { CalendarSettings, WindowSettings } from "./settings.ts";
import { windowSettings } from "./settings-spec.ts";
import { shareStates } from "./shared-state.ts";

export { aggregates };

function calendarOf({ unit, shifts, zone }: CalendarSettings): Periods {
  if (unit !== undefined) return calendarPeriods(unit, zone);
  return shiftPeriods(
    Object.entries(shifts ?? {}).map(([name, begins]) => ({ name, begins })),
    zone,
  );
}

/** When windows are sent besides once, and what stands for empty ones. */
function emissionsOf({ emit, gaps, offset = 0 }: WindowSettings): Emissions {
  const { early, updates } = typeof emit === "object" ? emit : {};
  return {
    early: early === undefined ? null : { length: early, offset },
    updates: updates ?? null,
    gaps: gaps === undefined || gaps === "skip" ? null : gaps,
  };
}

function periodsOf(
  grouping: Grouping,
  periods: Periods,
  emissions: Emissions,
  rowsAtOnce: number,
): WindowKind {
  const { early, updates, gaps } = emissions;
  if (early !== null) return cumulatingWindows(grouping, { periods, step: early, early: true }, rowsAtOnce);
  if (updates === null && gaps === null) return periodWindows(grouping, periods);
  return sharedPaneWindows(grouping, periodSteps(periods), emissions, rowsAtOnce);
}

function groupingOf({ select, by = [] }: WindowSettings): Grouping {
  const calls = Object.values(select);
  return { by, calls, shared: shareStates(calls) };
}

/** The kind that the settings name. */
function kindOf(
  settings: WindowSettings,
  grouping: Grouping = groupingOf(settings),
  rowsAtOnce: number = rowsAtOnceMax,
): WindowKind {
  const { tumbling, hopping, cumulate, session, count, sliding, state, calendar, offset = 0 } = settings;
  const emissions = emissionsOf(settings);
  if (tumbling !== undefined)
    return periodsOf(grouping, evenPeriods(tumbling, offset), emissions, rowsAtOnce);
  if (calendar !== undefined) return periodsOf(grouping, calendarOf(calendar), emissions, rowsAtOnce);
  if (hopping !== undefined)
    return sharedPaneWindows(grouping, hoppingSteps({ ...hopping, offset }), emissions, rowsAtOnce);
  if (cumulate !== undefined) {
    const step = { length: cumulate.step, offset };
    const periods = evenPeriods(cumulate.max, offset);
    return cumulatingWindows(grouping, { periods, step, early: false }, rowsAtOnce);
  }
  if (session !== undefined) {
    const { gap, max = Number.POSITIVE_INFINITY } = session;
    return sessionWindows(grouping, { gap, max, ...emissions });
  }
  if (count !== undefined) return countWindows(grouping, { n: count.n, every: count.every ?? count.n });
  if (sliding !== undefined) return slidingWindows(grouping, sliding);
  if (state !== undefined) return stateWindows(grouping, { ...state, early: emissions.early });
  throw new TypeError("window: no kind is named; the settings were not checked");
}

function rowsOf(settings: WindowSettings): Schema {
  const { by, select, calendar } = settings;
  const { early, updates, gaps } = emissionsOf(settings);
  const labels: SchemaField[] = [];
  if (calendar?.shifts !== undefined) labels.push({ name: "shift", type: "string" });
  if (early !== null) labels.push({ name: "window_final", type: "bool" });
  if (updates !== null) labels.push({ name: "window_revision", type: "float64" });
  if (gaps !== null) labels.push({ name: "window_filled", type: "bool" });
  return {
    fields: [
      { name: "window_start", type: "time" },
      { name: "window_end", type: "time" },
      ...labels,
      ...(by ?? []).map(({ name, type }) => ({ name, type })),
      ...Object.entries(select).map(([name, { type }]) => ({ name, type })),
    ],
    rest: null,
  };
}

/** The half that runs where records are decoded; null where they have to come one by one. */
function partialOf(settings: WindowSettings): PartialOperator | null {
  const grouping = groupingOf(settings);
  const { cuts } = kindOf(settings, grouping);
  const isPartial = grouping.shared.kept.every((aggregate) => aggregate.isPartial === true);
  return cuts !== null && isPartial ? partialWindows(grouping, cuts) : null;
}

/** `window`, of which a step sends so many rows before those have to find room. */
export const windowSending = (rowsAtOnce: number): OperatorDefinition =>
  defineOperator({
    name: "window",
    summary: "Aggregates per key over windows of time, of records, or of what a machine is doing.",
    rule: windowRule,
    kind: "keyed",
    late: ({ count }) => count === undefined,
    config: windowSettings,
    examples: windowExamples,
    schema: (_input, settings) => rowsOf(settings),
    state: (settings) => kindOf(settings).tables,
    partial: partialOf,
    create: (settings, { state }) => kindOf(settings, groupingOf(settings), rowsAtOnce).create(state),
  });

export const window: OperatorDefinition = windowSending(rowsAtOnceMax);
