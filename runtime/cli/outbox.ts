// weir outbox: what waits to be sent, for people and scripts. Looks at state folders that no worker has, or asks the workers
// that run; never changes anything.

import { type FileHandle, open, rm } from "node:fs/promises";
import { finished } from "node:stream/promises";
import { type Clock, wallClock } from "../clock.ts";
import { messageOf, WeirError } from "../errors.ts";
import type { Entry } from "../state/outbox/entry.ts";
import { isLackOfRoom } from "../state/log/disk-fault.ts";
import type { OutboxFault } from "../state/outbox/reading.ts";
import type { OutboxStats } from "../state/outbox/outbox-stats.ts";
import { askWorkers } from "../worker/control-client.ts";
import { type KeptOutbox, outboxFolders, withKeptOutbox } from "../worker/kept-outbox.ts";
import { runFolder } from "../worker/settings.ts";
import { chainTable, entryLine, entryRecord, uplinkLines } from "./outbox-text.ts";
import { print, styled } from "./terminal.ts";

interface Folder {
  readonly folder: string;
  readonly stats: OutboxStats;
}

export interface EntryOptions {
  readonly chain?: string;
  readonly limit?: number;
  /** Confirmed ones that are still kept as well. */
  readonly all?: boolean;
  readonly json?: boolean;
}

/** What each chain holds: of the folders in `state`, or of the workers of this user that run. */
export async function ls(
  state: string | undefined,
  options: { readonly json?: boolean },
  clock: Clock = wallClock,
): Promise<number> {
  const looks = new Looks(clock);
  const folders = state === undefined ? await askedFolders() : await statsIn(state, looks);
  if (options.json === true) print(JSON.stringify(folders));
  else if (folders.length === 0) print("what runs here keeps nothing: it has no state folder");
  else
    for (const { folder, stats } of folders) {
      print(styled("bold", folder));
      for (const line of [...chainTable(stats), ...uplinkLines(stats)]) print(`  ${line}`);
    }
  return looks.code;
}

function statsIn(state: string, looks: Looks): Promise<readonly Folder[]> {
  return looks.at(state, ({ folder, outbox }) => Promise.resolve({ folder, stats: outbox.stats() }));
}

async function askedFolders(): Promise<readonly Folder[]> {
  const folder = runFolder(process.env);
  const answers = await askWorkers(folder, "/outbox");
  if (answers.length === 0)
    throw new WeirError("WEIR_NO_WORKER", `no worker of this user answers in ${folder}`, {
      remedy: "name the state folder of one that has ended: weir outbox ls FOLDER",
    });
  return answers.flatMap(({ answer }) => (answer === null ? [] : (answer as readonly Folder[])));
}

/** The next entries that wait, oldest first. */
export async function peek(state: string, options: EntryOptions, clock: Clock = wallClock): Promise<number> {
  const { limit = 10, json = false } = options;
  const looks = new Looks(clock);
  await eachChain(state, looks, options, async (folder, chain, entries) => {
    if (!json) print(styled("bold", `${folder} ${chain}`));
    let count = 0;
    for await (const entry of entries) {
      if (count++ === limit) break;
      print(
        json
          ? JSON.stringify({ folder, chain, ...entryRecord(entry) })
          : `  ${entryLine(entry, clock.now())}`,
      );
    }
  });
  return looks.code;
}

/** All entries that wait, a line of JSON each. */
export async function exported(
  state: string,
  options: EntryOptions & { readonly out?: string },
  clock: Clock = wallClock,
): Promise<number> {
  const { out = "-", limit = Number.POSITIVE_INFINITY } = options;
  const file = out === "-" ? null : await newFile(out);
  const stream = file === null ? process.stdout : file.createWriteStream();
  const write = (line: string): Promise<void> =>
    new Promise((resolve, reject) => {
      stream.write(line, (fault) =>
        fault === null || fault === undefined
          ? resolve()
          : reject(file === null ? fault : unwritten(out, fault)),
      );
    });
  // Whoever writes is told.
  if (file !== null) stream.on("error", () => undefined);
  const looks = new Looks(clock);
  let rows = 0;
  try {
    await eachChain(state, looks, options, async (folder, chain, entries) => {
      let count = 0;
      for await (const entry of entries) {
        if (count++ === limit) break;
        await write(`${JSON.stringify({ folder, chain, ...entryRecord(entry) })}\n`);
        rows += entry.row.rows;
      }
    });
  } catch (error) {
    // A file without rows would only be in the way of the next try.
    if (file !== null) stream.destroy();
    if (file !== null && rows === 0) await rm(out);
    throw error;
  }
  if (out === "-") return looks.code;
  stream.end();
  await finished(stream).catch((fault: unknown) => Promise.reject(unwritten(out, fault)));
  print(`wrote ${out}: ${rows} rows`);
  return looks.code;
}

/** A file of which there is a part, as far as anything was written. */
function unwritten(path: string, fault: unknown): WeirError {
  return new WeirError(
    isLackOfRoom(fault) ? "WEIR_DISK_FULL" : "WEIR_FILE",
    `${path} cannot be written: ${messageOf(fault)}`,
    {
      remedy: "name a file on a disk with room; what is there of this one is a part, to be removed",
      cause: fault,
    },
  );
}

async function newFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, "wx", 0o600);
  } catch (error) {
    const isThere = error instanceof Error && "code" in error && error.code === "EEXIST";
    const fault = isThere ? `${path} is there already` : `${path} cannot be made: ${messageOf(error)}`;
    const remedy = isThere
      ? "name a new file: nothing is written over"
      : "name a file in a folder that is there and that this user may write to";
    throw new WeirError("WEIR_FILE", fault, { remedy, cause: error });
  }
}

/** Reads all that is kept, and says what cannot be. */
export async function fsck(
  state: string,
  options: { readonly json?: boolean },
  clock: Clock = wallClock,
): Promise<number> {
  const looks = new Looks(clock, () => undefined);
  const reports = await looks.at(state, async ({ folder, outbox, damage, tornBytes, badCopies }) => ({
    folder,
    damage,
    tornBytes,
    badCopies: damage === null ? await badCopies() : [],
    faults: await outbox.faults(),
    entries: outbox.stats().chains.reduce((sum, { entries }) => sum + entries, 0),
  }));
  const isWholeAt = ({ damage, faults, badCopies }: (typeof reports)[number]): boolean =>
    damage === null && faults.length === 0 && badCopies.length === 0;
  const isWhole = reports.every(isWholeAt);
  if (options.json === true) print(JSON.stringify({ whole: isWhole, folders: reports }));
  else
    for (const report of reports) {
      const { folder, damage, tornBytes, faults, entries, badCopies } = report;
      print(`${styled("bold", folder)}  ${entries} entries wait`);
      if (damage !== null) print(`  the commit log is damaged: ${damage}`);
      if (tornBytes > 0) print(`  the last commit was never finished; ${tornBytes} bytes of it do not count`);
      for (const { chain, first, last, reason } of faults) print(`  ${chain} ${first} to ${last}: ${reason}`);
      if (badCopies.length > 0)
        print(`  ${badCopies.join(" and ")} cannot be used; another copy is whole, so nothing is lost yet`);
      if (isWholeAt(report)) print("  whole");
    }
  return isWhole ? 0 : new WeirError("WEIR_STATE", "damaged").exitCode;
}

/** Looks into the folders of a state folder; where not all that was kept can be read, that is told, and the code says it. */
class Looks {
  readonly #clock: Clock;
  readonly #tell: (line: string) => void;
  code = 0;

  constructor(clock: Clock, tell: (line: string) => void = (line) => process.stderr.write(`${line}\n`)) {
    this.#clock = clock;
    this.#tell = tell;
  }

  async at<Answer>(state: string, look: (kept: KeptOutbox) => Promise<Answer>): Promise<readonly Answer[]> {
    const answers: Answer[] = [];
    for (const folder of outboxFolders(state))
      answers.push(
        await withKeptOutbox(folder, this.#clock, (kept) => {
          if (kept.damage !== null) this.#damaged(folder, kept.damage);
          return look(kept);
        }),
      );
    return answers;
  }

  lost({ chain, first, last, reason }: OutboxFault): void {
    this.code = new WeirError("WEIR_STATE", reason).exitCode;
    this.#tell(`${chain} ${first} to ${last} are left out: ${reason}`);
  }

  #damaged(folder: string, damage: string): void {
    this.code = new WeirError("WEIR_STATE", damage).exitCode;
    this.#tell(
      `${folder}: the commit log is damaged, so that rows may be missing here: ${damage} (weir outbox fsck reads all that is kept)`,
    );
  }
}

/** Hands each chain that is asked for with its entries to `handle`. */
async function eachChain(
  state: string,
  looks: Looks,
  { chain, all = false }: EntryOptions,
  handle: (folder: string, chain: string, entries: AsyncIterable<Entry>) => Promise<void>,
): Promise<void> {
  const known: string[] = [];
  await looks.at(state, async ({ folder, outbox }) => {
    for (const each of outbox.stats().chains) {
      known.push(each.chain);
      if (chain !== undefined && each.chain !== chain) continue;
      const { oldest } = outbox.chain(each.chain);
      const entries = outbox.read(each.chain, all ? oldest : each.confirmed + 1, (fault) =>
        looks.lost(fault),
      );
      await handle(folder, each.chain, entries);
    }
  });
  if (chain !== undefined && !known.includes(chain))
    throw new WeirError("WEIR_USAGE", `there is no chain ${chain}`, {
      remedy: known.length === 0 ? "the outbox is empty" : `there are: ${known.join(", ")}`,
    });
}
