// What connectors say to people: a sentence with where, what and what happens next. Never a secret, never
// a payload, never a line for each record.

export interface ConnectorLog {
  info(message: string): void;
  warn(message: string): void;
}

/** For tests and for callers with nobody to tell. */
export const silentLog: ConnectorLog = { info: () => {}, warn: () => {} };
