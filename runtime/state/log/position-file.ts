// How far commits were acknowledged, in a file of its own: what tells a commit that was cut off or damaged at the very end of the
// log from one that was never finished. It is written after each commit and made durable whenever the system pleases, so that it
// costs no second synchronisation; it is a lower bound, and never more than what was durable.
//
// Two places take turns, so that a torn write leaves the other. Without the file nothing is lost but that evidence.

import { bufferOf, pageBytes, pagedLength, readHead, readPagedBody, writePaged } from "./block.ts";
import type { Disk, DiskFile } from "./disk.ts";
import { positionName, unfinished } from "./file-names.ts";
import { refuseNewer } from "./segment.ts";
import { createWhole } from "./whole-file.ts";

export interface Position {
  readonly origin: string;
  /** The segment that was being written. */
  readonly sequence: number;
  readonly epoch: number;
  /** The last commit that was durable. */
  readonly number: number;
}

const places = 2;
const nothing = new Uint8Array(0);

/** The furthest position of the two places; null where neither holds one. */
export function readPositions(bytes: Uint8Array): Position | null {
  const buffer = bufferOf(bytes);
  let furthest: Position | null = null;
  for (let place = 0; place < places; place++) {
    const head = readHead(buffer, place * pageBytes);
    if (head === null || readPagedBody(buffer, place * pageBytes, head) === null) continue;
    refuseNewer(head);
    if (head.kind !== "position") continue;
    if (furthest === null || isBehind(furthest, head)) furthest = head;
  }
  return furthest;
}

/** A log that was accepted with a loss goes on in a new segment, with smaller numbers. */
function isBehind(one: Position, other: Position): boolean {
  return one.sequence < other.sequence || (one.sequence === other.sequence && one.number < other.number);
}

function blockOf({ origin, sequence, epoch, number }: Position): Buffer {
  const block = Buffer.allocUnsafe(pagedLength(0));
  writePaged(block, { kind: "position", origin, sequence, epoch, number }, nothing);
  return block;
}

export class PositionFile {
  readonly #file: DiskFile;
  #turn = 0;

  private constructor(file: DiskFile) {
    this.#file = file;
  }

  /** Makes the file anew, holding `position`; durable when it resolves. */
  static async create(disk: Disk, position: Position): Promise<PositionFile> {
    const name = unfinished(positionName);
    const block = blockOf(position);
    const file = await createWhole(disk, name, [Buffer.concat([block, block])], places * pageBytes);
    try {
      await disk.rename(name, positionName);
      await disk.syncNames();
    } catch (error) {
      await file.close();
      throw error;
    }
    return new PositionFile(file);
  }

  async write(position: Position): Promise<void> {
    const place = this.#turn;
    this.#turn = (place + 1) % places;
    await this.#file.write(place * pageBytes, blockOf(position));
  }

  sync(): Promise<void> {
    return this.#file.sync();
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
