// Whoever judges is judged: a whole run is clean, and each kind of fault planted in it is seen as what it is.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type NumberedRecord, probeAt, recordAt, sampledBelow, Windows } from "./records.ts";
import { type CloudContent, type CloudMessage, isClean, judge } from "./verdict.ts";

function messagesOf(subject: string, rows: readonly unknown[][]): CloudMessage[] {
  return rows.map((each, place) => ({
    subject,
    chain: "log.chain",
    number: place + 1,
    payload: `${each.map((row) => JSON.stringify(row)).join("\n")}\n`,
  }));
}

/** What the cloud holds after a run of `count` records without any fault. */
function wholeRun(count: number): CloudContent {
  const records: NumberedRecord[] = Array.from({ length: count }, (_, seq) => recordAt(seq));
  records.push(probeAt(count));
  const windows = new Windows();
  for (const record of records.slice(0, -1)) windows.add(record);
  const rows = [...windows.sums].map(([key, sum]) => {
    const [device, begin] = key.split(" ");
    return { device, window_start: Number(begin), ...sum };
  });
  const raw: NumberedRecord[][] = [];
  for (let at = 0; at < records.length; at += 7) raw.push(records.slice(at, at + 7));
  return {
    raw: messagesOf("raw.rows", raw),
    windows: messagesOf(
      "win.d",
      rows.map((row) => [row]),
    ),
    samples: messagesOf(
      "sub.d",
      records.filter(({ value }) => value < sampledBelow).map((record) => [record]),
    ),
  };
}

const count = 3_000;
const expected = { published: count + 1, mayLack: () => false };
const whole = wholeRun(count);

describe("a verdict", () => {
  it("finds a whole run clean, whatever its length", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_500 }), (length) => {
        const verdict = judge(wholeRun(length), { published: length + 1, mayLack: () => false });
        expect(verdict.notes).toEqual([]);
        expect(isClean(verdict)).toBe(true);
        expect(verdict.records).toBe(length + 1);
      }),
      { numRuns: 20 },
    );
  });

  it("sees every message that is missing, twice, or elsewhere, in each stream", () => {
    const streams = ["raw", "windows", "samples"] as const;
    fc.assert(
      fc.property(
        fc.constantFrom(...streams),
        fc.nat(),
        fc.constantFrom("missing", "twice"),
        (stream, where, how) => {
          const messages = [...whole[stream]];
          const place = where % (messages.length - 1);
          messages.splice(place, how === "missing" ? 1 : 0, ...(how === "twice" ? [messages[place]!] : []));
          const verdict = judge({ ...whole, [stream]: messages }, expected);
          expect(how === "missing" ? verdict.lost + verdict.wrong : verdict.duplicated).toBeGreaterThan(0);
          // The numbers of the chain tell as well.
          expect(verdict.wrong).toBeGreaterThan(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("counts records that are lost, and only those that must be there", () => {
    const [first, ...rest] = whole.raw;
    const content = { ...whole, raw: rest.map((message, place) => ({ ...message, number: place + 1 })) };
    expect(first).toBeDefined();
    expect(judge(content, expected).lost).toBe(7);
    const forgiven = judge(content, { ...expected, mayLack: (seq) => seq < 7 });
    expect(forgiven.lost).toBe(0);
    // Windows hold what never arrived.
    expect(forgiven.wrong).toBeGreaterThan(0);
  });

  it("counts records that a later one of their key has overtaken", () => {
    const rows = [0, 8, 16, 24].map(recordAt);
    const raw = messagesOf("raw.rows", [[rows[0], rows[2], rows[1], rows[3]]]);
    const verdict = judge({ raw, windows: [], samples: [] }, { published: 25, mayLack: () => true });
    expect(verdict.out_of_order).toBe(1);
  });

  it("sees a window that is wrong, and rows of nobody", () => {
    const [first, ...rest] = whole.windows;
    const payload = first!.payload.replace(/"n":\d+/, '"n":1000');
    expect(judge({ ...whole, windows: [{ ...first!, payload }, ...rest] }, expected).wrong).toBe(1);
    const foreign = { subject: "raw.x", chain: null, number: null, payload: '{"seq":999999,"device":"d1"}' };
    const verdict = judge({ ...whole, raw: [...whole.raw, foreign] }, expected);
    expect(verdict.wrong).toBe(2);
    expect(verdict.notes.join("\n")).toContain("record 999999 was never published");
  });

  it("sees two chains in one stream", () => {
    const raw = whole.raw.map((message, place) => (place > 5 ? { ...message, chain: "other" } : message));
    expect(judge({ ...whole, raw }, expected).wrong).toBe(1);
  });
});
