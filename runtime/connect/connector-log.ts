// What connectors say to people: a sentence with where, what and what happens next. Never a secret, never
// a payload, never a line for each record.

export interface ConnectorLog {
  info(message: string): void;
  warn(message: string): void;
  /** What `who` waits for from now on, null once that is there; for whoever wants to know without reading lines. */
  waits?(who: string, what: string | null): void;
}

/** For tests and for callers with nobody to tell. */
export const silentLog: ConnectorLog = { info: () => {}, warn: () => {} };

/** What is in the way of rows whose connection has no server. */
export function awayText(connection: string): string {
  return `connection ${connection} is away`;
}
