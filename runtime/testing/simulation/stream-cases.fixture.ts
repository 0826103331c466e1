// What the model of a stream and the real server are both asked, step by step, so that their answers can be compared.

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

const publish = (headers: Headers = {}, payload = "x", subject = "a"): Step => ({
  do: "publish",
  subject,
  payload,
  headers,
});
const id = (text: string): Headers => ({ "Nats-Msg-Id": text });
const after = (sequence: number | string): Headers => ({ "Nats-Expected-Last-Sequence": String(sequence) });
const afterOnSubject = (sequence: number | string): Headers => ({
  "Nats-Expected-Last-Subject-Sequence": String(sequence),
});
const afterId = (text: string): Headers => ({ "Nats-Expected-Last-Msg-Id": text });
const facts: Step = { do: "facts" };
const read = (sequence: number): Step => ({ do: "read", sequence });
const readLast = (subject: string): Step => ({ do: "readLast", subject });
const purge: Step = { do: "purge" };
const remove = (sequence: number): Step => ({ do: "remove", sequence });
const restart: Step = { do: "restart" };
const outlive = (name: string): Step => ({ do: "outlive", id: name });

const short = { duplicateWindow_ms: 300 };

function streamCase(name: string, steps: readonly Step[], config: StreamCase["config"] = {}): StreamCase {
  return { name, config, steps };
}

const sequences: readonly StreamCase[] = [
  streamCase("an empty stream", [facts, read(1), readLast("a"), readLast(">")]),
  streamCase("sequences count from 1", [publish(), publish(), facts, read(1), read(2), read(3)]),
  streamCase("a subject that nothing takes", [publish({}, "x", "elsewhere"), facts]),
  streamCase("an empty payload", [publish({}, ""), read(1)]),
  streamCase("headers are kept", [publish({ "Weir-Out-Seq": "7", "X-Other": "a b" }), read(1)]),
  streamCase("the last of a subject", [
    publish({}, "1", "a"),
    publish({}, "2", "b.c"),
    publish({}, "3", "a"),
    readLast("a"),
    readLast("b.c"),
    readLast("b.*"),
    readLast("b.d"),
    readLast(">"),
  ]),
  streamCase("numbers go on behind a purge", [publish(), publish(), purge, facts, publish(), facts, read(3)]),
  streamCase("a purged stream has no message", [publish(), purge, read(1), readLast("a"), facts]),
  streamCase("the last message removed", [publish(), publish(), remove(2), facts, read(2), publish(), facts]),
  streamCase("the first message removed", [publish(), publish(), remove(1), facts, read(1)]),
  streamCase("one in the middle removed", [publish(), publish(), publish(), remove(2), facts, read(2)]),
  streamCase("all messages removed", [publish(), remove(1), facts, publish(), facts]),
  streamCase("a stream deleted", [publish(), { do: "delete" }, facts, publish(), read(1), readLast("a")]),
  streamCase("a stream made anew", [
    publish(id("1")),
    publish(),
    { do: "delete" },
    { do: "create" },
    facts,
    publish(id("1")),
    facts,
    read(1),
  ]),
];

const duplicates: readonly StreamCase[] = [
  streamCase("an id twice", [publish(id("1")), publish(id("1")), facts]),
  streamCase("an id twice with another payload", [publish(id("1"), "x"), publish(id("1"), "y"), read(1)]),
  streamCase("an id twice on another subject", [publish(id("1"), "x", "a"), publish(id("1"), "x", "b.c")]),
  streamCase("an empty id is no id", [publish(id("")), publish(id("")), facts]),
  streamCase("ids differ by case", [publish(id("a")), publish(id("A")), facts]),
  streamCase(
    "an id is forgotten after the window",
    [publish(id("1")), outlive("1"), publish(id("1")), facts],
    short,
  ),
  streamCase("a removed message is a duplicate still", [
    publish(id("1")),
    remove(1),
    publish(id("1")),
    facts,
  ]),
  streamCase("a purge and ids", [publish(id("1")), publish(id("2")), purge, publish(id("1")), facts]),
  streamCase(
    "a message dropped by a limit and its id",
    [publish(id("1")), publish(id("2")), publish(id("1"))],
    {
      maxMessages: 1,
    },
  ),
  streamCase("a replaced message and its id", [publish(id("1")), publish(id("2")), publish(id("1")), facts], {
    maxPerSubject: 1,
  }),
  streamCase("a refused message leaves no id", [
    publish(),
    publish({ ...id("1"), ...after(7) }),
    publish({ ...id("1"), ...after(1) }),
  ]),
];

const expectations: readonly StreamCase[] = [
  streamCase("the expected last sequence", [publish(), publish(after(1)), publish(after(2)), facts]),
  streamCase("a lower one than the last", [publish(), publish(), publish(after(1)), facts]),
  streamCase("a greater one than the last", [publish(), publish(after(2)), facts]),
  streamCase("0 on an empty stream", [publish(after(0)), facts]),
  streamCase("0 on a stream with messages", [publish(), publish(after(0)), facts]),
  streamCase("1 on an empty stream", [publish(after(1)), facts]),
  streamCase("0 on a purged stream", [publish(), purge, publish(after(0)), facts]),
  streamCase("the last of a purged stream", [publish(), publish(), purge, publish(after(2)), facts]),
  streamCase("the last when it was removed", [publish(), publish(), remove(2), publish(after(2)), facts]),
  streamCase("the last but one when the last was removed", [
    publish(),
    publish(),
    remove(2),
    publish(after(1)),
  ]),
  streamCase("of the whole stream, not of the subject", [
    publish({}, "x", "a"),
    publish({}, "x", "b.c"),
    publish(after(1), "x", "a"),
    publish(after(2), "x", "a"),
  ]),
  streamCase("not a number", [publish(), publish(after("one"))]),
  streamCase("a negative number", [publish(), publish(after("-1"))]),
  streamCase("empty", [publish(), publish(after(""))]),
  streamCase("a large number", [publish(), publish(after("9007199254740993"))]),
  streamCase("with leading zeros", [publish(), publish(after("01"))]),
  streamCase("after a refusal it is as before", [
    publish(after(5)),
    publish(),
    publish(after(5)),
    publish(after(1)),
    facts,
  ]),
];

const both: readonly StreamCase[] = [
  streamCase("a duplicate with the right sequence", [
    publish(id("1")),
    publish({ ...id("1"), ...after(1) }),
    facts,
  ]),
  streamCase("a duplicate with a wrong sequence", [
    publish({ ...id("1"), ...after(0) }),
    publish({ ...id("2"), ...after(1) }),
    publish({ ...id("1"), ...after(0) }),
    publish({ ...id("1"), ...after(9) }),
    facts,
  ]),
  streamCase(
    "a forgotten duplicate with a wrong sequence",
    [
      publish({ ...id("1"), ...after(0) }),
      publish({ ...id("2"), ...after(1) }),
      outlive("2"),
      publish({ ...id("2"), ...after(1) }),
      facts,
    ],
    short,
  ),
  streamCase(
    "a forgotten duplicate that expects 0",
    [publish({ ...id("1"), ...after(0) }), outlive("1"), publish({ ...id("1"), ...after(0) }), facts],
    short,
  ),
  streamCase("a duplicate with a wrong sequence of the subject", [
    publish(id("1")),
    publish({ ...id("1"), ...afterOnSubject(0) }),
    facts,
  ]),
  streamCase("another stream is expected", [
    publish({ "Nats-Expected-Stream": "ELSEWHERE" }),
    publish({ "Nats-Expected-Stream": "ELSEWHERE", ...id("1") }),
    facts,
  ]),
];

const bySubject: readonly StreamCase[] = [
  streamCase("0 for a new subject", [publish(), publish(afterOnSubject(0), "x", "b.c"), facts]),
  streamCase("0 for a known subject", [publish(), publish(afterOnSubject(0)), facts]),
  streamCase("the last of the subject", [
    publish({}, "x", "a"),
    publish({}, "x", "b.c"),
    publish(afterOnSubject(1), "x", "a"),
    publish(afterOnSubject(2), "x", "b.c"),
    facts,
  ]),
  streamCase("the last of another subject", [
    publish({}, "x", "a"),
    publish({}, "x", "b.c"),
    publish(afterOnSubject(2), "x", "a"),
  ]),
  streamCase("one for a subject without a message", [publish(afterOnSubject(3), "x", "b.c"), facts]),
  streamCase("0 for a subject that was purged", [publish(), purge, publish(afterOnSubject(0)), facts]),
  streamCase("the removed last of the subject", [
    publish(),
    publish(),
    remove(2),
    publish(afterOnSubject(2)),
    publish(afterOnSubject(1)),
    facts,
  ]),
  streamCase("0 when the last of the subject was removed", [
    publish(),
    publish(),
    publish({}, "x", "b.c"),
    remove(2),
    readLast("a"),
    readLast(">"),
    publish(afterOnSubject(0)),
    publish(afterOnSubject(4)),
    facts,
  ]),
  streamCase("the last of the subject removed and stored again", [
    publish(),
    publish(),
    remove(2),
    publish(),
    readLast("a"),
    publish(afterOnSubject(3)),
    facts,
  ]),
  streamCase("the first of the subject removed", [
    publish(),
    publish(),
    remove(1),
    readLast("a"),
    publish(afterOnSubject(2)),
  ]),
  streamCase("the only one of the subject removed", [
    publish(),
    remove(1),
    readLast("a"),
    publish(afterOnSubject(1)),
    publish(afterOnSubject(0)),
  ]),
  streamCase("the last three of a subject", [
    publish(),
    publish(),
    publish(),
    remove(3),
    readLast("a"),
    publish(afterOnSubject(2)),
    publish(afterOnSubject(1)),
    publish(afterOnSubject(0)),
    facts,
  ]),
  streamCase("the last of the subject removed, then a restart", [
    publish(),
    publish(),
    remove(2),
    restart,
    readLast("a"),
    publish(afterOnSubject(2)),
    publish(afterOnSubject(1)),
    facts,
  ]),
  streamCase("with the sequence of the stream", [
    publish({}, "x", "a"),
    publish({}, "x", "b.c"),
    publish({ ...afterOnSubject(1), ...after(2) }, "x", "a"),
    publish({ ...afterOnSubject(1), ...after(3) }, "x", "a"),
    publish({ ...afterOnSubject(3), ...after(2) }, "x", "a"),
  ]),
  streamCase("of the subject, not a number", [publish(), publish(afterOnSubject("one"))]),
  streamCase(
    "of a subject whose old message was replaced",
    [publish(), publish(afterOnSubject(1)), publish(afterOnSubject(1)), publish(afterOnSubject(2)), facts],
    { maxPerSubject: 1 },
  ),
];

const byId: readonly StreamCase[] = [
  streamCase("the expected last id", [publish(id("1")), publish(afterId("1")), facts]),
  streamCase("another last id", [publish(id("1")), publish(afterId("2")), facts]),
  streamCase("an expected last id on an empty stream", [publish(afterId("1")), facts]),
  streamCase("no id in the last message", [publish(id("1")), publish(), publish(afterId("1")), facts]),
];

const bounds: readonly StreamCase[] = [
  streamCase("discard old", [publish(), publish(), publish(), facts, read(1), read(2)], { maxMessages: 2 }),
  streamCase(
    "discard old and the expected sequence",
    [publish(), publish(after(1)), publish(after(2)), facts],
    {
      maxMessages: 1,
    },
  ),
  streamCase("discard new", [publish(), publish(), publish(), facts], { maxMessages: 2, discard: "new" }),
  streamCase(
    "discard new with the expected sequence",
    [publish(), publish(after(1)), publish(after(2)), facts],
    {
      maxMessages: 2,
      discard: "new",
    },
  ),
  streamCase("discard new, room again", [publish(), publish(after(1)), remove(1), publish(after(1)), facts], {
    maxMessages: 1,
    discard: "new",
  }),
  streamCase("a duplicate on a full stream", [publish(id("1")), publish(id("1")), publish(id("2")), facts], {
    maxMessages: 1,
    discard: "new",
  }),
  streamCase(
    "a refused id on a full stream is not remembered",
    [publish(id("1")), publish(id("2")), remove(1), publish(id("2")), facts],
    { maxMessages: 1, discard: "new" },
  ),
  streamCase(
    "bytes, discard old",
    [publish({}, "x".repeat(100)), publish({}, "y".repeat(100)), publish({}, "z".repeat(100)), facts],
    { maxBytes: 300 },
  ),
  streamCase(
    "bytes, discard new",
    [publish({}, "x".repeat(100)), publish({}, "y".repeat(100)), publish({}, "z".repeat(100)), facts],
    { maxBytes: 300, discard: "new" },
  ),
  streamCase(
    "headers count as bytes",
    [publish(id("1"), "x".repeat(100)), publish(id("2"), "y".repeat(100)), facts],
    {
      maxBytes: 300,
    },
  ),
  streamCase(
    "one message for each subject",
    [publish({}, "1"), publish({}, "2"), publish({}, "3", "b.c"), facts, read(1)],
    {
      maxPerSubject: 1,
    },
  ),
  streamCase(
    "a message that is too large",
    [publish({}, "x".repeat(19)), publish({}, "x".repeat(18)), facts],
    {
      maxMessageBytes: 30,
    },
  ),
];

const restarts: readonly StreamCase[] = [
  streamCase("messages outlive a restart", [
    publish(),
    publish(),
    restart,
    facts,
    read(2),
    publish(after(2)),
  ]),
  streamCase("ids outlive a restart", [publish(id("1")), restart, publish(id("1")), facts]),
  streamCase("ids of removed messages do not", [
    publish(id("1")),
    remove(1),
    restart,
    publish(id("1")),
    facts,
  ]),
  streamCase(
    "ids of dropped messages do not",
    [publish(id("1")), publish(id("2")), restart, publish(id("1")), publish(id("2")), facts],
    { maxMessages: 1 },
  ),
  streamCase(
    "ids of replaced messages do not",
    [publish(id("1")), publish(id("2")), restart, publish(id("1")), facts],
    { maxPerSubject: 1 },
  ),
  streamCase("a purged stream after a restart", [
    publish(),
    publish(),
    purge,
    restart,
    facts,
    publish(after(2)),
    facts,
  ]),
  streamCase("the last removed, then a restart", [
    publish(),
    publish(),
    remove(2),
    restart,
    facts,
    publish(),
    facts,
  ]),
  streamCase("the incarnation outlives a restart", [publish(), restart, facts]),
  streamCase("a purge right after a restart and ids", [
    publish(id("1")),
    restart,
    purge,
    publish(id("1")),
    facts,
  ]),
  streamCase("a purge after a restart and an id", [
    publish(id("1")),
    restart,
    publish(id("2")),
    purge,
    publish(id("1")),
    facts,
  ]),
  streamCase("a purge after a restart and a message without id", [
    publish(id("1")),
    restart,
    publish(),
    purge,
    publish(id("1")),
    facts,
  ]),
  streamCase("ids where the last message was removed, after a restart", [
    publish(id("1")),
    publish(id("2")),
    remove(2),
    restart,
    publish(id("1")),
    facts,
  ]),
  streamCase("an empty stream purged", [purge, facts, publish(), facts]),
  streamCase("the last id after a restart", [publish(id("1")), restart, publish(afterId("1")), facts]),
  streamCase("the subject's sequence after a restart", [
    publish(),
    publish(),
    restart,
    publish(afterOnSubject(2)),
    facts,
  ]),
];

export const streamCases: readonly StreamCase[] = [
  ...sequences,
  ...duplicates,
  ...expectations,
  ...both,
  ...bySubject,
  ...byId,
  ...bounds,
  ...restarts,
];

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
