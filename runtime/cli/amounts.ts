// How counts, sizes and lengths of time are shown to people. Pure.

export function countText(count: number): string {
  return count.toLocaleString("en");
}

export function bytesText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** What a pipeline took in and gave out. */
export interface BytesThrough {
  readonly bytes_in: number;
  readonly bytes_out: number;
}

/** How many bytes came in for each that went out; of what waited before a start nobody knows from how many it was made. */
export function reductionText({ bytes_in, bytes_out }: BytesThrough): string {
  if (bytes_in === 0 || bytes_out === 0) return "–";
  const times = bytes_in / bytes_out;
  return `${times < 9.95 ? times.toFixed(1) : countText(Math.round(times))}×`;
}

export function latencyText(ms: number | null): string {
  if (ms === null) return "–";
  return `${ms < 99.95 ? ms.toFixed(1) : countText(Math.round(ms))} ms`;
}
