// One protobuf record at a time to a row of columns. A field that is not there is null where the .proto file lets
// that be told (`optional`, a member of a oneof, anything in a message that is not there), else its default: 0, false
// or "". There is no coercion and nothing is thrown.

import { isUtf8 } from "node:buffer";
import type { DecodeFault, FieldRead } from "../codec.ts";
import type { Landing, LandingColumn } from "../json/landing.ts";
import type { TemplateReader } from "../kernel/decoder.ts";
import type { AnyLayout, MessageForm } from "../kernel/layout.ts";
import { limits } from "../../limits.ts";
import { timeOfInteger, timeOfIso, timeOfNumber } from "../time-unit.ts";
import { columnsOf, isWide, type ProtoMessage, type Scalar } from "./message.ts";
import { messageForm } from "./message-form.ts";
import { ProtobufScanner } from "./scanner.ts";
import { isForKernel, type PlacedValue, protobufStencil } from "./stencil.ts";

/** What is read of one field, and where the scanner has it. */
interface Wanted {
  readonly read: FieldRead;
  readonly scalar: Scalar;
  /** True when it is null, and not its default, where it is not there. */
  readonly presence: boolean;
  readonly target: number;
  readonly owner: number;
}

const none = new Uint8Array(0);
/** From there on a float64 skips integers. */
const exactMax = 2n ** 53n;
const beyond = "expected int64, got an integer beyond 2^63 - 1";

export class ProtobufReader implements TemplateReader {
  readonly #scanner: ProtobufScanner;
  readonly #wanted: readonly Wanted[];
  readonly #form: MessageForm | null;
  #bytes: Uint8Array = none;
  #view: DataView = new DataView(none.buffer);

  /** Every field is one of the message, and of a type that it may be read as. */
  constructor(fields: readonly FieldRead[], message: ProtoMessage) {
    this.#scanner = new ProtobufScanner(message);
    const columns = columnsOf(message);
    this.#form = messageForm(message, fields);
    this.#wanted = fields.map((read): Wanted => {
      const target = columns.findIndex(({ name }) => name === read.name);
      const { scalar, presence } = columns[target]!.field;
      return { read, scalar: scalar!, presence, target, owner: this.#scanner.targets[target]!.owner };
    });
  }

  /** True when the kernel can read these fields. */
  get forKernel(): boolean {
    return isForKernel(this.#wanted);
  }

  layoutsOf(bytes: Uint8Array, start: number, end: number): readonly AnyLayout[] {
    const scanner = this.#scanner;
    const placed: PlacedValue[] = [];
    scanner.placed = placed;
    scanner.scan(bytes, start, end);
    scanner.placed = null;
    const fields = this.#wanted.map((wanted) => {
      const absent = this.#isDefault(wanted) ? ("default" as const) : ("null" as const);
      return { ...wanted, position: scanner.positions[wanted.target]!, absent };
    });
    const stencil = protobufStencil(bytes.slice(start, end), start, placed, fields);
    return [stencil, this.#form].filter((each) => each != null);
  }

  /** Whether a field that is not in the record scanned last has its default. */
  #isDefault({ owner, presence }: Wanted): boolean {
    return this.#scanner.present[owner] === 1 && !presence;
  }

  read(
    bytes: Uint8Array,
    start: number,
    end: number,
    row: number,
    landing: Landing,
    faults: DecodeFault[],
  ): boolean {
    if (this.#bytes !== bytes) this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#bytes = bytes;
    const { columns } = landing;
    const first = faults.length;
    let broken = this.#scanner.scan(bytes, start, end) ? null : this.#scanner.fault;
    for (let field = 0; field < columns.length && broken === null; field++) {
      const column = columns[field]!;
      const wanted = this.#wanted[field]!;
      const position = this.#scanner.positions[wanted.target]!;
      column.valid[row] = 1;
      if (position < 0) {
        if (this.#isDefault(wanted)) this.#putDefault(field, column, row, landing);
        else column.valid[row] = 0;
        continue;
      }
      if (column.type === "string") broken = this.#putText(field, column.values, row, position, landing);
      else {
        const detail = this.#put(wanted, column, row, position);
        if (detail === null) continue;
        column.valid[row] = 0;
        faults.push({ row, field, reason: "type", detail });
      }
    }
    if (broken === null) return faults.length === first;
    faults.length = first;
    for (const column of columns) column.valid[row] = 0;
    faults.push({ row, field: -1, reason: "decode", detail: broken });
    return false;
  }

  /** The default of a time is that of its field: an integer of 0. Empty text is no time. */
  #putDefault(field: number, column: LandingColumn, row: number, landing: Landing): void {
    const { scalar } = this.#wanted[field]!;
    if (column.type === "string") column.values[row] = landing.text(field, none, 0, 0, false);
    else if (column.type === "int64") column.values[row] = 0n;
    else if (scalar === "string") column.valid[row] = 0;
    else column.values[row] = 0;
  }

  /** What is broken, or null. */
  #putText(
    field: number,
    values: Int32Array,
    row: number,
    position: number,
    landing: Landing,
  ): string | null {
    const name = JSON.stringify(this.#wanted[field]!.read.name);
    const { bytes, start, end } = this.#text(position);
    if (end - start > limits.string_bytes_max)
      return `field ${name}: expected a string of at most ${limits.string_bytes_max} bytes, got ${end - start}`;
    if (!isUtf8(bytes.subarray(start, end)))
      return `field ${name}: expected a string of UTF-8, got other bytes`;
    values[row] = landing.text(field, bytes, start, end, false);
    return null;
  }

  #text(position: number): { readonly bytes: Uint8Array; readonly start: number; readonly end: number } {
    const start = this.#scanner.varint(position, this.#bytes.length);
    return { bytes: this.#bytes, start, end: start + this.#scanner.low };
  }

  /** Writes one value that is no text; what is wrong with it, or null. */
  #put({ read, scalar }: Wanted, column: LandingColumn, row: number, position: number): string | null {
    if (column.type === "time") return this.#putTime(read, scalar, column.values, row, position);
    const value = isWide(scalar) ? this.#integer(scalar, position) : this.#number(scalar, position);
    if (column.type === "bool") column.values[row] = value === 0 ? 0 : 1;
    else if (column.type === "int64") {
      if (value > 0x7fff_ffff_ffff_ffffn) return beyond;
      column.values[row] = BigInt(value);
    } else if (column.type === "float64") {
      const exact = Number(value);
      if (!Number.isFinite(exact)) return `expected float64, got ${exact}`;
      if (typeof value === "bigint" && (value > exactMax || value < -exactMax))
        return "expected float64, got an integer beyond 2^53";
      column.values[row] = exact;
    }
    return null;
  }

  #putTime(
    read: FieldRead,
    scalar: Scalar,
    values: Float64Array,
    row: number,
    position: number,
  ): string | null {
    const { unit = "ms" } = read;
    let time: number;
    if (scalar === "string") {
      const { bytes, start, end } = this.#text(position);
      const isShort = end - start <= 64;
      const text = isShort
        ? Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1")
        : "";
      time = unit === "iso" ? timeOfIso(text) : Number.NaN;
    } else if (isWide(scalar)) time = timeOfInteger(this.#integer(scalar, position), unit);
    else time = timeOfNumber(this.#number(scalar, position), unit);
    if (Number.isNaN(time))
      return unit === "iso"
        ? "expected time as ISO 8601 text with its zone, got another value"
        : `expected time in ${unit}, got a number that is none`;
    values[row] = time;
    return null;
  }

  #number(scalar: Scalar, position: number): number {
    return this.#scanner.numberAt(scalar, this.#view, position);
  }

  #integer(scalar: Scalar, position: number): bigint {
    return this.#scanner.integerAt(scalar, this.#view, position);
  }
}
