// Lines whatever their ends, lengths and chunks, and replay in time.

import fc from "fast-check";
import {
  appendFileSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type PayloadBatch, payloadAt } from "../batch/payloads.ts";
import { VirtualClock } from "../clock.ts";
import { limits } from "../limits.ts";
import { LineSplitter } from "../codec/kernel/line-splitter.ts";
import { silentLog } from "./connector-log.ts";
import { fileSink } from "./file-sink.ts";
import { readPlain, written } from "../state/written.ts";
import { fileSource } from "./file-source.ts";
import { LineReader } from "./line-reader.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-file-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let made = 0;

function fileOf(text: string | Uint8Array): string {
  const path = join(folder, `f${made++}`);
  writeFileSync(path, text);
  return path;
}

async function linesOf(
  text: string,
  lengthMax: number,
): Promise<{ lines: string[]; oversize: number; offset: number }> {
  const file = await open(fileOf(text));
  const reader = new LineReader(file, 0, lengthMax);
  const lines: string[] = [];
  while (!reader.ended) {
    await reader.fill();
    for (let line = reader.next(); line !== null; line = reader.next())
      lines.push(Buffer.from(line).toString());
  }
  await file.close();
  return { lines, oversize: reader.oversize, offset: reader.offset };
}

/** Time that passes while somebody waits for it, and never while the disk is read. */
class SleepingClock extends VirtualClock {
  override after(ms: number, task: () => void): () => void {
    const due = this.now() + ms;
    setImmediate(() => this.advanceTo(due));
    return super.after(ms, task);
  }
}

function textsOf(payloads: PayloadBatch): string[] {
  return Array.from({ length: payloads.count }, (_, row) => Buffer.from(payloadAt(payloads, row)).toString());
}

/** The same, many lines at once, in batches of a few. */
async function splitLinesOf(
  text: string,
  lengthMax: number,
  rows: number,
  bytes: number,
): Promise<{ lines: string[]; oversize: number; offset: number }> {
  const file = await open(fileOf(text));
  const splitter = LineSplitter.create()!;
  const reader = new LineReader(file, 0, lengthMax, splitter);
  const lines: string[] = [];
  for (;;) {
    splitter.begin();
    while (!reader.take(rows, bytes) && !reader.ended) await reader.fill();
    if (splitter.count === 0) break;
    reader.ahead();
    const batch = splitter.view("", 0);
    expect(batch.count).toBeLessThanOrEqual(rows);
    if (batch.count > 1) expect(batch.bytes.length).toBeLessThanOrEqual(bytes);
    lines.push(...textsOf(batch));
  }
  await file.close();
  return { lines, oversize: reader.oversize, offset: reader.offset };
}

const wide = { rows: 10_000, bytes: 1e9, wait_ms: 100, age_ms: 0 };

describe("lines", () => {
  it("are what splitting the whole text gives", async () => {
    const line = fc.string({ unit: fc.constantFrom("a", "é", "\r", " ", "{"), maxLength: 20 });
    const ending = fc.constantFrom("\n", "\r\n", "\n\n");
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(line, ending), { maxLength: 30 }), line, async (parts, last) => {
        const text = parts.map(([body, end]) => body + end).join("") + last;
        const all = text
          .split("\n")
          .map((each) => each.replace(/\r$/, ""))
          .filter((each) => each !== "");
        const expected = all.filter((each) => Buffer.byteLength(each) <= 10);
        const { lines, oversize, offset } = await linesOf(text, 10);
        expect(lines).toEqual(expected);
        expect(oversize).toBe(all.length - expected.length);
        expect(offset).toBe(Buffer.byteLength(text));
        expect(await splitLinesOf(text, 10, 3, 17)).toEqual({ lines, oversize, offset });
      }),
      { numRuns: 100, seed: 7 },
    );
  });

  it("longer than allowed are counted once and cost no memory, wherever the chunks end", async () => {
    const long = "x".repeat(limits.file_chunk_bytes * 5 + 17);
    const text = `first\n${long}\nmiddle\n${long}\r\nlast\n${long}`;
    const { lines, oversize } = await linesOf(text, 1_000);
    expect(lines).toEqual(["first", "middle", "last"]);
    expect(oversize).toBe(3);
    expect(await splitLinesOf(text, 1_000, 9, 1e6)).toMatchObject({ lines, oversize });
  });

  it("may be as long as a payload, go beyond a chunk, and come without a byte order mark", async () => {
    const long = "y".repeat(limits.payload_bytes_max);
    expect(long.length + 1).toBeGreaterThan(limits.file_chunk_bytes);
    const text = `\u{feff}a\n${long}\nb`;
    const { lines } = await linesOf(text, limits.payload_bytes_max);
    expect(lines).toEqual(["a", long, "b"]);
    expect(await splitLinesOf(text, limits.payload_bytes_max, 9, 1_000)).toMatchObject({ lines });
  });
});

describe("a chunk that is read ahead", () => {
  const texts = Array.from({ length: 30_000 }, (_, number) => `${number} ${"x".repeat((number * 37) % 120)}`);

  it("comes behind the lines that are left, and changes none of a batch", async () => {
    const source = fileSource({ path: fileOf(texts.join("\n")), format: "lines" });
    await source.open();
    const lines: string[] = [];
    for (;;) {
      const delivery = await source.read({ rows: 7_000, bytes: 400_000, wait_ms: 0, age_ms: 0 });
      if (delivery === null || delivery === "end") break;
      // So that it may arrive before the batch is looked at.
      await new Promise(setImmediate);
      for (const line of textsOf(delivery.payloads)) lines.push(line);
    }
    expect(lines).toEqual(texts);
    await source.close();
  });

  it("may be on its way when the source is closed", async () => {
    const source = fileSource({ path: fileOf(texts.join("\n")), format: "lines" });
    await source.open();
    expect(await source.read({ rows: 10, bytes: 4_000, wait_ms: 0, age_ms: 0 })).toMatchObject({
      payloads: { count: 10 },
    });
    await source.close();
    expect(await source.read({ rows: 10, bytes: 4_000, wait_ms: 0, age_ms: 0 })).toBe("end");
  });
});

describe("a file source", () => {
  it("knows the header of a CSV file once it is open, and refuses an empty one", async () => {
    const source = fileSource({ path: fileOf("\na,b\r\n1,2\r\n"), format: "csv" });
    await source.open();
    expect(source.header).toBe("a,b");
    await source.close();
    await expect(fileSource({ path: fileOf("\n"), format: "csv" }).open()).rejects.toThrow(
      /the file is empty/,
    );
  });

  it("refuses a header that is too long, where a record would name the columns", async () => {
    const long = `a,${"b".repeat(limits.payload_bytes_max)}\n1,2\n`;
    await expect(fileSource({ path: fileOf(long), format: "csv" }).open()).rejects.toThrow(
      /expected a first line with the columns' names, that line is longer than 1048576 bytes$/,
    );
  });

  it.each([
    ["a folder", folder, /expected a regular file, it is a folder/],
    ["a device", "/dev/zero", /expected a regular file, it is a pipe or a device/],
    ["nothing", join(folder, "absent"), /cannot read .*absent: ENOENT/],
  ])("refuses %s", async (_, path, message) => {
    const opened = fileSource({ path, format: "lines" }).open();
    await expect(opened).rejects.toThrow(message);
    await expect(opened).rejects.toMatchObject({ code: "WEIR_FILE" });
  });

  describe("goes on behind a position", () => {
    /** Reads two records, then what `change` leaves of the file. */
    async function rest(text: string, format: "lines" | "csv", change: (path: string) => string | void) {
      const path = fileOf(text);
      const source = fileSource({ path, format });
      await source.open(null);
      const first = await source.read({ ...wide, rows: 2 });
      if (first === null || first === "end") throw new Error("expected two lines");
      await source.close();
      const next = change(path) ?? path;
      const said: string[] = [];
      const log = { info: () => {}, warn: (line: string) => said.push(line.replaceAll(next, "FILE")) };
      const resumed = fileSource({ path: next, format, log });
      await resumed.open(readPlain(written(first.position)));
      const { header } = resumed;
      const lines: string[] = [];
      for (let delivery = await resumed.read(wide); delivery !== "end"; delivery = await resumed.read(wide))
        if (delivery !== null) lines.push(...textsOf(delivery.payloads));
      const { dropped } = resumed.stats();
      await resumed.close();
      return { lines, dropped, header, said };
    }

    const kept = { dropped: {}, said: [] };

    it("in the same file, with its header", async () => {
      const found = await rest("h\none\ntwo\nthree\n", "csv", () => {});
      expect(found).toEqual({ ...kept, lines: ["three"], header: "h" });
    });

    it("in one that has grown, was renamed, or was replaced by a copy", async () => {
      for (const change of [
        (path: string) => appendFileSync(path, "four\n"),
        (path: string) => {
          appendFileSync(path, "four\n");
          renameSync(path, `${path}.1`);
          return `${path}.1`;
        },
        (path: string) => {
          copyFileSync(path, `${path}.copy`);
          renameSync(`${path}.copy`, path);
          appendFileSync(path, "four\n");
        },
      ]) {
        const { lines, dropped, said } = await rest("one\ntwo\nthree\n", "lines", change);
        expect({ lines, dropped, said }).toEqual({ ...kept, lines: ["three", "four"] });
      }
    });

    it("from the start of one that was cut, and says so", async () => {
      const found = await rest("h\none\ntwo\nthree\n", "csv", (path) => truncateSync(path, 6));
      expect(found).toEqual({
        lines: ["one"],
        header: "h",
        dropped: { truncated: 0 },
        said: ["source FILE: it ends before byte 10, up to which it was read; reading it from its start"],
      });
    });

    it("from the start of another file of the name, and says so", async () => {
      for (const change of [
        (path: string) => writeFileSync(path, "h\nnew\ntwo\nthree\n"),
        (path: string) => {
          rmSync(path);
          writeFileSync(`${path}.2`, "h\nnew\ntwo\nthree\n");
          renameSync(`${path}.2`, path);
        },
      ]) {
        expect(await rest("h\none\ntwo\nthree\n", "csv", change)).toEqual({
          lines: ["new", "two", "three"],
          header: "h",
          dropped: { replaced: 0 },
          said: ["source FILE: it is not the file that was read before; reading it from its start"],
        });
      }
    });

    it("and nothing that is no position", async () => {
      const source = fileSource({ path: fileOf("one\n"), format: "lines" });
      await expect(source.open({ path: "x", offset: -1 })).rejects.toMatchObject({ code: "WEIR_STATE" });
      await source.close();
    });
  });

  it("replays in the recording's own time, faster; what has no time goes with the line before", async () => {
    const clock = new SleepingClock(5_000);
    const path = fileOf("100\n200\nnone\n1100\n");
    const timeOf = (line: Uint8Array): number | null => {
      const time = Number(Buffer.from(line).toString());
      return Number.isNaN(time) ? null : time;
    };
    const source = fileSource({ path, format: "lines", speed: 10, timeOf, clock });
    await source.open();
    const seen: [number, number][] = [];
    for (;;) {
      const delivery = await source.read(wide);
      if (delivery === "end") break;
      if (delivery !== null) seen.push([delivery.payloads.arrived[0]!, delivery.payloads.count]);
    }
    expect(seen.map(([, count]) => count)).toEqual([1, 2, 1]);
    expect(seen.map(([at]) => at - 5_000)).toEqual([0, 10, 100]);
    await source.close();
  });
});

describe("a file sink", () => {
  const row = (text: string) => ({ subject: "", payload: Buffer.from(text), id: null, caused: 0 });

  it("writes its header into a new file only, and appends after that", async () => {
    const path = join(folder, "out.csv");
    for (const text of ["1,2", "3,4"]) {
      const sink = fileSink({ path, header: "a,b", log: silentLog });
      await sink.open();
      sink.write(row(text));
      await sink.close();
    }
    expect(readFileSync(path, "utf8")).toBe("a,b\n1,2\n3,4\n");
  });

  it("keeps a line that a crash cut off apart from the next", async () => {
    const path = fileOf("whole\nhal");
    const sink = fileSink({ path, log: silentLog });
    await sink.open();
    sink.write(row("next"));
    await sink.flush();
    expect(readFileSync(path, "utf8")).toBe("whole\nhal\nnext\n");
    appendFileSync(path, "by another\n");
    sink.write(row("last"));
    await sink.close();
    expect(readFileSync(path, "utf8")).toBe("whole\nhal\nnext\nby another\nlast\n");
  });

  it("says what it cannot append to", async () => {
    const sink = fileSink({ path: join(folder, "no", "such"), log: silentLog });
    await expect(sink.open()).rejects.toThrow(/cannot append to .*such/);
  });
});
