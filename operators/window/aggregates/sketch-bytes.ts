// What the texts of all sketches have in common: base64 (RFC 4648, section 4, padded) of two letters that
// name the kind, a byte with the version of its format, and then what the kind holds. A number is an
// unsigned LEB128 varint of at most 53 bits. Knows no kind.

/** The text of a sketch whose kind is named by the two letters of `magic`. */
export function textOfBytes(magic: string, version: number, bytes: readonly number[]): string {
  return Buffer.from([magic.charCodeAt(0), magic.charCodeAt(1), version, ...bytes]).toString("base64");
}

/** A reader of what follows magic and version; null when the text is no sketch of that kind and version. */
export function reading(text: string, magic: string, version: number): NumberReader | null {
  const bytes = Buffer.from(text, "base64");
  // The decoder skips what is not base64; then the text does not come back.
  if (bytes.toString("base64") !== text) return null;
  const isKind = bytes[0] === magic.charCodeAt(0) && bytes[1] === magic.charCodeAt(1);
  return isKind && bytes[2] === version ? new NumberReader(bytes.subarray(3)) : null;
}

/** Puts a whole number from 0 to 2^53 - 1. Beyond 32 bits, so by division. */
export function putNumber(bytes: number[], number: number): void {
  let rest = number;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
}

/** Reads numbers one after the other; NaN once something is not one. */
export class NumberReader {
  readonly #bytes: Uint8Array;
  position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.position === this.#bytes.length;
  }

  /** The next `length` bytes; null when there are not so many. */
  take(length: number): Uint8Array | null {
    const end = this.position + length;
    if (!(end <= this.#bytes.length)) return null;
    const taken = this.#bytes.subarray(this.position, end);
    this.position = end;
    return taken;
  }

  next(): number {
    let number = 0;
    for (let scale = 1; scale <= 2 ** 49; scale *= 0x80) {
      const byte = this.#bytes[this.position++];
      if (byte === undefined) return Number.NaN;
      number += (byte & 0x7f) * scale;
      if (byte < 0x80) return number <= Number.MAX_SAFE_INTEGER ? number : Number.NaN;
    }
    return Number.NaN;
  }
}
