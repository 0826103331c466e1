// Which entry a stream stored last, where the message itself is gone: its number may have been of a row that was stored and
// removed, or of one that the server refused after all, as it does where the account has no more room. A server knows the id of
// what it stored last; it says so in the refusal of a message that expects another one. Stores nothing.

import { expectedLast, expectedLastId, messageId } from "./publication.ts";
import type { Answer, StreamPort } from "./stream-port.ts";

/** "wrong last msg ID". */
const otherId = 10_070;
/** "wrong last sequence". */
const otherSequence = 10_071;

/** No message has it: whoever expects it is refused. */
const nobody = "weir.nobody";

/**
 * The number of the entry; `unknown` where the server has forgotten it, as at its start; `moved` where the end is another one by
 * now; `silent` where nobody answered.
 */
export type LastStored = number | "unknown" | "moved" | "silent";

/** `last`: the sequence at the stream's end; `subject`: one of its own. */
export async function lastStored(
  port: StreamPort,
  last: number,
  subject: string,
  id: string,
): Promise<LastStored> {
  const headers = { [expectedLast]: `${last}`, [expectedLastId]: nobody };
  const answer = await new Promise<Answer>((resolve) =>
    port.publish({ subject, payload: new Uint8Array(), headers }, resolve),
  );
  if (answer.kind !== "refused") return answer.kind === "stored" ? "unknown" : "silent";
  if (answer.code === otherSequence) return "moved";
  const begin = messageId(id, "");
  const said = answer.reason.slice(answer.reason.lastIndexOf(" ") + 1);
  const number = said.startsWith(begin) ? said.slice(begin.length) : "";
  return answer.code === otherId && /^\d{1,15}$/.test(number) ? Number(number) : "unknown";
}
