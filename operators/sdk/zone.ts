// How far the clocks of a named zone are ahead of UTC, as `Intl` tells it. Keeps nothing, and knows no local default.

/** Where ECMAScript's calendar ends, ms on either side of the epoch. */
export const timeFarthest = 8.64e15;

/** By a time, how far the clocks are ahead then, ms; the farthest time there is stands for those beyond it. Throws a RangeError when there is no such zone. */
export function zoneOffset(zone: string): (time: number) => number {
  const format = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" });
  return (time) => {
    const text = format.format(Math.max(-timeFarthest, Math.min(timeFarthest, time)));
    const [, sign, hours, minutes, seconds] = /GMT(?:([+-])(\d+):(\d+)(?::(\d+))?)?$/.exec(text) ?? [];
    if (sign === undefined) return 0;
    const offset = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds ?? 0)) * 1000;
    return sign === "-" ? -offset : offset;
  };
}
