// Whether the numbers of the chains in a stream are what they must be: each once, in order where that is promised, none left
// out but those that are said to be, and one number one row, however often it was sent.

import type { DeliveredMessages } from "./delivered-messages.ts";
import { entriesOf } from "./message-entries.ts";
import type { KeptMessage } from "./stream-model.ts";
import type { Verdict } from "./verdict.ts";

interface ChainSeen {
  /** Numbers that came, or were said to be left out. */
  readonly numbers: Set<number>;
  /** By number, the row. */
  readonly rows: Map<number, string>;
  /** The last number, of this incarnation of the stream. */
  last: number;
}

export interface NumberRules {
  /** Numbers of a chain go up all over the stream. */
  readonly ordered: boolean;
  /** None is left out: false where a copy of the state has ended both. */
  readonly whole: boolean;
}

export function judgeNumbers(
  verdict: Verdict,
  stream: string,
  delivered: DeliveredMessages,
  { ordered, whole }: NumberRules,
): void {
  const chains = new Map<string, ChainSeen>();
  for (const messages of delivered.incarnations) {
    for (const seen of chains.values()) seen.last = 0;
    for (const message of messages) note(verdict, stream, chains, message, ordered);
  }
  for (const { numbers } of chains.values()) {
    const highest = Math.max(0, ...numbers);
    if (whole && numbers.size !== highest)
      verdict.add("lost", `${stream}: ${highest - numbers.size} numbers up to ${highest} are missing`);
  }
}

function note(
  verdict: Verdict,
  stream: string,
  chains: Map<string, ChainSeen>,
  message: KeptMessage,
  ordered: boolean,
): void {
  const chain = message.headers.get("weir-chain") ?? "";
  let seen = chains.get(chain);
  if (seen === undefined) {
    seen = { numbers: new Set(), rows: new Map(), last: 0 };
    chains.set(chain, seen);
  }
  for (const { number, skipped, payload } of entriesOf(message)) {
    if (ordered && number <= seen.last)
      verdict.add("out_of_order", `${stream}: number ${number} behind ${seen.last}`);
    seen.last = number;
    for (let each = number - skipped; each <= number; each++) seen.numbers.add(each);
    const row = Buffer.from(payload).toString();
    const known = seen.rows.get(number);
    if (known !== undefined && known !== row)
      verdict.add("wrong", `${stream}: two rows have the number ${number}: ${known} and ${row}`);
    seen.rows.set(number, row);
  }
}
