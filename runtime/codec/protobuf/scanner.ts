// Walks one protobuf record, checks its whole structure, and notes where the wanted values stand. Fields that nobody
// named are only stepped over. Never reads a value and never reads past the record's end.

import { limits } from "../../limits.ts";
import { type ProtoMessage, wireOf, wires } from "./message.ts";
import type { PlacedValue } from "./stencil.ts";
import { WireReader } from "./wire.ts";

/** A message as it is looked for: its fields by number, and whether it was there. */
interface Node {
  readonly place: number;
  readonly entries: ReadonlyMap<number, Entry>;
}

interface Entry {
  readonly name: string;
  /** How the value must stand on the wire; -1 where that is nobody's concern. */
  readonly wire: number;
  /** The target that the value is, or -1. */
  readonly target: number;
  readonly child: Node | null;
}

const wireNames = ["varint", "64-bit", "length-delimited", "group", "group", "32-bit"];

/** Where values are looked for, in a message and those inside it. */
export interface Target {
  readonly name: string;
  /** The message that it belongs to, by place. */
  readonly owner: number;
}

export class ProtobufScanner extends WireReader {
  /** By target, in the order of the .proto file: where the value begins (of bytes, their length), or -1. */
  readonly positions: Int32Array;
  readonly targets: readonly Target[];
  /** By message: 1 when it was there. */
  readonly present: Uint8Array;
  /** Where it is not null, every value that is no message is noted here in order. */
  placed: PlacedValue[] | null = null;
  readonly #root: Node;

  constructor(message: ProtoMessage) {
    super();
    const targets: Target[] = [];
    const nodes: Node[] = [];
    const nodeOf = (of: ProtoMessage, prefix: string): Node => {
      const entries = new Map<number, Entry>();
      const node: Node = { place: nodes.length, entries };
      nodes.push(node);
      for (const { name: own, number, scalar, message: inner } of of.fields) {
        const name = prefix + own;
        const target = scalar === null ? -1 : targets.push({ name, owner: node.place }) - 1;
        const child = inner === null ? null : nodeOf(inner, `${name}.`);
        const wire = scalar !== null ? wireOf(scalar) : inner !== null ? wires.bytes : -1;
        entries.set(number, { name, wire, target, child });
      }
      return node;
    };
    this.#root = nodeOf(message, "");
    this.targets = targets;
    this.positions = new Int32Array(targets.length);
    this.present = new Uint8Array(nodes.length);
  }

  /** True when `bytes[start … end)` is such a message. */
  scan(bytes: Uint8Array, start: number, end: number): boolean {
    this.begin(bytes, start);
    this.positions.fill(-1);
    this.present.fill(0);
    if (end - start <= limits.payload_bytes_max) return this.#message(this.#root, start, end);
    this.fault = `expected at most ${limits.payload_bytes_max} bytes, got ${end - start}`;
    return false;
  }

  #message(node: Node, start: number, end: number): boolean {
    this.present[node.place] = 1;
    let at = start;
    while (at < end) {
      const tag = this.tag(at, end);
      if (tag < 0) return false;
      const { number, wire } = this;
      const entry = node.entries.get(number);
      const next = this.skip(wire, number, tag, end);
      if (next < 0) return false;
      if (this.placed !== null && (entry?.child ?? null) === null) {
        const start = wire === wires.bytes ? this.varint(tag, end) : tag;
        this.placed.push({ position: tag, start, end: next, wire });
      }
      if (entry !== undefined && entry.wire >= 0 && !this.#note(entry, wire, tag, next)) return false;
      at = next;
    }
    return true;
  }

  /** Notes the value at `at`, which ends at `end`: of one that comes again the last counts, and messages are merged. */
  #note(entry: Entry, wire: number, at: number, end: number): boolean {
    if (wire !== entry.wire) {
      const [wanted, got] = [entry.wire, wire].map((each) => wireNames[each]);
      this.fault = `field ${JSON.stringify(entry.name)}: expected a ${wanted} value, got a ${got} one`;
      return false;
    }
    if (entry.target >= 0) this.positions[entry.target] = at;
    return entry.child === null || this.#message(entry.child, this.varint(at, end), end);
  }
}
