// Mistakes in what only some shapes of a schedule promise: the ways of delivery beside the exclusive one, the decisions of the
// outbox, the journal of core NATS. Each is tried on the shape that has to notice it.

import type { StreamPort } from "../../connect/chain/stream-port.ts";
import { reserveName } from "../../state/log/file-names.ts";
import type { Condenser } from "../../state/outbox/condensing.ts";
import { isMap, type Plain } from "../../state/plain.ts";
import {
  chainOutboxOf,
  type Mutant,
  outages,
  portOf,
  powerCuts,
  sourceOf,
  withFiles,
  withoutHeaders,
} from "./mutant.ts";
import { plainOutbox, type Shape } from "./shape.ts";
import { laneStream } from "./workload.ts";

const ofSubject = "Nats-Expected-Last-Subject-Sequence";
const id = "Nats-Msg-Id";

const shapeOf = (more: Partial<Shape>): Partial<Shape> => ({
  delivery: "exclusive",
  input: "stream",
  hosts: ["d"],
  outbox: plainOutbox,
  ...more,
});

/** Publishes without what makes the server compare, and without the id. */
const unchecked = (port: StreamPort): StreamPort => ({
  ...portOf(port),
  publish: (publication, answered) => port.publish(withoutHeaders(publication, ofSubject, id), answered),
});

/** Messages come late, and whoever sent them has given up by then. */
const late: Mutant["adjust"] = (plan) => ({
  ...plan,
  delayed: 0.2,
  delay_ms: 8_000,
});

const ofDelivery: readonly Mutant[] = [
  {
    name: "subjects not compared",
    mistake: "rows go to a subject whatever was its last message",
    shape: shapeOf({ delivery: "subject" }),
    adjust: late,
    seams: { port: unchecked },
  },
  {
    name: "keys not compared",
    mistake: "a value is put whatever the bucket has",
    shape: shapeOf({ delivery: "bucket" }),
    adjust: late,
    seams: { port: unchecked },
  },
  {
    name: "lanes not compared",
    mistake: "a message goes to its lane whatever was the last one",
    shape: shapeOf({ delivery: "lane" }),
    adjust: late,
    seams: { port: unchecked },
  },
  {
    name: "lanes judged by length",
    mistake: "a stream that is as long as it was lost nothing, whoever made it so",
    shape: shapeOf({ delivery: "lane", hosts: ["d", "e"] }),
    adjust: powerCuts,
    seams: {
      port: (port) => ({
        ...portOf(port),
        read: (sequence) => (port.name === laneStream ? Promise.resolve(null) : port.read(sequence)),
      }),
    },
  },
  {
    name: "hosts share a lane",
    mistake: "the subject of a lane does not say whose it is",
    shape: shapeOf({ delivery: "lane", hosts: ["d", "e"] }),
    seams: {
      port: (port) => ({
        ...portOf(port),
        publish: (publication, answered) =>
          port.publish({ ...publication, subject: publication.subject.replace(/^up\.e/, "up.d") }, answered),
        readLast: (subject) => port.readLast(subject.replace(/^up\.e/, "up.d")),
      }),
    },
  },
  {
    name: "ids of each start",
    mistake: "a row has another id when another start sends it",
    shape: shapeOf({ delivery: "message_id" }),
    adjust: (plan) => ({ ...plan, lostAnswer: 0.1, crash: 0.01 }),
    seams: {
      port: (port) => ({
        ...portOf(port),
        publish: (publication, answered) => {
          const { headers } = publication;
          const name = `${headers[id]}.${headers["Weir-Epoch"]}`;
          port.publish({ ...publication, headers: { ...headers, [id]: name } }, answered);
        },
      }),
    },
  },
];

const dropping = shapeOf({
  outbox: { ...plainOutbox, limits: { bytes: 1_500, age: null, whenFull: "drop_oldest" } },
});
const condensing = shapeOf({
  outbox: {
    ...plainOutbox,
    tiers: [
      { every: 0, keep: 5_000 },
      { every: 20_000, keep: 86_400_000 },
    ],
  },
});

/** A condenser that makes other rows of what it was given. */
function condensingBy(change: (condenser: Condenser) => Condenser): Mutant["seams"] {
  return {
    outbox: ({ condenser, ...options }) =>
      condenser === undefined ? options : { ...options, condenser: change(condenser) },
  };
}

const ofOutbox: readonly Mutant[] = [
  {
    name: "what was dropped is not said",
    mistake: "the next row does not tell how many before it are left out",
    shape: dropping,
    adjust: outages,
    seams: {
      port: (port) => ({
        ...portOf(port),
        publish: (publication, answered) =>
          port.publish(withoutHeaders(publication, "Weir-Skipped"), answered),
      }),
    },
  },
  {
    name: "dropped and not counted",
    mistake: "rows are left out that the outbox did not drop",
    shape: dropping,
    adjust: outages,
    seams: {
      chainOutbox: (outbox) => ({
        ...chainOutboxOf(outbox),
        take: async (chain, rows, bytes) => {
          const taken = await outbox.take(chain, rows, bytes);
          return taken.length < 3 ? taken : taken.slice(1);
        },
      }),
    },
  },
  {
    name: "backlog goes first",
    mistake: "rows that waited long are sent while newer ones wait",
    shape: shapeOf({ delivery: "message_id", outbox: { ...plainOutbox, backlogAfter: 1_000 } }),
    adjust: outages,
    seams: {
      outbox: (options) => ({
        ...options,
        laneOf: (chain) => ({ connection: chain, lane: "live", ordered: false }),
      }),
    },
  },
  {
    name: "alarms wait their turn",
    mistake: "alarms are not told from other rows",
    shape: shapeOf({ outbox: { ...plainOutbox, alarms: ["condensed"] } }),
    adjust: outages,
    seams: {
      outbox: (options) => ({ ...options, laneOf: () => ({ connection: "cloud", lane: "live" }) }),
    },
  },
  {
    name: "budget ignored",
    mistake: "the bytes of a connection are not counted",
    shape: shapeOf({ outbox: { ...plainOutbox, uplink: { bytes: 2_000, every: 20_000 } } }),
    seams: { outbox: (options) => ({ ...options, uplinks: new Map() }) },
  },
  {
    name: "condensed twice",
    mistake: "a row is merged into the coarser one again",
    shape: condensing,
    seams: condensingBy((condenser) => ({
      begin: (every) => {
        const condensate = condenser.begin(every);
        return { add: (row) => condensate.add(row) && condensate.add(row), rows: () => condensate.rows() };
      },
    })),
  },
  {
    name: "lost in condensing",
    mistake: "one of the coarser rows is not written",
    shape: condensing,
    seams: condensingBy((condenser) => ({
      begin: (every) => {
        const condensate = condenser.begin(every);
        return { add: (row) => condensate.add(row), rows: () => condensate.rows().slice(1) };
      },
    })),
  },
  {
    name: "reserve not given up",
    mistake: "the room for a last commit is kept when it comes to that",
    shape: shapeOf({}),
    adjust: (plan, length_ms) => ({
      ...plan,
      crash: 0,
      crashInRecovery: 0,
      blows: [{ at_ms: length_ms / 2, kind: "full disk", for_ms: 10_000 }],
    }),
    seams: {
      disk: (disk) => ({
        ...withFiles(disk, (file) => file),
        open: async (name) => {
          const file = await disk.open(name);
          return name === reserveName ? { ...file, truncate: () => Promise.resolve() } : file;
        },
        rename: (from, to) => (from === reserveName ? Promise.resolve() : disk.rename(from, to)),
      }),
    },
  },
];

const ofJournal: readonly Mutant[] = [
  {
    name: "journal not synchronised",
    mistake: "what the ingest wrote counts as durable",
    shape: shapeOf({ input: "journal" }),
    adjust: (plan) => ({ ...plan, crash: 0.005, powerShare: 1 }),
    seams: {
      journalDisk: (disk) => withFiles(disk, (file) => ({ ...file, sync: () => Promise.resolve() })),
    },
  },
  {
    name: "journal trimmed before commit",
    mistake: "the journal is told of what was read when it was read",
    shape: shapeOf({ input: "journal" }),
    seams: {
      source: (source) => ({
        ...sourceOf(source),
        read: async (limits) => {
          const delivery = await source.read(limits);
          const position = delivery === null || delivery === "end" ? null : (delivery.position as Plain);
          if (isMap(position) && "journal" in position) await source.commit(position);
          return delivery;
        },
      }),
    },
  },
];

export const shapeMutants: readonly Mutant[] = [...ofDelivery, ...ofOutbox, ...ofJournal];
