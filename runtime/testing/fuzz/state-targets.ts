// What lies on a disk and comes back: logs, changes of a state, frames of an outbox and of a journal, tables. What is damaged is
// refused as such, or gives exactly what was written.

import { crc32 } from "node:zlib";
import { decodeReference } from "../../codec/reference/decode.ts";
import { frameBody, readFrameBody } from "../../connect/journal/journal-frame.ts";
import { PayloadBuilder } from "../../batch/payloads.ts";
import { WeirError } from "../../errors.ts";
import { applyChange, StateShadow } from "../../state/change.ts";
import { blockOf, rowsOf } from "../../state/outbox/block.ts";
import { openCommitLog } from "../../state/log/commit-log.ts";
import { MemoryDisk } from "../../state/log/memory-disk.ts";
import type { Plain } from "../../state/plain.ts";
import { readPlain, written } from "../../state/written.ts";
import { Random } from "../simulation/random.ts";
import { bytesOf, type FuzzTarget, wordsOf } from "./target.ts";

/** Runs `read`; what is refused with one of the codes is well refused. */
async function refusing(codes: readonly string[], read: () => unknown): Promise<void> {
  try {
    await read();
  } catch (error) {
    if (!(error instanceof WeirError) || !codes.includes(error.code)) throw error;
  }
}

const state: Plain = {
  counts: { in: 7, out: -1.5, name: "climate é", none: null, big: 2 ** 53 },
  keys: Uint8Array.from({ length: 300 }, (_, at) => at & 255),
  list: [1, "two", [true, { three: Uint8Array.of(3) }]],
};

const later: Plain = {
  ...state,
  counts: { in: 8 },
  list: [1, "two", [false, { three: Uint8Array.of(4, 5) }], "more"],
};

function changes(): Uint8Array[] {
  const shadow = new StateShadow();
  const [first, second] = [shadow.change(state), shadow.change(later)];
  if (first === null || second === null) throw new Error("both states are new");
  return [Uint8Array.from(first), Uint8Array.from(second)];
}

const [whole, patch] = changes() as [Uint8Array, Uint8Array];

const change: FuzzTarget = {
  name: "change",
  begins: [whole, patch],
  words: wordsOf("__proto__ constructor counts keys list"),
  take: (input) =>
    refusing(["WEIR_STATE"], () => {
      applyChange(applyChange(null, whole), input);
      applyChange(null, input);
    }),
};

const plain: FuzzTarget = {
  name: "plain",
  begins: [written(state), written(later)],
  words: change.words,
  take: (input) => refusing(["WEIR_STATE"], () => readPlain(input)),
};

const rows = Array.from({ length: 5 }, (_, number) => ({
  subject: `site.${number % 2}`,
  caused: 1_700_000_000_000 + number,
  rows: 1,
  headers: number === 3 ? { a: "b" } : null,
  payload: bytesOf(`{"n":${number}}`),
}));

const outbox: FuzzTarget = {
  name: "outbox",
  begins: [blockOf(rows)],
  words: [],
  take: (input) => refusing(["WEIR_STATE"], () => rowsOf(input, rows.length)),
};

function journalBody(): Uint8Array {
  const builder = new PayloadBuilder(3);
  for (const text of ["one", "two", "three"]) builder.add(bytesOf(text), `plant.${text}`, 1_700_000_000_000);
  return frameBody({ payloads: builder.take(), dropped: { full: 2 } });
}

const journal: FuzzTarget = {
  name: "journal",
  begins: [journalBody()],
  words: [],
  take: (input) => refusing(["WEIR_STATE"], () => readFrameBody(input)),
};

const commits = ["first", "second commit", "x".repeat(9_000), "last"];

async function logFiles(): Promise<ReadonlyMap<string, Uint8Array>> {
  const disk = new MemoryDisk();
  const { log } = await openCommitLog(disk, { random: zeros, reserveBytes: 8_192 });
  for (const text of commits.slice(0, 2)) await log.append(bytesOf(text));
  await log.checkpoint(bytesOf(JSON.stringify(commits.slice(0, 2))));
  for (const text of commits.slice(2)) await log.append(bytesOf(text));
  await log.close();
  return disk.files();
}

const zeros = (length: number): Uint8Array => new Uint8Array(length);
const files = await logFiles();
const names = [...files.keys()].filter((name) => name !== "reserve").sort();

/** Files changed at places that are drawn; the input is what they are drawn from, and what is written there. */
function damagedBy(input: Uint8Array): Map<string, Uint8Array> {
  const random = new Random(crc32(input));
  const damaged = new Map([...files].map(([name, bytes]) => [name, Uint8Array.from(bytes)]));
  for (let left = random.between(1, 3); left > 0; left--) {
    const name = random.pick(names);
    const bytes = damaged.get(name) ?? new Uint8Array(0);
    // Frames begin at pages, and their heads are what is read first.
    const at = random.chance(0.6)
      ? 4_096 * random.between(0, 4) + random.between(0, 64)
      : random.between(0, bytes.length);
    if (random.chance(0.2)) damaged.set(name, bytes.slice(0, at));
    else if (random.chance(0.05)) damaged.delete(name);
    else
      for (const [offset, byte] of input.subarray(0, 24).entries())
        if (at + offset < bytes.length) bytes[at + offset] = byte;
  }
  return damaged;
}

const log: FuzzTarget = {
  name: "log",
  begins: [Uint8Array.of(1, 0, 0, 0, 1, 0, 0, 0), Uint8Array.of(0xff), new Uint8Array(24)],
  words: [],
  take: (input) =>
    refusing(["WEIR_STATE"], async () => {
      const { recovery } = await openCommitLog(MemoryDisk.of(damagedBy(input)), { random: zeros });
      const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
      const before = recovery.snapshot === null ? [] : (JSON.parse(text(recovery.snapshot)) as string[]);
      const found = [...before, ...recovery.commits.map(text)];
      const wrong = found.findIndex((commit, place) => commit !== commits[place]);
      if (wrong >= 0) throw new Error(`commit ${wrong + 1} is another than was written`);
    }),
};

function table(format: "csv" | "json" | "ndjson", begins: readonly string[]): FuzzTarget {
  const read = {
    key: { name: "id", type: "string" },
    columns: [
      { name: "site", type: "string" },
      { name: "limit", type: "float64" },
    ],
  } as const;
  return {
    name: `table-${format}`,
    begins: begins.map(bytesOf),
    words: wordsOf('id site limit " , : { } [ ] r1 null NaN 1e999 \\ud800 __proto__'),
    take: (bytes) =>
      refusing(["WEIR_REFERENCE"], () =>
        decodeReference({ kind: "file", name: "devices", format, bytes }, read),
      ),
  };
}

export const stateTargets: readonly FuzzTarget[] = [
  change,
  plain,
  outbox,
  journal,
  log,
  table("csv", ['id,site,limit\nr1,north,-18\nr2,"south, ""gate"" 2",\n']),
  table("ndjson", ['{"id":"r1","site":"north","limit":-18}\n{"site":"s","id":"r2"}\n']),
  table("json", ['[{"id":"r1","site":"n","limit":-18},{"id":"r2"}]', '{"r1":{"site":"n"},"r2":{"limit":1}}']),
];
