// Protocols with one mistake each. The simulation has to notice every one of them: one that goes unnoticed would mean that the
// schedules, or what is asked of them, are blind to it.

import type { Answer } from "../../connect/chain/stream-port.ts";
import type { StreamPlace } from "../../connect/stream-resume.ts";
import {
  chainOutboxOf,
  type Mutant,
  portOf,
  powerCuts,
  rowStoreOf,
  sourceOf,
  withFiles,
  withoutHeaders,
} from "./mutant.ts";
import { shapeMutants } from "./mutants-shapes.ts";
import type { Blow } from "./nemesis.ts";
import { plainOutbox, type Shape } from "./shape.ts";

/** The shapes that mistakes in the protocol itself are tried on: nothing is decided but what it decides. */
export const protocolShape: Partial<Shape> = { delivery: "exclusive", hosts: ["d"], outbox: plainOutbox };

const expected = "Nats-Expected-Last-Sequence";
const before = "Nats-Expected-Last-Msg-Id";
/** Longer than any source is silent. */
const clockSet_ms = 7_200_000;

const ofDisk: readonly Mutant[] = [
  {
    name: "no fdatasync",
    mistake: "a commit counts as durable once it is written",
    seams: {
      disk: (disk) => withFiles(disk, (file) => ({ ...file, sync: () => Promise.resolve() })),
    },
  },
  {
    name: "no sync of names",
    mistake: "files that were made and renamed count as durable",
    seams: { disk: (disk) => ({ ...withFiles(disk, (file) => file), syncNames: () => Promise.resolve() }) },
  },
  {
    name: "failed sync forgotten",
    adjust: (plan, length_ms) => ({
      ...plan,
      diskError: 0.03,
      crash: 0.02,
      crashes_max: 10,
      powerShare: 1,
      blows: [],
      until_ms: length_ms,
    }),
    mistake: "a sync that failed is taken for one that did not",
    seams: {
      disk: (disk) =>
        withFiles(disk, (file) => ({ ...file, sync: () => file.sync().catch(() => undefined) })),
    },
  },
];

const ofOrder: readonly Mutant[] = [
  {
    name: "publish before commit",
    mistake: "rows are released when they are cut, before their commit is durable",
    seams: {
      rowStore: (outbox) => ({
        ...rowStoreOf(outbox),
        get uncutBytes() {
          return outbox.uncutBytes;
        },
        cut: () => {
          const cut = outbox.cut();
          outbox.release(cut);
          return cut;
        },
        release: () => undefined,
      }),
    },
  },
  {
    name: "acknowledge before commit",
    mistake: "the source is told when a batch was read",
    shape: { ...protocolShape, input: "workqueue" },
    seams: {
      source: (source) => ({
        ...sourceOf(source),
        read: async (limits) => {
          const delivery = await source.read(limits);
          if (delivery !== null && delivery !== "end") await source.commit(delivery.position);
          return delivery;
        },
      }),
    },
  },
  {
    name: "outbox not in the frame",
    mistake: "a commit holds positions and state, and no rows",
    seams: {
      rowStore: (outbox) => {
        let last: ReturnType<typeof outbox.cut> | null = null;
        return {
          ...rowStoreOf(outbox),
          get uncutBytes() {
            return outbox.uncutBytes;
          },
          cut: () => {
            last = outbox.cut();
            return { frame: null };
          },
          release: () => {
            if (last !== null) outbox.release(last);
          },
        };
      },
    },
  },
  {
    name: "commits without state",
    mistake: "positions go on, and what windows hold does not",
    seams: { states: () => new Map() },
  },
];

const ofChain: readonly Mutant[] = [
  {
    name: "chain off",
    mistake: "rows are published without the sequence that the stream must have",
    seams: {
      port: (port) => ({
        ...portOf(port),
        publish: (publication, answered) =>
          port.publish(withoutHeaders(publication, expected, before), answered),
      }),
    },
  },
  {
    name: "no ids and no chain",
    mistake: "rows are published as they are, and again until they are answered",
    seams: {
      port: (port) => ({
        ...portOf(port),
        publish: (publication, answered) =>
          port.publish(withoutHeaders(publication, expected, before, "Nats-Msg-Id"), answered),
      }),
    },
  },
  {
    name: "tail guessed",
    adjust: (plan) => ({ ...plan, lostAnswer: 0.1 }),
    mistake: "the last message of a stream is taken from an old answer",
    seams: {
      port: (port) => {
        let known: ReturnType<typeof port.facts> | null = null;
        return { ...portOf(port), facts: () => (known ??= port.facts()) };
      },
    },
  },
  {
    name: "cuts not noticed",
    adjust: powerCuts,
    mistake: "a chain that has nothing to send does not ask what became of what it sent",
    seams: { port: (port) => ({ ...portOf(port), watch: () => undefined }) },
  },
  {
    name: "lost answers are good answers",
    adjust: (plan) => ({ ...plan, lostRequest: 0.05 }),
    mistake: "a row that nobody answered counts as stored",
    seams: {
      port: (port) => ({
        ...portOf(port),
        publish: (publication, answered) => {
          const sequence = Number(publication.headers[expected]) + 1;
          port.publish(publication, (answer: Answer) =>
            answered(answer.kind === "lost" ? { kind: "stored", sequence, duplicate: false } : answer),
          );
        },
      }),
    },
  },
  {
    name: "wrong sequences are good answers",
    mistake: "a refusal for the wrong sequence counts as a duplicate",
    seams: {
      port: (port) => ({
        ...portOf(port),
        publish: (publication, answered) => {
          const after = Number(publication.headers[expected]);
          port.publish(publication, (answer: Answer) =>
            answered(
              answer.kind === "refused" && answer.code === 10_071
                ? { kind: "stored", sequence: after + 1, duplicate: false }
                : answer,
            ),
          );
        },
      }),
    },
  },
  {
    name: "confirmed out of order",
    adjust: (plan) => ({ ...plan, lostRequest: 0.05, crash: 0.02 }),
    mistake: "a confirmation counts for rows behind it as well",
    seams: {
      events: (events) => ({ ...events, confirmed: (number) => events.confirmed(number + 1) }),
      chainOutbox: (outbox) => ({
        ...chainOutboxOf(outbox),
        confirm: (chain, number) => outbox.confirm(chain, Math.min(number, outbox.chain(chain).released)),
      }),
    },
  },
  {
    name: "rewind too far",
    mistake: "sending goes on one row behind the right one",
    seams: {
      chainOutbox: (outbox) => ({
        ...chainOutboxOf(outbox),
        rewind: (chain, number) => outbox.rewind(chain, number + 1),
      }),
    },
  },
  {
    name: "nothing retained",
    adjust: powerCuts,
    mistake: "rows are forgotten once they are confirmed, though the stream may lose its end",
    seams: { outbox: (options) => ({ ...options, retention: 0 }) },
  },
];

const ofRecovery: readonly Mutant[] = [
  {
    name: "silence by the wall clock",
    adjust: (plan, length_ms) => ({
      ...plan,
      blows: [0.3, 0.6].map(
        (share): Blow => ({ at_ms: share * length_ms, kind: "clock", for_ms: clockSet_ms }),
      ),
    }),
    mistake: "how long a source has been silent is told by a clock that somebody may set",
    seams: {
      clock: (life) => ({
        now: () => life.now(),
        elapsed: () => life.now(),
        after: (ms, task) => life.after(ms, task),
        every: (ms, task) => life.every(ms, task),
      }),
    },
  },
  {
    name: "epoch used again",
    mistake: "a start does not tell itself from the one before",
    seams: { recovery: (recovery) => ({ ...recovery, epoch: 1 }) },
  },
  {
    name: "last commit forgotten",
    mistake: "recovery leaves out the newest commit",
    seams: { recovery: (recovery) => ({ ...recovery, commits: recovery.commits.slice(0, -1) }) },
  },
  {
    name: "incarnation ignored",
    mistake: "a stream that was made anew is read behind the old one's place",
    seams: {
      resume: (place, { created, first, last }) => ({
        start: Math.max(first, place.sequence + 1),
        incarnation: place.created === created ? place.incarnation : place.incarnation + Number(last < 0),
        events: [],
      }),
    },
  },
  {
    name: "resume from the broker's floor",
    mistake: "reading goes on at the stream's first message, whatever was committed",
    seams: {
      resume: (place: StreamPlace, { first }) => ({
        start: first,
        incarnation: place.incarnation,
        events: [],
      }),
    },
  },
  {
    name: "resume one further",
    mistake: "reading goes on one message behind the next",
    seams: {
      resume: (place: StreamPlace, { first }) => ({
        start: Math.max(first, place.sequence + (place.sequence === 0 ? 1 : 2)),
        incarnation: place.incarnation,
        events: [],
      }),
    },
  },
];

export const mutants: readonly Mutant[] = [...ofDisk, ...ofOrder, ...ofChain, ...ofRecovery, ...shapeMutants];
