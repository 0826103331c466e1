// The last message of a subject that the server does not find any more: one up to 2.9 looks for no other when it has removed the
// last one, as it does with a row that it refuses for lack of room once it has its sequence. It finds them from a sequence on,
// and by that. Reads only.

import type { StoredMessage, StreamFacts, StreamPort } from "./stream-port.ts";

/** `expected`: what the server takes for the sequence of the subject's last message; 0 where it finds none. */
export interface LastOfSubject {
  readonly message: StoredMessage | null;
  readonly expected: number;
}

export async function lastOfSubject(
  port: StreamPort,
  { first, last }: StreamFacts,
  subject: string,
): Promise<LastOfSubject> {
  const seen = await port.readLast(subject);
  if (seen !== null) return { message: seen, expected: seen.sequence };
  let found = (await port.readNext?.(subject, Math.max(1, first))) ?? null;
  if (found === null) return { message: null, expected: 0 };
  // None is there or behind.
  let end = Math.max(last, found.sequence) + 1;
  for (let next = found; next.sequence + 1 < end; next = found) {
    const middle = next.sequence + 1 + Math.floor((end - next.sequence - 1) / 2);
    const further = await port.readNext!(subject, middle);
    if (further === null) end = middle;
    else {
      found = further;
      end = Math.max(end, further.sequence + 1);
    }
  }
  return { message: found, expected: 0 };
}
