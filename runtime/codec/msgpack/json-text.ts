// A MessagePack value as JSON text, straight from its bytes: for columns of type `json` and for fields
// that pass through to a JSON sink. Integers keep all their digits. Reads only values that the scanner
// has checked, so nesting is bounded.

import { isUtf8 } from "node:buffer";
import { headerLength, integerAt, kindOf, numberAt, type Source, sizeAt, timestampAt } from "./token.ts";

/** Turns values into text, one after another; `loss` names what the last one held that JSON has no form for. */
export class JsonTranscoder {
  /** The first thing in the value that could not be written as it is; null when the text says it all. */
  loss: string | null = null;
  #source: Source;
  #position = 0;

  constructor(source: Source) {
    this.#source = source;
  }

  /** Bytes become base64, timestamps milliseconds; NaN, infinities, other extensions and texts that are no UTF-8 become null and are a `loss`. */
  text(source: Source, position: number): string {
    this.#source = source;
    this.#position = position;
    this.loss = null;
    return this.#value();
  }

  #value(): string {
    const { bytes } = this.#source;
    const position = this.#position;
    const token = bytes[position]!;
    const kind = kindOf(token);
    const body = position + headerLength(token);
    const size = sizeAt(this.#source, position);
    if (kind === "map" || kind === "array") {
      this.#position = body;
      return kind === "map" ? this.#members(size) : this.#elements(size);
    }
    this.#position = body + size;
    switch (kind) {
      case "bool":
        return token === 0xc3 ? "true" : "false";
      case "integer":
        return token === 0xcf || token === 0xd3
          ? integerAt(this.#source, position).toString()
          : String(numberAt(this.#source, position));
      case "float":
        return this.#number(numberAt(this.#source, position), "a number that is not finite");
      case "string":
        return this.#string(body, size);
      case "bytes":
        return `"${bytes.toString("base64", body, body + size)}"`;
      case "extension":
        return this.#number(timestampAt(this.#source, position), "an extension");
      default:
        return "null";
    }
  }

  #number(value: number, otherwise: string): string {
    if (Number.isFinite(value)) return JSON.stringify(value);
    this.loss ??= otherwise;
    return "null";
  }

  #string(start: number, size: number): string {
    const { bytes } = this.#source;
    if (isUtf8(bytes.subarray(start, start + size)))
      return JSON.stringify(bytes.toString("utf8", start, start + size));
    // With replacement characters two texts could become one.
    this.loss ??= "a string that is not UTF-8";
    return "null";
  }

  #elements(count: number): string {
    let text = "[";
    for (let i = 0; i < count; i++) text += i === 0 ? this.#value() : `,${this.#value()}`;
    return `${text}]`;
  }

  #members(count: number): string {
    let text = "{";
    for (let i = 0; i < count; i++) {
      const key = this.#value();
      // JSON has no other names than strings: a number or truth value is quoted, and so is a structure's own text.
      const name = key.startsWith('"') ? key : JSON.stringify(key);
      text += `${i === 0 ? "" : ","}${name}:${this.#value()}`;
    }
    return `${text}}`;
  }
}
