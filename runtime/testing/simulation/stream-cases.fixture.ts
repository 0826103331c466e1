// What the model of a stream and a real server are both asked about order and duplicates, so that their answers can be compared.

import {
  after,
  afterOnSubject,
  facts,
  id,
  outlive,
  publish,
  purge,
  read,
  readLast,
  remove,
  short,
  type StreamCase,
  streamCase,
} from "./stream-steps.fixture.ts";
import { limitedStreamCases } from "./stream-limits.fixture.ts";

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

export const streamCases: readonly StreamCase[] = [
  ...sequences,
  ...duplicates,
  ...expectations,
  ...both,
  ...limitedStreamCases,
];
