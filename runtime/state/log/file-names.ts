// The log's files in its folder, by name. Other names in the folder are none of the log's business.

export const positionName = "position";
export const reserveName = "reserve";
/** What is left of it once it was needed: for starts alone. */
export const startReserveName = "reserve-start";

/** What is being written is named so, until it is whole and durable. */
export function unfinished(name: string): string {
  return `${name}.new`;
}

/** What was damaged and given up keeps its bytes under this name. */
export function givenUp(name: string): string {
  return `damaged-${name}`;
}

export function segmentName(sequence: number): string {
  return `segment-${digits(sequence)}`;
}

/** The two copies of a snapshot. */
export const copies = ["a", "b"] as const;

export function snapshotName(generation: number, copy: (typeof copies)[number]): string {
  return `snapshot-${digits(generation)}-${copy}`;
}

/** The log's files among those of the folder. */
export interface LogFiles {
  /** Sequences of segments, and generations of which there is at least one copy; the oldest first. */
  readonly segments: readonly number[];
  readonly snapshots: readonly number[];
  readonly position: boolean;
  readonly reserve: "whole" | "start" | "none";
  /** Names of what was never finished. */
  readonly unfinished: readonly string[];
}

export function logFiles(names: readonly string[]): LogFiles {
  const numbers = (form: RegExp): number[] =>
    [...new Set(names.flatMap((name) => form.exec(name)?.[1] ?? []))].map(Number).sort((a, b) => a - b);
  return {
    segments: numbers(/^segment-(\d{10})$/),
    snapshots: numbers(/^snapshot-(\d{10})-[ab]$/),
    position: names.includes(positionName),
    reserve: names.includes(reserveName) ? "whole" : names.includes(startReserveName) ? "start" : "none",
    unfinished: names.filter((name) =>
      /^(segment-\d{10}|snapshot-\d{10}-[ab]|position|reserve)\.new$/.test(name),
    ),
  };
}

function digits(number: number): string {
  return String(number).padStart(10, "0");
}
