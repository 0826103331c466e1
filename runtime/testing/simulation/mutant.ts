// What a mutant is, and the parts that mutants are made of: each port of a life as it is, to be changed in one place. Knows no
// mistake.

import type { Publication } from "../../connect/chain/stream-port.ts";
import type { Disk, DiskFile } from "../../state/log/disk.ts";
import type { Blow, FaultPlan } from "./nemesis.ts";
import type { Seams } from "./seams.ts";
import type { Shape } from "./shape.ts";

export interface Mutant {
  readonly name: string;
  readonly mistake: string;
  readonly seams: Seams;
  /** Faults that show it sooner than those by chance do. */
  readonly adjust?: (plan: FaultPlan, length_ms: number) => FaultPlan;
  /** The shapes that have to show it; else the plain ones of an exclusive stream. */
  readonly shape?: Partial<Shape>;
}

/** Cloud servers lose their power now and then, the last time when nearly all is said. */
export function powerCuts(plan: FaultPlan, length_ms: number): FaultPlan {
  const blows = [0.4, 0.7, 0.98].map(
    (share): Blow => ({ at_ms: share * length_ms, kind: "power of cloud", for_ms: 1_000 }),
  );
  return { ...plan, crash: 0, crashInRecovery: 0, sinkKeeps: 0, blows };
}

/** The disk with another way to make what is written durable. */
export function withFiles(disk: Disk, change: (file: DiskFile) => DiskFile): Disk {
  return {
    place: disk.place,
    list: () => disk.list(),
    create: async (name) => change(await disk.create(name)),
    open: async (name) => change(await disk.open(name)),
    rename: (from, to) => disk.rename(from, to),
    remove: (name) => disk.remove(name),
    syncNames: () => disk.syncNames(),
    free: () => disk.free(),
    lock: () => disk.lock(),
  };
}

export function withoutHeaders(publication: Publication, ...names: readonly string[]): Publication {
  const headers = Object.entries(publication.headers).filter(([name]) => !names.includes(name));
  return { ...publication, headers: Object.fromEntries(headers) };
}

/** The cloud is out of reach for a while, and nothing else happens. */
export function outages(plan: FaultPlan, length_ms: number): FaultPlan {
  const blows = [0.1, 0.6].map(
    (share): Blow => ({ at_ms: share * length_ms, kind: "cut cloud", for_ms: 0.3 * length_ms }),
  );
  return { ...plan, crash: 0, crashInRecovery: 0, diskError: 0, sinkKeeps: 0, blows };
}

type RowStoreOf = ReturnType<NonNullable<Seams["rowStore"]>>;
type PortOf = ReturnType<NonNullable<Seams["port"]>>;
type SourceOf = ReturnType<NonNullable<Seams["source"]>>;
type ChainOutboxOf = ReturnType<NonNullable<Seams["chainOutbox"]>>;

export function rowStoreOf(outbox: RowStoreOf): Omit<RowStoreOf, "uncutBytes"> {
  return {
    cut: (isLast) => outbox.cut(isLast),
    release: (cut) => outbox.release(cut),
    manifest: () => outbox.manifest(),
    snapshotted: () => outbox.snapshotted(),
    makeRoom: (early) => outbox.makeRoom(early),
    close: () => outbox.close(),
  };
}

export function portOf(port: PortOf): PortOf {
  return {
    name: port.name,
    publish: (publication, answered) => port.publish(publication, answered),
    facts: () => port.facts(),
    read: (sequence) => port.read(sequence),
    readLast: (subject) => port.readLast(subject),
    watch: (cut) => port.watch?.(cut),
    close: () => port.close(),
  };
}

export function sourceOf(source: SourceOf): SourceOf {
  return {
    open: (resume) => source.open(resume),
    read: (limits) => source.read(limits),
    commit: (position) => source.commit(position),
    stats: () => source.stats(),
    close: () => source.close(),
  };
}

export function chainOutboxOf(outbox: ChainOutboxOf): ChainOutboxOf {
  return {
    take: (chain, rows, bytes) => outbox.take(chain, rows, bytes),
    rewind: (chain, number) => outbox.rewind(chain, number),
    confirm: (chain, number) => outbox.confirm(chain, number),
    unconfirmed: (chain) => outbox.unconfirmed(chain),
    chain: (name) => outbox.chain(name),
    waiting: (chain, task) => outbox.waiting(chain, task),
  };
}
