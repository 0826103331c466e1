// Rows in a file, each once: whatever was half written, cut, replaced or forgotten.

import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { wallClock } from "../../clock.ts";
import type { Entry } from "../../state/outbox/entry.ts";
import type { Target } from "./chain.ts";
import { fileTarget } from "./file-target.ts";
import { testRow } from "./memory-outbox.fixture.ts";

let folder: string;
let path: string;
let said: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "weir-file-target-"));
  path = join(folder, "rows");
  said = [];
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Opened {
  readonly target: Target;
  readonly confirmed: number[];
}

function opened(options: { epoch?: number; id?: string; header?: string } = {}): Opened {
  const confirmed: number[] = [];
  const { id = "log.chain", epoch = 1, header } = options;
  const target = fileTarget({
    path,
    ...(header === undefined ? {} : { header }),
    identity: { id, epoch },
    events: { confirmed: (number) => confirmed.push(number), refused: () => {}, unsure: () => {} },
    clock: wallClock,
    log: { info: () => {}, warn: (message) => said.push(message) },
  });
  return { target, confirmed };
}

const entries = (from: number, to: number): Entry[] =>
  Array.from({ length: to - from + 1 }, (_, n) => ({ number: from + n, row: testRow("", from + n) }));
const lines = (from: number, to: number): string =>
  entries(from, to)
    .map(({ number }) => `${number}\n`)
    .join("");
const content = (): string => readFileSync(path, "utf8");

async function write({ target, confirmed }: Opened, from: number, to: number): Promise<void> {
  target.send(entries(from, to));
  await vi.waitFor(() => expect(confirmed.at(-1)).toBe(to), { interval: 1, timeout: 10_000 });
}

describe("the file target", () => {
  it("refuses a file with other columns, and leaves it as it is", async () => {
    writeFileSync(path, "a,b\n1,2\n");
    const { target } = opened({ header: "b,a" });
    await expect(target.attach([], 0)).rejects.toThrow("does not begin with the columns of the rows, b,a");
    await target.close();
    expect(content()).toBe("a,b\n1,2\n");
  });

  it("writes each entry once, with a header, and goes on where it was", async () => {
    const first = opened({ header: "n" });
    expect(await first.target.attach([], 0)).toEqual({ number: 0, epoch: 0 });
    await write(first, 1, 1_000);
    await first.target.close();
    const second = opened({ epoch: 2, header: "n" });
    // The state knows less than the file.
    expect(await second.target.attach(entries(501, 1_000), 500)).toEqual({ number: 1_000, epoch: 1 });
    await write(second, 1_001, 1_002);
    await second.target.close();
    expect(content()).toBe(`n\n${lines(1, 1_002)}`);
    expect(said).toEqual([]);
  });

  it("cuts off what was written and never confirmed, however much of it there is", async () => {
    const first = opened();
    await first.target.attach([], 0);
    await write(first, 1, 10);
    await first.target.close();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", minLength: 1 }), async (torn) => {
        appendFileSync(path, torn);
        const next = opened();
        expect(await next.target.attach([], 10)).toEqual({ number: 10, epoch: 1 });
        await next.target.close();
        expect(content()).toBe(lines(1, 10));
      }),
      { numRuns: 8 },
    );
    expect(said.at(-1)).toContain("are cut off; their rows are written again");
  });

  it("bears a mark that was cut short: the one before it counts", async () => {
    const first = opened();
    await first.target.attach([], 0);
    await write(first, 1, 1);
    await write(first, 2, 2);
    await first.target.close();
    // Marks were written at the start, for 1 and for 2; the last one is in the second slot.
    const marks = readFileSync(`${path}.weir`);
    marks.fill(0, 1_024 + 20, 1_024 + 40);
    writeFileSync(`${path}.weir`, marks);
    const second = opened({ epoch: 2 });
    expect(await second.target.attach([], 2)).toEqual({ number: 1, epoch: 1 });
    await write(second, 2, 3);
    await second.target.close();
    expect(content()).toBe(lines(1, 3));
  });

  it("begins at the end of a file that others wrote, on a line of its own", async () => {
    writeFileSync(path, "n\nhalf a line");
    const first = opened({ header: "n" });
    expect(await first.target.attach([], 0)).toEqual({ number: 0, epoch: 0 });
    await write(first, 1, 2);
    await first.target.close();
    const other = opened({ id: "log2.chain" });
    expect(await other.target.attach([], 0)).toEqual({ number: 0, epoch: 0 });
    await write(other, 1, 1);
    await other.target.close();
    expect(content()).toBe(`n\nhalf a line\n${lines(1, 2)}${lines(1, 1)}`);
  });

  it("writes nothing again into a file that somebody cut or replaced", async () => {
    const first = opened({ header: "n" });
    await first.target.attach([], 0);
    await write(first, 1, 5);
    await first.target.close();
    truncateSync(path, 0);
    const second = opened({ header: "n", epoch: 2 });
    expect(await second.target.attach([], 5)).toEqual({ number: 5, epoch: 1 });
    await write(second, 6, 6);
    await second.target.close();
    expect(content()).toBe("n\n6\n");
    expect(said).toEqual([expect.stringContaining("bytes that were written are gone")]);
  });

  it("shows a later start, and leaves its file alone", async () => {
    const second = opened({ epoch: 2 });
    await second.target.attach([], 0);
    await write(second, 1, 3);
    appendFileSync(path, "being written");
    const first = opened({ epoch: 1 });
    expect(await first.target.attach([], 0)).toEqual({ number: 3, epoch: 2 });
    expect(content()).toBe(`${lines(1, 3)}being written`);
    await first.target.close();
    await second.target.close();
  });

  it("refuses what is no file", async () => {
    path = folder;
    await expect(opened().target.attach([], 0)).rejects.toMatchObject({ code: "WEIR_FILE" });
    path = "/dev/null";
    await expect(opened().target.attach([], 0)).rejects.toMatchObject({ code: "WEIR_CONFIG" });
  });
});
