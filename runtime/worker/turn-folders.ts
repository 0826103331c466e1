// What is kept of a pipeline that goes from host to host: of which turn it is, whether it was left to the next one, and what
// came from the one before. Folders and their marks only; whose turn it is, and what goes where, others decide.

import { chownSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ConnectorLog } from "../connect/connector-log.ts";
import { WeirError } from "../errors.ts";
import { makeFolder } from "../folder.ts";
import { isInstanceName } from "../instance.ts";
import { limits } from "../limits.ts";
import { reserveName, startReserveName } from "../state/log/file-names.ts";
import { FileDisk } from "../state/log/file-disk.ts";
import { parcelBytes, parcelOf, unpackParcel } from "../state/parcel.ts";
import { uplinksFile } from "../state/outbox/uplink-shares.ts";
import { writeWhole } from "../whole-file.ts";
import { makeStateFolder, stateFolders } from "./state-folders.ts";

const termFile = "term";
/** The turn that was ended here for good, so that the next host goes on with what stands in the folder. */
const leftFile = "left";
/** Where folders of earlier terms lie: nobody goes on from them, and `weir outbox` can look into them. */
const asideFolder = "handed-over";
/** Where what comes from another host lies until it is whole; no pipeline is called so. */
const arrivingFolder = ".arriving";

/**
 * Sees that what is kept of a pipeline is of this host's present turn of it. What is of an earlier one is put aside, with the
 * rows that were not sent: others have sent since. Where nobody else had a turn since (`resumes`), it goes on.
 */
export function enterTerm(
  state: string,
  pipeline: string,
  { term, resumes }: { readonly term: number; readonly resumes: boolean },
  log: ConnectorLog,
): void {
  const home = homeOf(state, pipeline);
  if (home === undefined) {
    makeStateFolder(state, { name: pipeline, pipelines: [pipeline] });
    writeTerm(join(state, pipeline), term);
    return;
  }
  const folder = join(state, home);
  const known = termIn(folder);
  const left = leftIn(folder);
  if (left !== null && left.term >= term)
    throw late(`${folder} was left to the next host with term ${left.term}`);
  if (known === term) return;
  // What ran here before anybody handed it on goes on, and so does what nobody has had meanwhile.
  if ((known === null && term === 1) || (known !== null && known < term && resumes)) {
    writeTerm(folder, term);
    return;
  }
  if (known !== null && known > term) throw late(`${folder} is of term ${known}, and this is term ${term}`);
  putAside(state, home, pipeline, log);
  enterTerm(state, pipeline, { term, resumes: false }, log);
}

function late(message: string): WeirError {
  const remedy = "an assignment came late, and the next one follows; nothing is to be done";
  return new WeirError("WEIR_FENCED", message, { remedy });
}

/** The folder that a pipeline is kept in, and it alone; undefined for none. */
function homeOf(state: string, pipeline: string): string | undefined {
  const home = stateFolders(state).find((each) => each.pipelines.includes(pipeline));
  if (home === undefined || home.pipelines.length === 1) return home?.name;
  throw new WeirError("WEIR_STATE", `${join(state, home.name)} keeps ${pipeline} together with others`, {
    remedy: "what goes from host to host is kept alone: end those that run, and remove or rename the folder",
  });
}

/** What is kept of an earlier turn makes room for the next; it is not needed any more where the next host has all of it. */
function putAside(state: string, folder: string, pipeline: string, log: ConnectorLog): void {
  const from = join(state, folder);
  const known = termIn(from) ?? 0;
  const left = leftIn(from);
  if (left?.term === known && left.carried) return rmSync(from, { recursive: true });
  const aside = join(state, asideFolder);
  makeFolder(aside, 0o700);
  const to = join(aside, `${pipeline}.${known}`);
  rmSync(to, { recursive: true, force: true });
  renameSync(from, to);
  log.warn(
    `${pipeline}: another host ran it meanwhile; what was not sent from here is in ${to}: weir outbox export`,
  );
}

/** By pipeline, or partition of one, the newest turn that this host had, as far as anything of it is kept and can be read. */
export function termsIn(state: string): Readonly<Record<string, number>> {
  // What goes from host to host is kept alone, in a folder of its name.
  const terms: Record<string, number> = {};
  for (const name of namesIn(state).filter(isInstanceName)) {
    const term = existsSync(join(state, name, termFile)) ? termIn(join(state, name)) : null;
    if (term !== null && term > 0) terms[name] = term;
  }
  return terms;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function termIn(folder: string): number | null {
  try {
    const term = Number(readFileSync(join(folder, termFile), "utf8"));
    return Number.isSafeInteger(term) ? term : null;
  } catch {
    return null;
  }
}

function writeTerm(folder: string, term: number): void {
  writeWhole(join(folder, termFile), `${term}\n`, { flush: true });
}

interface Left {
  readonly term: number;
  /** All that stands in the folder is with the next host, or on its way there. */
  readonly carried: boolean;
}

function leftIn(folder: string): Left | null {
  try {
    const { term, carried } = JSON.parse(readFileSync(join(folder, leftFile), "utf8")) as Partial<Left>;
    return Number.isSafeInteger(term) ? { term: term!, carried: carried === true } : null;
  } catch {
    return null;
  }
}

function writeLeft(folder: string, left: Left): void {
  writeWhole(join(folder, leftFile), `${JSON.stringify(left)}\n`, { flush: true });
}

const ofThisHost = [termFile, leftFile, reserveName, startReserveName, uplinksFile];

/** A folder that nothing runs from any more. */
export interface LeftFolder {
  readonly folder: string;
  /** Of its files; null where there is something in it that cannot go. */
  bytes(): Promise<number | null>;
  /** All of it for the next host, without what says something of this one only. */
  pieces(): AsyncIterable<Uint8Array>;
  /** All of it is where the next host finds it. */
  carried(): void;
  release(): Promise<void>;
}

/** The folders of a host's state, as its supervisor needs them where pipelines take along what they keep. */
export class TurnFolders {
  readonly #state: string;
  readonly #log: ConnectorLog;

  constructor(state: string, log: ConnectorLog) {
    this.#state = state;
    this.#log = log;
  }

  /** The turn that what is kept of a pipeline is of; null where nothing is. */
  termOf(name: string): number | null {
    const folder = join(this.#state, name);
    return existsSync(folder) ? termIn(folder) : null;
  }

  async isFree(name: string): Promise<boolean> {
    const folder = join(this.#state, name);
    if (!existsSync(folder)) return true;
    const lock = await (await FileDisk.open(folder)).lock();
    await lock?.release();
    this.#own(folder);
    return lock !== null;
  }

  /** Ends this turn for good: no worker goes on with it from here on. Null as long as one has the folder. */
  async leave(name: string, term: number): Promise<LeftFolder | null> {
    const folder = join(this.#state, name);
    const lock = await (await FileDisk.open(folder)).lock();
    if (lock === null) return null;
    const mark = (carried: boolean): void => {
      writeLeft(folder, { term, carried });
      this.#own(folder);
    };
    if (leftIn(folder)?.term !== term) mark(false);
    return {
      folder,
      bytes: () => parcelBytes(folder, ofThisHost),
      pieces: () => parcelOf(folder, ofThisHost),
      carried: () => mark(true),
      release: () => lock.release(),
    };
  }

  /** Whether what the turn before left is here, whole, and not yet in its place. */
  hasArrived(name: string, term: number): boolean {
    return termIn(this.#arriving(name)) === term;
  }

  /** Takes the pieces of what the turn before left. */
  async receive(name: string, term: number, pieces: AsyncIterable<Uint8Array>): Promise<void> {
    const part = `${this.#arriving(name)}.part`;
    makeFolder(join(this.#state, arrivingFolder), 0o700);
    this.forgetArrived(name);
    await unpackParcel(pieces, part, limits.handover_bytes_max);
    writeTerm(part, term);
    renameSync(part, this.#arriving(name));
  }

  forgetArrived(name: string): void {
    for (const each of [this.#arriving(name), `${this.#arriving(name)}.part`])
      rmSync(each, { recursive: true, force: true });
  }

  /** Sees that what is kept is of this turn: what has arrived, what is here already (`resumes`), or nothing at all. */
  begin(name: string, term: number, resumes: boolean): void {
    if (this.hasArrived(name, term)) {
      const home = homeOf(this.#state, name);
      if (home !== undefined) putAside(this.#state, home, name, this.#log);
      renameSync(this.#arriving(name), join(this.#state, name));
    } else enterTerm(this.#state, name, { term, resumes }, this.#log);
    this.#own(join(this.#state, name));
    this.#own(join(this.#state, asideFolder));
  }

  #arriving(name: string): string {
    return join(this.#state, arrivingFolder, name);
  }

  /** Workers may be another user than their supervisor: what it writes is theirs, as the folder above is. */
  #own(folder: string): void {
    if (process.getuid?.() !== 0 || !existsSync(folder)) return;
    const { uid, gid } = statSync(this.#state);
    for (const name of readdirSync(folder)) chownSync(join(folder, name), uid, gid);
    chownSync(folder, uid, gid);
  }
}
