// The steps of which cases for a stream are made, and cases made of them by chance. Performs nothing.

import { Random } from "./random.ts";
import type { StreamModelConfig } from "./stream-model.ts";

export type Headers = Readonly<Record<string, string>>;

export type Step =
  | { readonly do: "publish"; readonly subject: string; readonly payload: string; readonly headers: Headers }
  | { readonly do: "facts" }
  | { readonly do: "read"; readonly sequence: number }
  | { readonly do: "readLast"; readonly subject: string }
  | { readonly do: "purge" }
  | { readonly do: "remove"; readonly sequence: number }
  | { readonly do: "delete" }
  | { readonly do: "create" }
  /** The ids that the stream knows grow older than its window. */
  | { readonly do: "outlive"; readonly id: string }
  /** The server is killed and started again. */
  | { readonly do: "restart" };

export interface StreamCase {
  readonly name: string;
  readonly config: Partial<Omit<StreamModelConfig, "name" | "subjects" | "checks">>;
  readonly steps: readonly Step[];
}

export const publish = (headers: Headers = {}, payload = "x", subject = "a"): Step => ({
  do: "publish",
  subject,
  payload,
  headers,
});
export const id = (text: string): Headers => ({ "Nats-Msg-Id": text });
export const after = (sequence: number | string): Headers => ({
  "Nats-Expected-Last-Sequence": String(sequence),
});
export const afterOnSubject = (sequence: number | string): Headers => ({
  "Nats-Expected-Last-Subject-Sequence": String(sequence),
});
export const afterId = (text: string): Headers => ({ "Nats-Expected-Last-Msg-Id": text });
export const facts: Step = { do: "facts" };
export const read = (sequence: number): Step => ({ do: "read", sequence });
export const readLast = (subject: string): Step => ({ do: "readLast", subject });
export const purge: Step = { do: "purge" };
export const remove = (sequence: number): Step => ({ do: "remove", sequence });
export const restart: Step = { do: "restart" };
export const outlive = (name: string): Step => ({ do: "outlive", id: name });

export const short: StreamCase["config"] = { duplicateWindow_ms: 300 };

export function streamCase(
  name: string,
  steps: readonly Step[],
  config: StreamCase["config"] = {},
): StreamCase {
  return { name, config, steps };
}

/** What limits a stream where steps come by chance. */
const limited: readonly StreamCase["config"][] = [
  {},
  {},
  { maxMessages: 3 },
  { maxPerSubject: 2 },
  { maxMessages: 4, discard: "new" },
];

/** Steps by chance, with a restart in the middle of each. */
export function randomCases(count: number): StreamCase[] {
  const random = new Random(9);
  return Array.from({ length: count }, (_, number) => {
    const config = random.pick(limited);
    const steps: Step[] = [];
    // Where a limit drops messages and others are removed, a server that is killed forgets by chance what it dropped.
    const removes = Object.keys(config).length === 0;
    for (let step = 0; step < 24; step++)
      steps.push(step === 12 ? { do: "restart" } : randomStep(random, removes));
    return { name: `by chance ${number}`, config, steps };
  });
}

function randomStep(random: Random, removes: boolean): Step {
  const kind = random.next();
  if (kind < 0.05) return { do: "purge" };
  if (removes && kind < 0.12) return { do: "remove", sequence: random.between(1, 10) };
  if (kind < 0.2) return { do: "facts" };
  if (kind < 0.25) return { do: "read", sequence: random.between(1, 12) };
  if (kind < 0.3) return { do: "readLast", subject: random.pick(["a", "b", ">"]) };
  const headers: Record<string, string> = {};
  if (random.chance(0.6)) headers["Nats-Msg-Id"] = String(random.between(1, 6));
  if (random.chance(0.4)) headers["Nats-Expected-Last-Sequence"] = String(random.between(0, 8));
  if (random.chance(0.3)) headers["Nats-Expected-Last-Subject-Sequence"] = String(random.between(0, 4));
  return publish(headers, String(random.between(1, 9)), random.pick(["a", "b"]));
}
