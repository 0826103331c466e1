// Where the demonstration shows itself: a table that is redrawn in place on a terminal, plain lines
// elsewhere, nothing before the end where JSON was asked for. Decides nothing.

import type { Log } from "../log.ts";
import { makeLog } from "../log.ts";
import { plainLine, renderTable, type TableState, type TableStyles } from "./demo-table.ts";
import { print, styled } from "./terminal.ts";

export interface Display {
  /** Called a few times a second. */
  show(state: TableState): void;
  /** The last state; nothing is redrawn after it. */
  finish(state: TableState): void;
  /** Lines above the figures. */
  say(...lines: readonly string[]): void;
  /** For what the runtime has to say meanwhile: warnings and errors. */
  readonly log: Log;
}

/** How often there are plain lines. */
const plain_ms = 5_000;

const styles: TableStyles = {
  bold: (text) => styled("bold", text),
  dim: (text) => styled("dim", text),
  good: (text) => styled("green", text),
};

/** The size of a terminal that does not say it. */
const width_default = 80;
const height_default = 24;

class LiveDisplay implements Display {
  readonly #stream: NodeJS.WriteStream;
  #lines = 0;
  readonly log: Log = {
    info: () => {},
    warn: (message) => this.say(styled("yellow", message)),
    error: (message) => this.say(styled("red", message)),
  };

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  show(state: TableState): void {
    const columns = this.#stream.columns || width_default;
    const rows = this.#stream.rows || height_default;
    // The cursor cannot go up beyond the first line of the screen, and a line of full width may wrap.
    const lines = renderTable(state, Math.max(10, columns - 1), styles)
      .split("\n")
      .slice(0, Math.max(1, rows - 1));
    // In one write, each line over the old one, so that nothing flickers.
    this.#stream.write(`${this.#home()}${lines.map((line) => `${line}\x1b[K\n`).join("")}\x1b[J`);
    this.#lines = lines.length;
  }

  finish(state: TableState): void {
    this.show(state);
    this.#lines = 0;
  }

  say(...lines: readonly string[]): void {
    this.#stream.write(`${this.#home()}\x1b[J${lines.map((line) => `${line}\n`).join("")}`);
    this.#lines = 0;
  }

  #home(): string {
    return this.#lines === 0 ? "" : `\x1b[${this.#lines}A\r`;
  }
}

class PlainDisplay implements Display {
  #due = plain_ms;
  readonly log: Log = { ...makeLog("text"), info: () => {} };

  show(state: TableState): void {
    if (state.elapsed_ms < this.#due) return;
    this.#due += plain_ms;
    for (const pipeline of state.pipelines) print(plainLine(pipeline, state.elapsed_ms));
  }

  finish(state: TableState): void {
    print(renderTable(state, Number.MAX_SAFE_INTEGER, styles));
  }

  say(...lines: readonly string[]): void {
    for (const line of lines) print(line);
  }
}

class SilentDisplay implements Display {
  readonly log: Log = { ...makeLog("json"), info: () => {} };
  show(): void {
    // Only the end is told.
  }
  finish(): void {
    // The report is the command's own to print.
  }
  say(): void {
    // Standard output holds one JSON object and nothing else.
  }
}

export function displayFor(json: boolean, stream: NodeJS.WriteStream = process.stdout): Display {
  if (json) return new SilentDisplay();
  return stream.isTTY ? new LiveDisplay(stream) : new PlainDisplay();
}
