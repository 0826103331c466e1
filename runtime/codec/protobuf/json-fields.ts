// What stands in a message more than once, maps and bytes, as texts of JSON: a list, an object, a text in base64. Of a record that
// the scanner took; what is inside of these it has not looked at. Integers of 64 bits keep all their digits.

import { isUtf8 } from "node:buffer";
import { limits } from "../../limits.ts";
import {
  isWide,
  type ProtoColumn,
  type ProtoField,
  type ProtoValue,
  type Scalar,
  wireOf,
  wires,
} from "./message.ts";
import { WireReader } from "./wire.ts";

/** What is wrong with the bytes of a field. */
class Unreadable extends Error {}

/** A value on the wire: how it stands there, where, and where it ends. Of bytes, those inside. */
interface Part {
  readonly wire: number;
  readonly start: number;
  readonly end: number;
}

/** Some bytes, one behind the other or not, that are one message: of one that comes twice both count. */
type Range = Pick<Part, "start" | "end">;

const mapKey = 1;
const mapValue = 2;

export class JsonFields {
  readonly #reader = new WireReader();
  #bytes: Uint8Array = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);
  /** Characters that may still be written. */
  #room = 0;

  /** The bytes that records stand in. */
  load(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** The text of a field of the record `start … end`; null where the message around it, or single bytes, are not there. */
  text(
    { path, field }: ProtoColumn,
    start: number,
    end: number,
  ): { readonly text: string | null; readonly fault: string } {
    this.#room = limits.proto_json_text_max;
    this.#reader.begin(this.#bytes, start);
    try {
      let around: readonly Range[] = [{ start, end }];
      for (const number of path.slice(0, -1)) around = this.#partsIn(around).get(number) ?? [];
      if (around.length === 0) return { text: null, fault: "" };
      const parts = this.#partsIn(around).get(field.number) ?? [];
      if (field.json!.kind === "bytes" && field.presence && parts.length === 0)
        return { text: null, fault: "" };
      return { text: this.#many(field, parts), fault: "" };
    } catch (error) {
      if (error instanceof Unreadable) return { text: null, fault: error.message };
      throw error;
    }
  }

  /** By number, the values of the fields of a message, in their order. */
  #partsIn(ranges: readonly Range[]): ReadonlyMap<number, readonly Part[]> {
    const parts = new Map<number, Part[]>();
    for (const { start, end } of ranges)
      for (let at = start; at < end; ) {
        const tag = this.#checked(this.#reader.tag(at, end));
        const { number, wire } = this.#reader;
        const part = this.#partAt(wire, number, tag, end);
        if (wire !== wires.group) {
          const others = parts.get(number);
          if (others === undefined) parts.set(number, [part]);
          else others.push(part);
        }
        at = part.end;
      }
    return parts;
  }

  #partAt(wire: number, number: number, at: number, end: number): Part {
    const next = this.#checked(this.#reader.skip(wire, number, at, end));
    return { wire, start: wire === wires.bytes ? this.#reader.varint(at, end) : at, end: next };
  }

  #checked(position: number): number {
    if (position < 0) throw new Unreadable(this.#reader.fault);
    return position;
  }

  /** A field that is read as a whole. */
  #many({ json }: ProtoField, parts: readonly Part[]): string {
    const { kind, value, key } = json!;
    if (kind === "bytes") return this.#one(value, parts.slice(-1));
    if (kind === "map") return this.#map(value, key!, parts);
    const elements = parts.flatMap((part) =>
      value.message === null && value.scalar !== null ? this.#unpacked(value.scalar, part) : [part],
    );
    return this.#joined(
      "[",
      elements.map((part) => this.#one(value, [part])),
      "]",
    );
  }

  #map(value: ProtoValue, key: Scalar, parts: readonly Part[]): string {
    const members = new Map<string, string>();
    for (const part of parts) {
      if (part.wire !== wires.bytes) throw new Unreadable("expected an entry of a map, got a number");
      const entry = this.#partsIn([part]);
      const name = this.#one({ scalar: key, message: null, names: [] }, entry.get(mapKey) ?? []);
      members.set(name.startsWith('"') ? name : `"${name}"`, this.#one(value, entry.get(mapValue) ?? []));
    }
    return this.#joined(
      "{",
      [...members].map(([name, each]) => `${name}:${each}`),
      "}",
    );
  }

  /** A value that stands once: of several the last counts, and messages are merged. None: its default. */
  #one({ scalar, message, names }: ProtoValue, parts: readonly Part[]): string {
    if (message !== null) return this.#message(message.fields, parts);
    const part = parts.at(-1);
    if (scalar === null || scalar === "string") return this.#text(part, scalar === null);
    if (part !== undefined && part.wire !== wireOf(scalar))
      throw new Unreadable(`expected ${scalar}, got another value`);
    const number = part === undefined ? 0 : this.#number(scalar, part.start);
    if (scalar === "bool") return String(number !== 0);
    if (scalar === "enum")
      return JSON.stringify(names.find(([each]) => each === number)?.[1] ?? String(number));
    return Number.isNaN(number) || number === Infinity || number === -Infinity ? "null" : String(number);
  }

  #number(scalar: Scalar, at: number): number | bigint {
    return isWide(scalar)
      ? this.#reader.integerAt(scalar, this.#view, at)
      : this.#reader.numberAt(scalar, this.#view, at);
  }

  #text(part: Part | undefined, isBytes: boolean): string {
    if (part === undefined) return '""';
    if (part.wire !== wires.bytes) throw new Unreadable("expected text or bytes, got a number");
    const bytes = this.#bytes.subarray(part.start, part.end);
    if (!isBytes && !isUtf8(bytes)) throw new Unreadable("expected text of UTF-8, got other bytes");
    const own = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    return JSON.stringify(own.toString(isBytes ? "base64" : "utf8"));
  }

  /** What is not there and can be told from its default is left out. */
  #message(fields: readonly ProtoField[], ranges: readonly Part[]): string {
    if (ranges.some(({ wire }) => wire !== wires.bytes))
      throw new Unreadable("expected a message, got a number");
    const found = this.#partsIn(ranges);
    const members: string[] = [];
    for (const field of fields) {
      const parts = found.get(field.number) ?? [];
      const isUnread = field.scalar === null && field.message === null && field.json === null;
      if (isUnread || (parts.length === 0 && (field.presence || field.message !== null))) continue;
      const text = field.json === null ? this.#one(field, parts) : this.#many(field, parts);
      members.push(`${JSON.stringify(field.name)}:${text}`);
    }
    return this.#joined("{", members, "}");
  }

  /** The elements of a list that stand one behind the other in one value. */
  #unpacked(scalar: Scalar, part: Part): readonly Part[] {
    const wire = wireOf(scalar);
    if (part.wire !== wires.bytes || wire === wires.bytes) return [part];
    const parts: Part[] = [];
    for (let at = part.start; at < part.end; at = parts.at(-1)!.end)
      parts.push(this.#partAt(wire, 0, at, part.end));
    return parts;
  }

  /** Few bytes may stand for very many defaults. */
  #joined(open: string, texts: readonly string[], close: string): string {
    const text = open + texts.join(",") + close;
    this.#room -= text.length;
    if (this.#room < 0)
      throw new Unreadable(`expected at most ${limits.proto_json_text_max} characters of JSON`);
    return text;
  }
}
