// window: aggregates per key and window. Chooses the kind of window that the settings name; each kind is
// in a file of its own under kinds/. State is in tables that the engine holds.

import { type ColumnType, defineOperator, type OperatorDefinition, type Schema } from "weir/sdk";
import { aggregates } from "./aggregates/catalog.ts";
import { windowExamples } from "./examples.ts";
import type { Grouping, WindowKind } from "./kind.ts";
import { calendarPeriods, shiftPeriods } from "./kinds/calendar.ts";
import { countWindows } from "./kinds/count.ts";
import { cumulatingWindows } from "./kinds/cumulate.ts";
import { hoppingWindows } from "./kinds/hopping.ts";
import { evenPeriods, type Periods, periodWindows } from "./kinds/periods.ts";
import { sessionWindows } from "./kinds/session.ts";
import { slidingWindows } from "./kinds/sliding.ts";
import { stateWindows } from "./kinds/state.ts";
import { windowRule } from "./rule.ts";
import { type CalendarSettings, type WindowSettings, windowSettings } from "./settings.ts";
import { shareStates } from "./shared-state.ts";

export { aggregates };

function calendarOf({ unit, shifts, zone }: CalendarSettings): Periods {
  if (unit !== undefined) return calendarPeriods(unit, zone);
  return shiftPeriods(
    Object.entries(shifts ?? {}).map(([name, begins]) => ({ name, begins })),
    zone,
  );
}

/** How often results are sent before their window closes, ms; null for never. */
function earlyStep({ emit }: WindowSettings): number | null {
  return emit === undefined || emit === "final" ? null : emit.early;
}

/** The kind that the settings name. */
function kindOf(settings: WindowSettings): WindowKind {
  const calls = Object.values(settings.select);
  const grouping: Grouping = { by: settings.by ?? [], calls, shared: shareStates(calls) };
  const { tumbling, hopping, cumulate, session, count, sliding, state, calendar, offset = 0 } = settings;
  const step = earlyStep(settings);
  if (tumbling !== undefined && step !== null)
    return cumulatingWindows(grouping, { step, max: tumbling, offset, early: true });
  if (tumbling !== undefined) return periodWindows(grouping, evenPeriods(tumbling, offset));
  if (calendar !== undefined) return periodWindows(grouping, calendarOf(calendar));
  if (hopping !== undefined) return hoppingWindows(grouping, { ...hopping, offset });
  if (cumulate !== undefined) return cumulatingWindows(grouping, { ...cumulate, offset, early: false });
  if (session !== undefined)
    return sessionWindows(grouping, { gap: session.gap, max: session.max ?? Number.POSITIVE_INFINITY });
  if (count !== undefined) return countWindows(grouping, { n: count.n, every: count.every ?? count.n });
  if (sliding !== undefined) return slidingWindows(grouping, sliding);
  if (state !== undefined) return stateWindows(grouping, state);
  throw new TypeError("window: no kind is named; the settings were not checked");
}

function rowsOf(settings: WindowSettings): Schema {
  const { by, select, calendar } = settings;
  const shift: Schema["fields"] = calendar?.shifts === undefined ? [] : [{ name: "shift", type: "string" }];
  const final: Schema["fields"] =
    earlyStep(settings) === null ? [] : [{ name: "window_final", type: "bool" }];
  return {
    fields: [
      { name: "window_start", type: "time" as ColumnType },
      { name: "window_end", type: "time" as ColumnType },
      ...shift,
      ...final,
      ...(by ?? []).map(({ name, type }) => ({ name, type })),
      ...Object.entries(select).map(([name, { type }]) => ({ name, type })),
    ],
    rest: null,
  };
}

export const window: OperatorDefinition = defineOperator({
  name: "window",
  summary: "Aggregates per key over windows of time, of records, or of what a machine is doing.",
  rule: windowRule,
  kind: "keyed",
  config: windowSettings,
  examples: windowExamples,
  schema: (_input, settings) => rowsOf(settings),
  state: (settings) => kindOf(settings).tables,
  create: (settings, { state }) => kindOf(settings).create(state),
});
