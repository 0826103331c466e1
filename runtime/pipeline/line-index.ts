// Offsets of a text to lines and columns. Lines end at LF, CRLF or CR; both count from 1, columns in
// UTF-16 units as editors do. Never looks at what the text means.

export interface Place {
  readonly line: number;
  readonly column: number;
}

export class LineIndex {
  readonly #starts: number[] = [0];
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
    for (const match of text.matchAll(/\r\n|\n|\r/g)) this.#starts.push(match.index + match[0].length);
  }

  /** The line and column of an offset; offsets past the end belong to the last line. */
  place(offset: number): Place {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - this.#starts[low]! + 1 };
  }

  /** The text of a line without its end; empty for a line that is not there. */
  line(number: number): string {
    const start = this.#starts[number - 1];
    if (start === undefined) return "";
    return this.#text.slice(start, this.#starts[number] ?? this.#text.length).replace(/[\r\n]+$/, "");
  }

  /** The offset at which a line begins. */
  offset(number: number): number {
    return this.#starts[number - 1] ?? this.#text.length;
  }

  /** The offset at which the line of `offset` ends, its line break left out. */
  endOfLine(offset: number): number {
    const { line, column } = this.place(offset);
    return offset - (column - 1) + this.line(line).length;
  }
}
