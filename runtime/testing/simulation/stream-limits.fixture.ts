// What they are both asked about subjects, limits and restarts.

import {
  after,
  afterId,
  afterOnSubject,
  facts,
  id,
  publish,
  purge,
  read,
  readLast,
  remove,
  restart,
  type StreamCase,
  streamCase,
} from "./stream-steps.fixture.ts";

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

export const limitedStreamCases: readonly StreamCase[] = [...bySubject, ...byId, ...bounds, ...restarts];
