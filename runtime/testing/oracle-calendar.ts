// The windows of a calendar as one reads them off the clocks of a zone: minute by minute, from what the
// clocks show. Part of the oracle that tests hold the engine to; shares no code with it.

export interface OracleSpan {
  readonly start: number;
  readonly end: number;
  readonly name: string | null;
}

export type OracleUnit = "hour" | "day" | "week" | "month" | Readonly<Record<string, string>>;

const minute = 60_000;

/** The windows between two times, those at either end apart, which begin before or end after. */
export function calendarSpans(unit: OracleUnit, zone: string, from: number, to: number): OracleSpan[] {
  const clock = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "short" });
  const begins: { at: number; name: string | null }[] = [];
  let latest = "";
  let before = "";
  let last: string | null = null;
  for (let at = from; at <= to; at += minute) {
    const shown = clock.format(at);
    // An hour that is shown again is another hour; of all else, what has begun does not begin again.
    latest = shown > latest ? shown : latest;
    const label = unit === "hour" ? shown.slice(0, 13) : labelOf(unit, latest);
    if (last !== null && (label !== last || (unit === "hour" && shown < before)))
      begins.push({ at, name: typeof unit === "object" ? label.slice(11) : null });
    last = label;
    before = shown;
  }
  return begins.slice(0, -1).map(({ at, name }, i) => ({ start: at, end: begins[i + 1]!.at, name }));
}

/** What the window of a local time is called. */
function labelOf(unit: Exclude<OracleUnit, "hour">, shown: string): string {
  const date = shown.slice(0, 10);
  if (unit === "day") return date;
  if (unit === "month") return date.slice(0, 7);
  if (unit === "week") {
    const noon = new Date(`${date}T12:00Z`);
    noon.setUTCDate(noon.getUTCDate() - ((noon.getUTCDay() + 6) % 7));
    return noon.toISOString().slice(0, 10);
  }
  const shifts = Object.entries(unit).sort(([, a], [, b]) => (a < b ? -1 : 1));
  const begun = shifts.filter(([, begins]) => begins <= shown.slice(11));
  if (begun.length > 0) return `${date} ${begun.at(-1)![0]}`;
  const yesterday = new Date(`${date}T12:00Z`);
  yesterday.setUTCDate(yesterday.getUTCDate() - 1);
  return `${yesterday.toISOString().slice(0, 10)} ${shifts.at(-1)![0]}`;
}
