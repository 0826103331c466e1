// Lines of the InfluxDB line protocol, as Telegraf writes them, as records of JSON: the measurement, its tags and fields side
// by side, and the time. Each line by itself; one that breaks the rules gives no record.

/** What names and values end at; a backslash before one of them makes it a character like others. */
const [comma, equals, space, lineFeed] = [",", "=", " ", "\n"];
const backslash = "\\";
const quote = '"';
/** As JSON writes numbers, and as others do. */
const jsonNumber = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const anyNumber = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const truths: ReadonlyMap<string, string> = new Map([
  ...["t", "T", "true", "True", "TRUE"].map((text) => [text, "true"] as const),
  ...["f", "F", "false", "False", "FALSE"].map((text) => [text, "false"] as const),
]);

export class InfluxLines {
  readonly #text: string;
  /** When they arrived, wall clock ms. */
  readonly #arrived: number;
  #at = 0;

  constructor(message: Uint8Array, arrived: number) {
    // Each byte a character, and back: so what is no UTF-8 is for the decoder to see.
    this.#text = Buffer.from(message.buffer, message.byteOffset, message.length).toString("latin1");
    this.#arrived = arrived;
  }

  /** By line that is not empty and no comment, its record as JSON, or the line as it stands where it is none. */
  records(): readonly { readonly text: Buffer; readonly isRecord: boolean }[] {
    const records: { readonly text: Buffer; readonly isRecord: boolean }[] = [];
    while (this.#at < this.#text.length) {
      const start = this.#at;
      const record = this.#record();
      const isWhole = record !== null && this.#isLineEnd();
      if (!isWhole) this.#at = start;
      const end = this.#text.indexOf(lineFeed, this.#at);
      this.#at = end < 0 ? this.#text.length : end + 1;
      const text = isWhole ? record : this.#text.slice(start, this.#at).trim();
      if (isWhole || (text !== "" && !text.startsWith("#")))
        records.push({ text: Buffer.from(text, "latin1"), isRecord: isWhole });
    }
    return records;
  }

  #record(): string | null {
    this.#skipSpaces();
    const measurement = this.#until(comma, space);
    if (measurement === "" || measurement.startsWith("#")) return null;
    const members = [`"measurement":${JSON.stringify(measurement)}`];
    while (this.#take(comma)) {
      const tag = this.#tag();
      if (tag === null) return null;
      members.push(tag);
    }
    if (!this.#take(space)) return null;
    this.#skipSpaces();
    do {
      const field = this.#field();
      if (field === null) return null;
      members.push(field);
    } while (this.#take(comma));
    const time = this.#time();
    return time === null ? null : `{${members.join(",")},"time":${time}}`;
  }

  #tag(): string | null {
    const name = this.#until(equals, comma, space);
    if (name === "" || !this.#take(equals)) return null;
    const value = this.#until(comma, space, equals);
    return value === "" ? null : `${JSON.stringify(name)}:${JSON.stringify(value)}`;
  }

  #field(): string | null {
    const name = this.#until(equals, comma, space);
    if (name === "" || !this.#take(equals)) return null;
    const value = this.#text[this.#at] === quote ? this.#quoted() : valueText(this.#until(comma, space));
    return value === null ? null : `${JSON.stringify(name)}:${value}`;
  }

  /** Nanoseconds since 1970 with all their digits; those of the arrival where the line says nothing. */
  #time(): string | null {
    this.#skipSpaces();
    const time = this.#until(space);
    this.#skipSpaces();
    if (time === "") return `${Math.round(this.#arrived * 1_000)}000`;
    return /^-?\d{1,19}$/.test(time) ? String(BigInt(time)) : null;
  }

  /** A text between quotes, line ends included, in which quotes and backslashes alone are escaped. */
  #quoted(): string | null {
    let value = "";
    for (let at = this.#at + 1; at < this.#text.length; at++) {
      const character = this.#text[at]!;
      if (character === quote) {
        this.#at = at + 1;
        return JSON.stringify(value);
      }
      const next = this.#text[at + 1];
      if (character === backslash && (next === quote || next === backslash)) {
        value += next;
        at++;
      } else value += character;
    }
    return null;
  }

  /** The characters up to one of `ends` or the end of the line. */
  #until(...ends: readonly string[]): string {
    let found = "";
    for (; !this.#isLineEnd(); this.#at++) {
      const character = this.#text[this.#at]!;
      const next = this.#text[this.#at + 1];
      if (character === backslash && (next === comma || next === equals || next === space)) {
        found += next;
        this.#at++;
      } else if (ends.includes(character)) break;
      else found += character;
    }
    return found;
  }

  #isLineEnd(): boolean {
    const character = this.#text[this.#at];
    return (
      character === undefined ||
      character === lineFeed ||
      (character === "\r" && (this.#text[this.#at + 1] ?? lineFeed) === lineFeed)
    );
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #skipSpaces(): void {
    while (this.#text[this.#at] === space) this.#at++;
  }
}

/** A number or truth value as JSON; null where it is neither. Whole numbers keep all their digits. */
function valueText(text: string): string | null {
  const truth = truths.get(text);
  if (truth !== undefined) return truth;
  if (/^-?\d+i$/.test(text) || /^\d+u$/.test(text)) return String(BigInt(text.slice(0, -1)));
  if (jsonNumber.test(text)) return text;
  const number = anyNumber.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(number) ? String(number) : null;
}
