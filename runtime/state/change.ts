// State as what has changed since it was last looked at: small enough to be written down ten times a second. The changes,
// applied in order to nothing, give the state again. Knows plain data, and nothing of what it means or where changes go.
//
// A change is the number of its format, then one value as in plain-bytes.ts, or one patch of what was there:
//
//   tag   what follows
//   11    of bytes: their length now; runs, each its length, how far behind the last one it begins, and its bytes; 0;
//         then the bytes by which the length has grown
//   12    of a list: its length now; for each item that differs how many places behind the last one, and its value or
//         patch; 0; then the values by which it has grown
//   13    of a map: 1, a name and its value or patch for each member that differs; 2 and its name for each that is gone; 0

import { WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import { readRuns, writeRuns } from "./pages.ts";
import { copied, damaged, isMap, type Plain, put } from "./plain.ts";
import { isTagOfValue, lengthOf, PlainReader, PlainWriter, tagsEnd } from "./plain-bytes.ts";

const format = 1;
const patches = { bytes: tagsEnd, list: tagsEnd + 1, map: tagsEnd + 2 } as const;
const member = { end: 0, differs: 1, gone: 2 } as const;

/** Bytes that are compared as a whole first: they are many, and most of them do not change. */
const soonBytesMax = 4_096;

type Bytes = Uint8Array<ArrayBuffer>;
type List = Plain[];
type Members = Record<string, Plain>;

/** One for all shadows of a thread: a change is written in one go, and there may be thousands of them. */
const writer = new PlainWriter();

/**
 * Tells how a state differs from the one that it was given last, of which it keeps a copy.
 *
 * A list or map that is frozen, and the very one of the last time, is not looked at: whoever froze it says that nothing
 * in it changes, its bytes included.
 */
export class StateShadow {
  #kept: Plain;
  #isEmpty: boolean;
  /** True while a change is being made: where that is cut short, the copy is neither of the old state nor of the new one. */
  #isTorn = false;
  /** What `#differs` found to be in place of what was kept. */
  #now: Plain = null;
  /** By list or map that is kept, the frozen one that it is a copy of. */
  readonly #frozen = new WeakMap<object, object>();
  #knowsFrozen = false;

  /** `state`: what `applyChange` gave, to go on from. It is taken over, and the caller's no more. */
  constructor(state: Plain = null) {
    this.#kept = state;
    this.#isEmpty = state === null;
  }

  /**
   * The change from the state of the last call; null where nothing differs. The first is whole: it is applied to nothing.
   * `room`: bytes that are left to the caller in front of it.
   */
  change(state: Plain, room: number = 0): Bytes | null {
    this.#begin(room);
    this.#isTorn = true;
    if (this.#isEmpty) {
      this.#isEmpty = false;
      writer.reserve(lengthOf(state));
      this.#replace(state);
    } else if (!this.#differs(state, this.#kept, 0)) {
      this.#isTorn = false;
      return null;
    }
    this.#kept = this.#now;
    const change = writer.take();
    this.#isTorn = false;
    return change;
  }

  /** All changes so far as one; null before the first. */
  whole(room: number = 0): Bytes | null {
    if (this.#isEmpty) return null;
    this.#begin(room);
    writer.reserve(lengthOf(this.#kept));
    writer.value(this.#kept);
    return writer.take();
  }

  /** About as many bytes as `whole` has. */
  get bytes(): number {
    return lengthOf(this.#kept);
  }

  #begin(room: number): void {
    if (this.#isTorn) throw new RangeError("a change of this state was cut short before");
    writer.back(0);
    for (let i = 0; i < room; i++) writer.byte(0);
    writer.byte(format);
  }

  /** Writes how `fresh` differs from what is kept, and brings that up to date. Where false, nothing was written. */
  #differs(fresh: Plain, kept: Plain, depth: number): boolean {
    if (typeof fresh !== "object" || fresh === null || typeof kept !== "object" || kept === null) {
      if (Object.is(fresh, kept)) return false;
      this.#replace(fresh);
      return true;
    }
    if (depth >= limits.state_depth_max) throw new RangeError("state is nested too deeply");
    if (fresh instanceof Uint8Array)
      return kept instanceof Uint8Array ? this.#bytesDiffer(fresh, kept as Bytes) : this.#replace(fresh);
    const isList = Array.isArray(fresh);
    if (kept instanceof Uint8Array || isList !== Array.isArray(kept)) return this.#replace(fresh);
    if (this.#isKnown(fresh, kept)) return false;
    const differs = isList
      ? this.#listDiffers(fresh as List, kept as List, depth + 1)
      : this.#mapDiffers(fresh as Members, kept as Members, depth + 1);
    this.#now = kept;
    return differs;
  }

  #replace(fresh: Plain): true {
    writer.value(fresh);
    this.#now = copied(fresh);
    return true;
  }

  /** True where `kept` is a copy of `fresh`, which is frozen; notes it where it becomes one. */
  #isKnown(fresh: object, kept: object): boolean {
    if (this.#knowsFrozen && this.#frozen.get(kept) === fresh) return true;
    if (!Object.isFrozen(fresh)) {
      if (this.#knowsFrozen) this.#frozen.delete(kept);
      return false;
    }
    this.#knowsFrozen = true;
    this.#frozen.set(kept, fresh);
    return false;
  }

  #bytesDiffer(fresh: Uint8Array, kept: Bytes): boolean {
    const start = writer.at;
    const common = Math.min(fresh.length, kept.length);
    writer.byte(patches.bytes);
    writer.whole(fresh.length);
    const differs = writeRuns(writer, fresh, kept, common);
    this.#now = kept;
    if (fresh.length !== kept.length) {
      writer.raw(fresh, common, fresh.length);
      this.#now =
        fresh.length < kept.length
          ? shortened(kept, fresh.length)
          : extended(kept, fresh.subarray(kept.length));
    } else if (!differs) writer.back(start);
    return differs || fresh.length !== kept.length;
  }

  #listDiffers(fresh: List, kept: List, depth: number): boolean {
    const start = writer.at;
    const common = Math.min(fresh.length, kept.length);
    let differs = fresh.length !== kept.length;
    writer.byte(patches.list);
    writer.whole(fresh.length);
    let last = -1;
    for (let place = 0; place < common; place++) {
      if (isSame(fresh[place]!, kept[place]!)) continue;
      const at = writer.at;
      writer.whole(place - last);
      if (!this.#differs(fresh[place]!, kept[place]!, depth)) {
        writer.back(at);
        continue;
      }
      kept[place] = this.#now;
      last = place;
      differs = true;
    }
    if (!differs) {
      writer.back(start);
      return false;
    }
    writer.whole(0);
    kept.length = common;
    for (let place = common; place < fresh.length; place++) {
      this.#replace(fresh[place]!);
      kept.push(this.#now);
    }
    return true;
  }

  #mapDiffers(fresh: Members, kept: Members, depth: number): boolean {
    const start = writer.at;
    let differs = false;
    writer.byte(patches.map);
    const names = Object.keys(fresh);
    for (const name of names) {
      const isKnown = Object.hasOwn(kept, name);
      if (isKnown && isSame(fresh[name]!, kept[name]!)) continue;
      const at = writer.at;
      writer.byte(member.differs);
      writer.text(name);
      if (isKnown ? !this.#differs(fresh[name]!, kept[name]!, depth) : !this.#replace(fresh[name]!)) {
        writer.back(at);
        continue;
      }
      put(kept, name, this.#now);
      differs = true;
    }
    const keptNames = Object.keys(kept);
    if (keptNames.length !== names.length)
      for (const name of keptNames) {
        if (Object.hasOwn(fresh, name)) continue;
        writer.byte(member.gone);
        writer.text(name);
        delete kept[name];
        differs = true;
      }
    if (differs) writer.byte(member.end);
    else writer.back(start);
    return differs;
  }
}

/**
 * The state after a change. `state`, null before the first one, is changed in place, and has to be what this function gave:
 * its memory is its own. Where it throws, nothing that was given is of use any more. `isGiven`: a first change is not looked
 * at by anybody else any more, and its memory becomes that of the state.
 */
export function applyChange(state: Plain | null, change: Uint8Array, isGiven: boolean = false): Plain {
  const reader = new PlainReader(change, 0, isGiven && state === null);
  const found = reader.byte();
  if (found !== format)
    throw new WeirError("WEIR_STATE", `the change is of format ${found}, expected ${format}`, {
      remedy: "restore it with the weir that wrote it, or begin without it",
    });
  const next = patched(reader, state, 0);
  if (reader.left > 0) throw damaged("more follows behind its end");
  return next;
}

function patched(reader: PlainReader, kept: Plain, depth: number): Plain {
  const tag = reader.byte();
  if (isTagOfValue(tag)) return reader.value(tag, depth);
  if (depth >= limits.state_depth_max) throw damaged("it is nested too deeply");
  switch (tag) {
    case patches.bytes:
      if (!(kept instanceof Uint8Array)) throw damaged("it changes bytes that are not there");
      return patchedBytes(reader, kept as Bytes);
    case patches.list:
      if (!Array.isArray(kept)) throw damaged("it changes a list that is not there");
      return patchedList(reader, kept as List, depth + 1);
    case patches.map:
      if (!isMap(kept)) throw damaged("it changes a map that is not there");
      return patchedMap(reader, kept as Members, depth + 1);
    default:
      throw damaged(`there is no change of tag ${tag}`);
  }
}

function patchedBytes(reader: PlainReader, kept: Bytes): Bytes {
  const length = reader.whole();
  const common = Math.min(length, kept.length);
  readRuns(reader, kept, common);
  if (length === kept.length) return kept;
  return length < kept.length ? shortened(kept, length) : extended(kept, reader.raw(length - common));
}

function patchedList(reader: PlainReader, kept: List, depth: number): List {
  const length = reader.whole();
  const common = Math.min(length, kept.length);
  let place = -1;
  for (let step = reader.whole(); step > 0; step = reader.whole()) {
    place += step;
    if (place >= common) throw damaged("a change lies beyond the end of what it changes");
    kept[place] = patched(reader, kept[place]!, depth);
  }
  kept.length = common;
  while (kept.length < length) kept.push(reader.value(reader.byte(), depth));
  return kept;
}

function patchedMap(reader: PlainReader, kept: Members, depth: number): Members {
  for (let kind = reader.byte(); kind !== member.end; kind = reader.byte()) {
    const name = reader.text();
    const isKnown = Object.hasOwn(kept, name);
    if (kind === member.differs) put(kept, name, patched(reader, isKnown ? kept[name]! : null, depth));
    else if (kind === member.gone && isKnown) delete kept[name];
    else throw damaged("it takes from a map what is not there");
  }
  return kept;
}

/** What is told soon; where false, more has to be done to find out. */
function isSame(fresh: Plain, kept: Plain): boolean {
  if (typeof fresh !== "object" || fresh === null) return Object.is(fresh, kept);
  return (
    fresh instanceof Uint8Array &&
    fresh.length <= soonBytesMax &&
    kept instanceof Uint8Array &&
    fresh.length === kept.length &&
    Buffer.compare(fresh, kept) === 0
  );
}

/** `kept` with `tail` behind it. */
function extended(kept: Bytes, tail: Uint8Array): Bytes {
  const length = kept.length + tail.length;
  // Half as much again: what grows does so again and again. Behind what was read with others is no room of its own.
  const hasRoom = kept.byteOffset === 0 && length <= kept.buffer.byteLength;
  const longer = new Uint8Array(hasRoom ? kept.buffer : new ArrayBuffer(length + (length >>> 1)), 0, length);
  if (!hasRoom) longer.set(kept);
  longer.set(tail, kept.length);
  return longer;
}

/** The first bytes of `kept`, in less memory where they leave most of it unused. */
function shortened(kept: Bytes, length: number): Bytes {
  return length * 4 < kept.buffer.byteLength ? kept.slice(0, length) : kept.subarray(0, length);
}
