// Turns that take along what is kept, over random lives of a fleet: hosts are cut off, supervisors and workers end, requests fail
// before or after they were carried out. Whoever goes on with something has all of it, and nobody works on it any more.

import { describe, expect, it } from "vitest";
import { VirtualClock } from "../clock.ts";
import { entryChanges, nextOwner, type Owner, type TurnEntry } from "./fleet.ts";
import type { LeftMark, MarkEntry } from "./handover-bucket.ts";
import type { HandoverFolder, HandoverFolders, HandoverMarks } from "./handover.ts";
import { Handovers } from "./handovers.ts";
import { wantedPipeline } from "./wanted.ts";

const name = "p";
const revision = "r";
const wantedTurns = new Map([[name, { revision, carries: true }]]);
const text = "name: p\nplacement: { carry_state: true }\n";

/** Numbers from 0 (inclusive) to 1 (exclusive), the same for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed * 2_654_435_761 + 1;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 3_266_489_917) >>> 0;
    return (state ^ (state >>> 13)) / 4_294_967_296 - Math.floor((state ^ (state >>> 13)) / 4_294_967_296);
  };
}

/** What was done of a pipeline: numbers of what was read, each once. */
type Work = readonly number[];

interface Folder {
  term: number;
  work: Work;
  left: number;
}

/** The disk of a host, and whether a worker has the folder. */
class Disk {
  folder: Folder | null = null;
  arrived: { readonly term: number; readonly work: Work } | null = null;
  /** The turn that a worker of this host runs; null for none. */
  running: number | null = null;

  /** As the worker's own rule has it; false where it may not. */
  enter(term: number, resumes: boolean): boolean {
    const { folder } = this;
    if (folder !== null && (folder.left >= term || folder.term > term)) return false;
    if (folder === null || (folder.term < term && !resumes)) this.folder = { term, work: [], left: 0 };
    else folder.term = term;
    return true;
  }
}

/** What a supervisor sees of a disk until it ends. */
function foldersOf(disk: Disk, isAlive: () => boolean): HandoverFolders {
  const alive = (): Disk => {
    if (!isAlive()) throw new Error("it has ended");
    return disk;
  };
  const left = (folder: Folder): HandoverFolder => ({
    folder: "p",
    bytes: () => Promise.resolve(folder.work.length),
    async *pieces() {
      yield await Promise.resolve(Buffer.from(JSON.stringify(folder.work)));
    },
    carried: () => void alive(),
    release: () => Promise.resolve(),
  });
  return {
    termOf: () => alive().folder?.term ?? null,
    leave: (_name, term) => {
      const { folder, running } = alive();
      if (running !== null) return Promise.resolve(null);
      folder!.left = term;
      return Promise.resolve(left(folder!));
    },
    hasArrived: (_name, term) => alive().arrived?.term === term,
    receive: async (_name, term, pieces) => {
      alive().arrived = null;
      const read: Uint8Array[] = [];
      for await (const piece of pieces) read.push(piece);
      alive().arrived = { term, work: JSON.parse(Buffer.concat(read).toString()) as Work };
    },
    forgetArrived: () => void (alive().arrived = null),
    isFree: () => Promise.resolve(alive().running === null),
    begin: (_name, term, resumes) => {
      const { arrived } = alive();
      if (arrived?.term !== term) return void disk.enter(term, resumes);
      disk.folder = { ...arrived, left: 0 };
      disk.arrived = null;
    },
  };
}

/** The hub: entries in order, compare-and-set. */
class Hub {
  mark: { readonly value: NonNullable<MarkEntry["mark"]>; readonly sequence: number } | null = null;
  readonly pieces = new Map<string, Uint8Array>();
  /** Requests on their way. */
  readonly #asked: (() => void)[] = [];

  /** Carries out one of the requests that are on their way; false where there is none. */
  answer(random: () => number): boolean {
    const [one] = this.#asked.splice(Math.floor(random() * this.#asked.length), 1);
    one?.();
    return one !== undefined;
  }

  /** `fails`: whether a request fails, before or after it was carried out. */
  seenBy(fails: () => "before" | "after" | null): HandoverMarks {
    const ask = <T>(task: () => T): Promise<T> =>
      new Promise((resolve, reject) => {
        this.#asked.push(() => {
          const fault = fails();
          const answer = fault === "before" ? null : task();
          if (fault === null) resolve(answer as T);
          else reject(new Error("no answer"));
        });
      });
    return {
      mark: () => ask(() => ({ mark: this.mark?.value ?? null, sequence: this.mark?.sequence ?? null })),
      setMark: (_name, value, sequence) =>
        ask(() => {
          if ((this.mark?.sequence ?? null) !== sequence) return false;
          this.mark = { value, sequence: (sequence ?? 0) + 1 };
          return true;
        }),
      putPiece: (_name, term, piece, bytes) => ask(() => void this.pieces.set(`${term} ${piece}`, bytes)),
      pieces: (_name, left: LeftMark) => this.#read(left, ask),
      forget: (_name, { term }) =>
        ask(() => {
          for (const key of this.pieces.keys()) if (key.startsWith(`${term} `)) this.pieces.delete(key);
        }),
    };
  }

  async *#read(
    { term, pieces }: LeftMark,
    ask: <T>(task: () => T) => Promise<T>,
  ): AsyncGenerator<Uint8Array> {
    for (let piece = 0; piece < pieces; piece++) yield await ask(() => this.pieces.get(`${term} ${piece}`)!);
  }
}

interface Entry {
  readonly term: number;
  readonly leaves: boolean;
  readonly resumes: boolean;
  readonly carries: number | undefined;
}

class Host {
  readonly disk = new Disk();
  /** What it was told last of what is wanted of it. */
  told: Entry | null = null;
  isCut = false;
  handovers!: Handovers;
  #life = 0;
  readonly #start: (isAlive: () => boolean) => Handovers;

  constructor(start: (host: Host, isAlive: () => boolean) => Handovers) {
    this.#start = (isAlive) => start(this, isAlive);
    this.superviseAnew();
  }

  superviseAnew(): void {
    const life = ++this.#life;
    this.handovers = this.#start(() => life === this.#life);
  }
}

class Fleet {
  readonly hosts = new Map<string, Host>();
  readonly #hub = new Hub();
  readonly #entries = new Map<string, Entry>();
  readonly #clock = new VirtualClock(0);
  readonly #random: () => number;
  #owner: Owner = nextOwner(undefined, { host: "a", reason: "", carries: true });
  #next = 0;
  /** By turn, what it had made when it made something last, and where. */
  readonly #turns = new Map<number, { host: string; work: Work }>();
  /** Turns whose work is gone on with by a later one: nothing may come of them any more. */
  readonly #ended = new Set<number>();
  isQuiet = false;

  constructor(random: () => number) {
    this.#random = random;
    for (const id of ["a", "b", "c"])
      this.hosts.set(id, new Host((host, isAlive) => this.#handoversOf(id, host, isAlive)));
  }

  #handoversOf(id: string, host: Host, isAlive: () => boolean): Handovers {
    const fails = (): "before" | "after" | null => {
      // What was asked before a cut, or an end, may be carried out all the same.
      if (host.isCut || !isAlive()) return this.#random() < 0.5 ? "before" : "after";
      if (this.isQuiet || this.#random() < 0.8) return null;
      return this.#random() < 0.5 ? "before" : "after";
    };
    const bucket = this.#hub.seenBy(fails);
    return new Handovers({
      host: id,
      folders: foldersOf(host.disk, isAlive),
      bucket: () => Promise.resolve(bucket),
      clock: this.#clock,
      random: this.#random,
    });
  }

  move(to: string): void {
    if (this.#owner.host === to) return;
    this.#owner = nextOwner(this.#owner, { host: to, reason: "", carries: true });
  }

  /** It runs where it is to. */
  isThere(): boolean {
    return this.hosts.get(this.#owner.host!)!.disk.running === this.#owner.term;
  }

  control(): void {
    const entries = [...this.#entries].map(([host, { term, leaves }]): TurnEntry => {
      return { host, name, term, revision, leaves };
    });
    const runs = new Map(
      [...this.hosts]
        .filter(([, { isCut }]) => !isCut)
        .map(([id, host]) => [id, new Set(this.#runs(host) ? [name] : [])]),
    );
    for (const change of entryChanges(wantedTurns, new Map([[name, this.#owner]]), entries, runs)) {
      const { kind, host, term, resumes = false, carries } = change;
      if (kind === "remove") this.#entries.delete(host);
      else if (kind === "leave") this.#entries.set(host, { ...this.#entries.get(host)!, leaves: true });
      else this.#entries.set(host, { term, leaves: false, resumes, carries });
    }
  }

  #runs({ told, disk, handovers }: Host): boolean {
    return (told !== null || disk.running !== null) && !handovers.hasLeft(name);
  }

  async look(id: string): Promise<void> {
    const host = this.hosts.get(id)!;
    const { disk } = host;
    // What is wanted comes when it comes.
    if (!host.isCut && (this.isQuiet || this.#random() < 0.5)) host.told = this.#entries.get(id) ?? null;
    const { told } = host;
    const wanted = told === null ? [] : [wantedPipeline("/p.yaml", text, told)];
    const held = host.handovers.look(wanted);
    await this.#settle();
    const mayRun = told !== null && !told.leaves && !held.has(name);
    const isSlow = !this.isQuiet && this.#random() < 0.5;
    if (disk.running !== null && (!mayRun || told.term !== disk.running))
      disk.running = isSlow ? disk.running : null;
    else if (mayRun && disk.running === null && disk.enter(told.term, told.resumes)) disk.running = told.term;
    this.#clock.advanceTo(this.#clock.now() + 1_000);
  }

  async #settle(): Promise<void> {
    for (let turn = 0; turn < 100; turn++) await Promise.resolve();
  }

  async answer(): Promise<boolean> {
    const isAnswered = this.#hub.answer(this.#random);
    await this.#settle();
    return isAnswered;
  }

  /** A worker does something of what it runs. */
  work(id: string): void {
    const { disk } = this.hosts.get(id)!;
    const { running: term, folder } = disk;
    if (term === null || folder === null) return;
    expect([...this.#ended]).not.toContain(term);
    const known = this.#turns.get(term);
    if (known === undefined && folder.work.length > 0) {
      const before = Math.max(0, ...[...this.#turns.keys()].filter((each) => each < term));
      expect([id, term, folder.work]).toEqual([id, term, this.#turns.get(before)?.work]);
      this.#ended.add(before);
    }
    expect(known?.host ?? id).toBe(id);
    folder.work = [...folder.work, this.#next++];
    this.#turns.set(term, { host: id, work: folder.work });
  }

  /** All that was ever done, and what of it whoever has the turn now goes on with. */
  async settled(): Promise<{ done: number; kept: number }> {
    this.isQuiet = true;
    for (const host of this.hosts.values()) host.isCut = false;
    const owner = this.hosts.get(this.#owner.host!)!;
    for (let look = 0; !this.isThere(); look++) {
      if (look > 200)
        throw new Error(
          `nobody runs it: ${JSON.stringify([...this.hosts.values()].map((h) => [h.disk, h.told]))}`,
        );
      while (await this.answer());
      this.control();
      for (const id of this.hosts.keys()) await this.look(id);
    }
    this.work(this.#owner.host!);
    return { done: this.#next, kept: owner.disk.folder!.work.length };
  }
}

/** What happens beside moves. */
interface Weather {
  /** Hosts are cut off, and workers end. */
  readonly cuts: boolean;
  /** Supervisors end and are started anew. */
  readonly ends: boolean;
  /** Somebody moves it before it runs where it was moved to. */
  readonly hasty: boolean;
}

async function live(seed: number, { cuts, ends, hasty }: Weather): Promise<{ done: number; kept: number }> {
  const random = randomFrom(seed);
  const fleet = new Fleet(random);
  const ids = [...fleet.hosts.keys()];
  const pick = (): string => ids[Math.floor(random() * ids.length)]!;
  for (let step = 0; step < 300; step++) {
    const what = random();
    const host = fleet.hosts.get(pick())!;
    if (what < 0.05) {
      if (hasty || fleet.isThere()) fleet.move(pick());
    } else if (what < 0.2) fleet.control();
    else if (what < 0.45) await fleet.look(pick());
    else if (what < 0.75) await fleet.answer();
    else if (what < 0.9) fleet.work(pick());
    else if (what < 0.93) {
      if (ends) host.superviseAnew();
    } else if (!cuts) continue;
    else if (what < 0.98) host.isCut = !host.isCut;
    else host.disk.running = null;
  }
  return fleet.settled();
}

async function lives(weather: Weather): Promise<void> {
  for (let seed = 1; seed <= 300; seed++)
    try {
      const { done, kept } = await live(seed, weather);
      if (!weather.cuts) expect(kept).toBe(done);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
}

describe("what is kept goes along", () => {
  it("whole and to one host only, whoever is cut off or ends", () =>
    lives({ cuts: true, ends: true, hasty: true }));

  it("and nothing of it is lost where hosts can be heard, however often it is moved", () =>
    lives({ cuts: false, ends: false, hasty: true }));

  it("nor where supervisors end meanwhile", () => lives({ cuts: false, ends: true, hasty: false }));
});
