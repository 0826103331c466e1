// A journal gives back what was put into it, once and in order, through ends of whoever writes and whoever reads; what it
// lost, by its bounds or by damage, it counts.

import * as fc from "fast-check";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { PayloadBuilder, payloadAt } from "../../batch/payloads.ts";
import { VirtualClock } from "../../clock.ts";
import { SetClock } from "../../set-clock.fixture.ts";
import { FileDisk } from "../../state/log/file-disk.ts";
import type { Plain } from "../../state/plain.ts";
import { readPlain, written } from "../../state/written.ts";
import type { Source } from "../connect.ts";
import { frameBody, readFrameBody } from "./journal-frame.ts";
import { journalSource } from "./journal-source.ts";
import { type JournalOptions, JournalWriter } from "./journal-writer.ts";

const root = mkdtempSync(join(tmpdir(), "weir-journal-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let made = 0;

const folder = (): string => join(root, `j${made++}`);
const roomy = { bytes: 100_000_000, age: 3_600_000, overflow: "drop_oldest" } as const;
const identity = (): string => String(made++).padStart(32, "0");

async function openWriter(path: string, options: Partial<JournalOptions> = {}) {
  const disk = await FileDisk.open(path);
  const clock = new VirtualClock(1_000_000);
  const writer = await JournalWriter.open({ disk, clock, identity, ...roomy, ...options });
  return {
    writer,
    clock,
    close: () => writer.close(),
  };
}

function payloads(from: number, count: number, size = 0) {
  const builder = new PayloadBuilder(1_000, 10_000_000);
  for (let n = from; n < from + count; n++)
    builder.add(Buffer.from(`${n} ${"x".repeat(size)}`), `s.${n % 3}`, 5_000 + n);
  return builder.take();
}

async function openSource(path: string, resume: Plain) {
  const disk = await FileDisk.open(path);
  const said: string[] = [];
  const log = { info: () => {}, warn: (line: string) => said.push(line) };
  const source = journalSource({ disk, name: "source", log });
  await source.open(resume === null ? null : readPlain(written(resume)));
  return { source, said };
}

interface Got {
  readonly numbers: number[];
  readonly position: Plain;
}

async function readAll(source: Source, rows = 1_000, most = Number.POSITIVE_INFINITY): Promise<Got> {
  const numbers: number[] = [];
  let position: Plain = null;
  let empty = 0;
  // Nothing is there when two looks in a row find nothing: one that is bad is looked at twice.
  while (empty < 20 && numbers.length < most) {
    const delivery = await source.read({ rows, bytes: 1_000_000, wait_ms: 0, age_ms: 0 });
    if (delivery === null || delivery === "end") {
      empty++;
      continue;
    }
    empty = 0;
    position = delivery.position;
    for (let row = 0; row < delivery.payloads.count; row++) {
      const number = Number.parseInt(Buffer.from(payloadAt(delivery.payloads, row)).toString(), 10);
      expect(delivery.payloads.subjects[delivery.payloads.subject[row]!]).toBe(`s.${number % 3}`);
      expect(delivery.payloads.arrived[row]).toBe(5_000 + number);
      numbers.push(number);
    }
  }
  return { numbers, position };
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe("a frame's body", () => {
  it("is read as it was written", () => {
    const frame = { payloads: payloads(7, 5, 3), dropped: { overflow: 3 } };
    const read = readFrameBody(frameBody(frame));
    expect(read.dropped).toEqual({ overflow: 3 });
    expect({ ...read.payloads, bytes: Buffer.from(read.payloads.bytes) }).toEqual({
      ...frame.payloads,
      bytes: Buffer.from(frame.payloads.bytes),
    });
  });

  it("is refused, and nothing else happens, whatever its bytes", () => {
    const whole = frameBody({ payloads: payloads(1, 4), dropped: {} });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), fc.nat(255), (noise, place, value) => {
        const body = Uint8Array.from(whole);
        body[place % body.length] = value;
        for (const bytes of [noise, body, body.subarray(0, place % body.length)]) {
          try {
            const { payloads: read } = readFrameBody(bytes);
            for (let row = 0; row < read.count; row++) payloadAt(read, row);
          } catch (error) {
            expect(error).toMatchObject({ code: "WEIR_STATE" });
          }
        }
      }),
      { seed: 1, numRuns: 3_000 },
    );
  });
});

describe("a journal", () => {
  it("gives each record once and in order, whoever ends and begins again", async () => {
    const step = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({
          kind: fc.constant("write" as const),
          count: fc.integer({ min: 1, max: 40 }),
          size: fc.constantFrom(0, 300),
        }),
      },
      {
        weight: 4,
        arbitrary: fc.record({
          kind: fc.constant("read" as const),
          rows: fc.constantFrom(1, 7, 1_000),
          most: fc.integer({ min: 1, max: 60 }),
        }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("new writer" as const) }) },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constant("new reader" as const), commits: fc.boolean() }),
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const path = folder();
        // Segments of 8 KiB at least: a frame or two.
        let writer = await openWriter(path, { bytes: 100_000_000 });
        let reader = await openSource(path, null);
        let last: Plain = null;
        const got: number[] = [];
        let next = 0;
        for (const each of steps) {
          if (each.kind === "write") {
            expect(await writer.writer.append(payloads(next, each.count, each.size), {})).toBe("written");
            next += each.count;
            await writer.writer.sync();
          } else if (each.kind === "read") {
            const { numbers, position } = await readAll(reader.source, each.rows, each.most);
            got.push(...numbers);
            last = position ?? last;
          } else if (each.kind === "new writer") {
            await writer.close();
            writer = await openWriter(path);
          } else {
            if (each.commits && last !== null) await reader.source.commit(last);
            await reader.source.close();
            reader = await openSource(path, last);
          }
        }
        got.push(...(await readAll(reader.source)).numbers);
        expect(got).toEqual(range(0, next));
        expect(reader.source.stats().dropped).toEqual({});
        await reader.source.close();
        await writer.close();
      }),
      { seed: 2, numRuns: 40 },
    );
  });

  it("lets committed segments go, and never the newest", async () => {
    const path = folder();
    const { writer, close } = await openWriter(path, { bytes: 400_000 });
    for (let n = 0; n < 20; n++) await writer.append(payloads(n * 10, 10, 1_000), {});
    const { source } = await openSource(path, null);
    const { numbers, position } = await readAll(source);
    expect(numbers).toEqual(range(0, 200));
    expect(readdirSync(path).length).toBeGreaterThan(4);
    await source.commit(position);
    expect(readdirSync(path)).toHaveLength(1);
    await writer.append(payloads(200, 5), {});
    expect((await readAll(source)).numbers).toEqual(range(200, 205));
    await source.close();
    await close();
  });

  it("drops the oldest where it is full, which the reader counts exactly", async () => {
    const path = folder();
    const { writer, close } = await openWriter(path, { bytes: 200_000 });
    const { source, said } = await openSource(path, null);
    await writer.append(payloads(0, 10, 1_000), {});
    const { numbers, position } = await readAll(source);
    for (let n = 1; n < 100; n++)
      expect(await writer.append(payloads(n * 10, 10, 1_000), {})).toBe("written");
    expect(writer.bytes).toBeLessThanOrEqual(200_000);
    numbers.push(...(await readAll(source)).numbers);
    const { expired = 0 } = source.stats().dropped;
    expect(expired).toBeGreaterThan(500);
    expect(numbers.length + expired).toBe(1_000);
    expect(numbers.at(-1)).toBe(999);
    expect(said).toEqual([
      `source: ${expired} records were dropped from the journal before they were read: it is bounded by bytes and age`,
    ]);
    await source.close();
    // The same for one that begins where it was then.
    const { source: next } = await openSource(path, position);
    expect((await readAll(next)).numbers.length + (next.stats().dropped["expired"] ?? 0)).toBe(990);
    await next.close();
    await close();
  });

  it("takes no more where it is full and the newest are to go, and tells how many those were", async () => {
    const path = folder();
    const { writer, close } = await openWriter(path, { bytes: 100_000, overflow: "drop_newest" });
    let wrote = 0;
    while ((await writer.append(payloads(wrote, 10, 1_000), { overflow: 2 })) === "written") wrote += 10;
    expect(wrote).toBeGreaterThan(50);
    const { source } = await openSource(path, null);
    const { numbers, position } = await readAll(source);
    expect(numbers).toEqual(range(0, wrote));
    await source.commit(position);
    expect(await writer.append(payloads(wrote, 10), { overflow: 2, journal_full: 10 })).toBe("written");
    expect((await readAll(source)).numbers).toEqual(range(wrote, wrote + 10));
    expect(source.stats().dropped).toEqual({ overflow: 2, journal_full: 10 });
    await source.close();
    // What is counted is not counted again by who goes on, and a new run counts from its start.
    await close();
    const again = await openWriter(path);
    await again.writer.append(payloads(0, 1), { overflow: 1 });
    const { source: next } = await openSource(path, position);
    expect((await readAll(next)).numbers).toHaveLength(11);
    expect(next.stats().dropped).toEqual({ journal_full: 10, overflow: 1 });
    await next.close();
    await again.close();
  });

  it("drops what is too old", async () => {
    const path = folder();
    const { writer, clock, close } = await openWriter(path, { age: 80_000 });
    for (let n = 0; n < 30; n++) {
      await writer.append(payloads(n, 1), {});
      clock.advanceTo(clock.now() + 11_000);
      await writer.tidy();
    }
    const { source } = await openSource(path, null);
    const { numbers } = await readAll(source);
    expect(numbers).toEqual(range(numbers[0]!, 30));
    expect(numbers.length).toBeLessThan(12);
    expect(numbers.length).toBeGreaterThan(6);
    await source.close();
    await close();
  });

  it("drops nothing for a clock that is set ahead", async () => {
    const path = folder();
    const clock = new SetClock(1_000_000);
    const { writer, close } = await openWriter(path, { age: 80_000, clock });
    for (let n = 0; n < 5; n++) {
      await writer.append(payloads(n, 1), {});
      clock.pass(11_000);
      await writer.tidy();
    }
    clock.set = 3_600_000;
    await writer.tidy();
    const { source } = await openSource(path, null);
    expect((await readAll(source)).numbers).toEqual(range(0, 5));
    await source.close();
    await close();
  });

  it("is begun anew where another is in its place", async () => {
    const path = folder();
    const first = await openWriter(path);
    await first.writer.append(payloads(0, 10), {});
    await first.close();
    const { source } = await openSource(path, null);
    const { position } = await readAll(source);
    await source.close();
    rmSync(path, { recursive: true });
    const second = await openWriter(path);
    await second.writer.append(payloads(50, 10), {});
    const { source: next, said } = await openSource(path, position);
    expect((await readAll(next)).numbers).toEqual(range(50, 60));
    expect(next.stats().dropped).toEqual({ recreated: 0 });
    expect(said).toEqual([expect.stringContaining("another one than before")]);
    await next.close();
    await second.close();
  });
});

describe("a journal that is damaged", () => {
  /** Twenty frames of ten records, then the end of its writer, and one frame more of another. */
  async function journal(): Promise<{ path: string; file: string; bytes: Buffer }> {
    const path = folder();
    const first = await openWriter(path);
    for (let n = 0; n < 20; n++) await first.writer.append(payloads(n * 10, 10, 100), {});
    await first.close();
    const file = join(path, "journal-000000000001");
    return { path, file, bytes: readFileSync(file) };
  }

  it("loses no other record than those of the damaged frames, and counts them", async () => {
    const { path, file, bytes } = await journal();
    const second = await openWriter(path);
    await second.writer.append(payloads(200, 10), {});
    await second.close();
    const flips = fc.array(fc.record({ place: fc.nat(bytes.length - 1), bit: fc.nat(7) }), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(flips, async (all) => {
        const damaged = Buffer.from(bytes);
        for (const { place, bit } of all) damaged[place]! ^= 1 << bit;
        writeFileSync(file, damaged);
        const { source } = await openSource(path, null);
        const { numbers } = await readAll(source);
        const { damaged: lost = 0, torn, ...others } = source.stats().dropped;
        await source.close();
        expect(others).toEqual({});
        expect(torn ?? 0).toBe(0);
        expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
        expect(numbers.slice(-10)).toEqual(range(200, 210));
        // A first block that cannot be read leaves nothing to count from.
        const isHeadless = all.some(({ place }) => place < 4_096);
        if (!isHeadless) expect(numbers.length + lost).toBe(210);
      }),
      { seed: 3, numRuns: 150 },
    );
  });

  it("ends where it is cut, at every length, and goes on in the next segment", async () => {
    const { path, file, bytes } = await journal();
    for (let length = 4_096; length < bytes.length; length += 2_731) {
      writeFileSync(file, bytes.subarray(0, length));
      for (const name of readdirSync(path)) if (name !== "journal-000000000001") rmSync(join(path, name));
      const writer = await openWriter(path);
      const whole = writer.writer.next - 1;
      expect(whole).toBe(10 * Math.floor((length - 4_096) / 4_096));
      await writer.writer.append(payloads(500, 10), {});
      await writer.close();
      const { source } = await openSource(path, null);
      const { numbers } = await readAll(source);
      expect(numbers).toEqual([...range(0, whole), ...range(500, 510)]);
      const isTorn = (length - 4_096) % 4_096 !== 0;
      expect(source.stats().dropped).toEqual(isTorn ? { torn: 0 } : {});
      await source.close();
    }
  });

  it("counts records that were read and are gone, as after a power cut", async () => {
    const { path, file, bytes } = await journal();
    const { source } = await openSource(path, null);
    const { position } = await readAll(source);
    await source.close();
    writeFileSync(file, bytes.subarray(0, 4_096 * 16));
    const writer = await openWriter(path);
    await writer.writer.append(payloads(500, 10), {});
    await writer.close();
    const { source: next } = await openSource(path, position);
    expect((await readAll(next)).numbers).toEqual(range(500, 510));
    expect(next.stats().dropped).toEqual({ regressed: 50 });
    await next.close();
  });

  it("is read on where its writer is in the middle of a frame", async () => {
    const { path, file, bytes } = await journal();
    const { source } = await openSource(path, null);
    for (const length of [4_096 * 3 + 100, 4_096 * 5 - 1, bytes.length]) {
      writeFileSync(file, bytes.subarray(0, length));
      expect((await readAll(source)).position).toMatchObject({
        segment: 1,
        offset: length - (length % 4_096),
      });
    }
    expect(source.stats()).toMatchObject({ records: 200, dropped: {} });
    expect(existsSync(file)).toBe(true);
    await source.close();
  });
});
