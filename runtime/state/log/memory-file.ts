// A file of the disk in memory: what a process sees of it, and what would be left of it when the power went. Sectors that were
// written and not synchronised may be there or not after that, each in any of the states that it went through.

/** What a disk writes at once. */
const sectorBytes = 512;
/** Writes that a system keeps to itself; an older one is written back. */
const volatileMax = 64;

interface Written {
  readonly position: number;
  readonly bytes: Uint8Array;
  /** Of the file, afterwards. */
  readonly length: number;
}

/** Bytes that grow; zero where nothing was written. Those that it begins with are copied only when they change. */
class Bytes {
  #memory: Uint8Array;
  #isOwn = false;
  length: number;

  constructor(content: Uint8Array) {
    this.#memory = content;
    this.length = content.length;
  }

  apply({ position, bytes, length }: Written): void {
    this.#own(Math.max(length, position + bytes.length));
    this.#memory.set(bytes, position);
    this.length = length;
  }

  /** A copy, or the memory itself where nothing of it will change. */
  part(from: number, end: number): Uint8Array {
    const most = Math.max(from, Math.min(end, this.length));
    return this.#isOwn ? this.#memory.slice(from, most) : this.#memory.subarray(from, most);
  }

  flip(position: number, mask: number): void {
    if (position >= this.length) return;
    this.#own(this.length);
    this.#memory[position] = this.#memory[position]! ^ mask;
  }

  #own(length: number): void {
    if (this.#isOwn && length <= this.#memory.length) return;
    const larger = new Uint8Array(Math.max(length, this.#isOwn ? this.#memory.length * 2 : this.length));
    larger.set(this.#memory.subarray(0, this.length));
    this.#memory = larger;
    this.#isOwn = true;
  }
}

export class MemoryFile {
  readonly #now: Bytes;
  readonly #durable: Bytes;
  #volatile: Written[] = [];

  constructor(content: Uint8Array = new Uint8Array(0)) {
    this.#now = new Bytes(content);
    this.#durable = new Bytes(content);
  }

  get length(): number {
    return this.#now.length;
  }

  read(position: number, length: number): Uint8Array {
    return this.#now.part(position, position + length);
  }

  write(position: number, bytes: Uint8Array): void {
    const length = Math.max(this.#now.length, position + bytes.length);
    // A Buffer's own slice would share its memory with the caller.
    this.#change({ position, bytes: new Uint8Array(bytes), length });
  }

  truncate(length: number): void {
    if (length >= this.#now.length) return;
    this.#change({ position: length, bytes: new Uint8Array(this.#now.length - length), length });
  }

  sync(): void {
    for (const written of this.#volatile) this.#durable.apply(written);
    this.#volatile = [];
  }

  /** What a failed synchronisation does: the pages are seen as before, and nobody will ever write them. */
  dropVolatile(): void {
    this.#volatile = [];
  }

  flip(position: number, mask: number): void {
    this.#now.flip(position, mask);
    this.#durable.flip(position, mask);
  }

  /** What may be left of it without power. */
  afterCrash(random: () => number): MemoryFile {
    const share = shareKept(random);
    const left = new Bytes(this.#durable.part(0, Infinity));
    const lengths = [this.#durable.length, ...this.#volatile.map(({ length }) => length)];
    const states = new Map<number, number>();
    for (const sector of this.#volatile.flatMap(sectorsOf)) states.set(sector, (states.get(sector) ?? 0) + 1);
    const kept = new Map<number, number>();
    for (const [sector, count] of states) kept.set(sector, Math.round(count * share()));
    for (const written of this.#volatile) {
      for (const sector of sectorsOf(written)) {
        const due = kept.get(sector) ?? 0;
        kept.set(sector, due - 1);
        if (due > 0) left.apply(partIn(written, sector, left.length));
      }
    }
    const length = lengths[Math.round((lengths.length - 1) * share())]!;
    left.apply({ position: 0, bytes: new Uint8Array(0), length });
    return new MemoryFile(left.part(0, length));
  }

  #change(written: Written): void {
    this.#now.apply(written);
    this.#volatile.push(written);
    if (this.#volatile.length <= volatileMax) return;
    const oldest = this.#volatile.shift();
    if (oldest !== undefined) this.#durable.apply(oldest);
  }
}

/** Draws how much of something is kept: all, nothing, or something between, each time anew. */
export function shareKept(random: () => number): () => number {
  const kind = random();
  if (kind < 0.2) return () => 0;
  if (kind < 0.4) return () => 1;
  return random;
}

function sectorsOf({ position, bytes }: Written): number[] {
  if (bytes.length === 0) return [];
  const first = Math.floor(position / sectorBytes);
  const last = Math.floor((position + bytes.length - 1) / sectorBytes);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function partIn({ position, bytes }: Written, sector: number, length: number): Written {
  const from = Math.max(position, sector * sectorBytes);
  const part = bytes.subarray(from - position, (sector + 1) * sectorBytes - position);
  return { position: from, bytes: part, length: Math.max(length, from + part.length) };
}
