// Payloads that no sensor should send, through whole pipelines: each is counted and goes to the dead letter
// as it came, the pipeline goes on, and event time has not moved.

import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { catalog } from "../../../operators/catalog.ts";
import { letterLine, letterMessage } from "../../engine/dead-letter.ts";
import { limits } from "../../limits.ts";
import { loadPipeline } from "../../pipeline/load.ts";
import type { PipelinePlan } from "../../pipeline/pipeline.ts";
import { Harness, lawFaults } from "../harness.ts";
import { toPayload } from "../payload.ts";

const sink = { sink: { stdout: {}, format: "json" } };
const window = { window: { tumbling: "1m", by: "device", select: { n: "count()", high: "max(temp)" } } };

function planOf(format: "json" | "msgpack" | "csv", steps: readonly object[]): PipelinePlan {
  const source = {
    // Only messages hold msgpack, which has no line ends.
    ...(format === "msgpack" ? { nats: { subject: "in" } } : { file: { path: "in" } }),
    format,
    schema: { device: "string", ts: "time", temp: "float64" },
    time: { field: "ts", lateness: "1s" },
  };
  const content = JSON.stringify({ name: "hostile", source, steps });
  const { plan, diagnostics } = loadPipeline({ file: "hostile", content, catalogue: catalog });
  if (plan === null) throw new Error(JSON.stringify(diagnostics));
  return plan;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const good = (ts: number, temp = 20): object => ({ device: "a", ts, temp });
const tenYears = 10 * 365 * 86_400_000;

/** What it is, its bytes, and why it cannot enter. */
const payloads: readonly (readonly [string, Uint8Array, string])[] = [
  ["broken JSON", bytes('{"device":"a","ts":5,"temp":2'), "decode"],
  ["two documents", bytes('{"ts":5}{"ts":6}'), "decode"],
  ["nothing", new Uint8Array(0), "decode"],
  ["spaces", bytes("   "), "decode"],
  ["an array", bytes("[]"), "decode"],
  ["null", bytes("null"), "decode"],
  ["a number", bytes("17"), "decode"],
  ["a wrong type", bytes('{"device":"a","ts":5,"temp":"warm"}'), "type"],
  ["a number that is not finite", bytes('{"device":"a","ts":5,"temp":1e999}'), "type"],
  ["NaN", bytes('{"device":"a","ts":5,"temp":NaN}'), "decode"],
  ["a name twice", bytes('{"device":"a","ts":5,"temp":1,"temp":2}'), "type"],
  ["a time twice", bytes('{"device":"a","ts":5,"temp":1,"ts":5}'), "type"],
  ["a time as text", bytes('{"device":"a","ts":"5","temp":1}'), "type"],
  ["no time", bytes('{"device":"a","temp":1}'), "time"],
  ["a null time", bytes('{"device":"a","ts":null,"temp":1}'), "time"],
  ["a date ten years ahead", bytes(`{"device":"a","ts":${tenYears},"temp":1}`), "ahead"],
  ["the last date that there is", bytes('{"device":"a","ts":8.64e15,"temp":1}'), "ahead"],
  ["a date that there is not", bytes('{"device":"a","ts":1e300,"temp":1}'), "type"],
  ["two megabytes", bytes(`{"device":"a","ts":5,"temp":1,"pad":"${"x".repeat(2_000_000)}"}`), "decode"],
  [
    "a string beyond its bound",
    bytes(`{"device":"${"x".repeat(limits.string_bytes_max + 1)}","ts":5}`),
    "decode",
  ],
  ["nesting ten thousand deep", bytes(`{"ts":5,"x":${"[".repeat(10_000)}${"]".repeat(10_000)}}`), "decode"],
  ["objects ten thousand deep", bytes(`${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`), "decode"],
  [
    "invalid UTF-8",
    Uint8Array.from([...bytes('{"device":"'), 0xff, 0xfe, ...bytes('","ts":5,"temp":1}')]),
    "decode",
  ],
  ["a NUL", bytes('{"device":"a","ts":5,"temp":1}\u0000'), "decode"],
  ["a record that lies about its prototype", bytes('{"__proto__":{"ts":5},"device":"a"}'), "time"],
];

describe.each([1, 3, 1000])("%i records a batch", (batchRows) => {
  test.each(payloads)("%s", (_what, payload, reason) => {
    const harness = new Harness(planOf("json", [window, sink]), { batchRows });
    harness.record({ device: "a", ts: 1_000, temp: 20 });
    harness.record({ device: "a", ts: 50_000, temp: 21 });
    harness.counts();
    const before = harness.watermark;
    expect(before).toBe(49_000);
    for (let i = 0; i < 4; i++) harness.raw(payload);
    const counts = harness.counts();
    expect(lawFaults(counts)).toEqual([]);
    expect(counts[0]!.ledger).toEqual([{ step: "source", reason, records: 4 }]);
    expect(harness.watermark).toBe(before);
    expect(harness.letters.map((letter) => letter.reason)).toEqual([reason, reason, reason, reason]);
    for (const letter of harness.letters) {
      expect(Buffer.from(letter.payload!).equals(payload)).toBe(true);
      expect(letter.detail).not.toBe("");
      // Details say what was expected; a payload's own content stays in the payload.
      expect(letter.detail.length).toBeLessThan(200);
    }
    // The pipeline goes on, with records before and after the payload in one batch.
    harness.record({ device: "a", ts: 55_000, temp: 30 });
    harness.raw(payload);
    harness.record({ device: "a", ts: 56_000, temp: 10 });
    harness.finish();
    expect(harness.rows(0)).toEqual([{ window_start: 0, window_end: 60_000, device: "a", n: 4, high: 30 }]);
    expect(lawFaults(harness.counts())).toEqual([]);
  });
});

describe("what may look odd, and is a record", () => {
  test.each([
    [
      "a name twice that nobody reads",
      '{"ts":1,"device":"a","x":1,"temp":7,"x":{"temp":1}}',
      { device: "a", high: 7 },
    ],
    [
      "names of JavaScript's own",
      '{"ts":1,"device":"a","temp":7,"__proto__":{"x":1},"constructor":5,"toString":{}}',
      { device: "a", high: 7 },
    ],
    ["a device of that name", '{"ts":1,"device":"__proto__","temp":7}', { device: "__proto__", high: 7 }],
    ["a mark at the start", '\ufeff{"ts":1,"device":"a","temp":7}', { device: "a", high: 7 }],
    ["escapes in names", '{"t\\u0073":1,"device":"a","temp":7}', { device: "a", high: 7 }],
    ["an empty device", '{"ts":1,"device":"","temp":7}', { device: "", high: 7 }],
    [
      "members of no meaning",
      `{"ts":1,"device":"a","temp":7,"x":${"[".repeat(60)}${"]".repeat(60)}}`,
      { device: "a", high: 7 },
    ],
    ["all null", '{"ts":1,"device":null,"temp":null}', { device: null, high: null }],
  ])("%s", (_what, text, row) => {
    for (const batchRows of [1, 1000]) {
      const harness = new Harness(planOf("json", [window, sink]), { batchRows });
      for (let i = 0; i < 3; i++) harness.raw(text);
      harness.finish();
      expect(harness.rows(0)).toEqual([{ window_start: 0, window_end: 60_000, n: 3, ...row }]);
      expect(harness.letters).toEqual([]);
      expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
    }
  });
});

describe("the dead letter", () => {
  const large = payloads.find(([what]) => what === "two megabytes")![1];
  const harness = new Harness(planOf("json", [window, sink]));
  harness.raw(large, { subject: "some.subject" });
  harness.raw(Uint8Array.of(0xff, 0x00));
  harness.raw('{"ts":');
  const [cut, binary, text] = harness.letters as [
    (typeof harness.letters)[0],
    (typeof harness.letters)[0],
    (typeof harness.letters)[0],
  ];

  test("a payload beyond the limit is cut, and its size and hash tell which it was", () => {
    const message = letterMessage("hostile", cut, "dlq", 7);
    expect(message.payload).toEqual(large.slice(0, limits.dead_letter_payload_bytes_max));
    expect(message.headers).toMatchObject({
      "Weir-Pipeline": "hostile",
      "Weir-Step": "source",
      "Weir-Reason": "decode",
      "Weir-Subject": "some.subject",
      "Weir-Bytes": String(large.length),
      "Weir-Sha256": createHash("sha256").update(large).digest("hex"),
    });
    // The rest is not held on to.
    expect(message.payload.buffer.byteLength).toBeLessThan(2 * limits.dead_letter_payload_bytes_max);
  });

  test("one within the limit is whole, without a hash", () => {
    const message = letterMessage("hostile", text, "dlq", 7);
    expect(Buffer.from(message.payload).toString()).toBe('{"ts":');
    expect(Object.keys(message.headers!)).not.toContain("Weir-Sha256");
    expect(message).toMatchObject({ subject: "dlq", caused: 7, id: null });
  });

  test("as a line, it is JSON whatever the bytes", () => {
    const lineOf = (letter: typeof text): Record<string, unknown> =>
      JSON.parse(Buffer.from(letterLine("hostile", letter, 7).payload).toString()) as Record<string, unknown>;
    expect(lineOf(text)).toMatchObject({ payload: '{"ts":', reason: "decode", step: "source", arrived: 7 });
    expect(lineOf(binary)).toMatchObject({ payload_base64: "/wA=" });
    expect(lineOf(cut)).toMatchObject({ bytes: String(large.length), sha256: expect.any(String) as string });
  });

  test("headers are one line of plain text, whatever was refused", () => {
    const letter = { ...text, detail: "a\r\nWeir-Evil: 1\u0000ü", subject: "x\n".repeat(2_000) };
    for (const value of Object.values(letterMessage("hostile", letter, "dlq", 0).headers!)) {
      expect(value).toMatch(/^[\x20-\x7e]{0,512}$/);
    }
  });
});

describe("other formats", () => {
  test.each([
    [
      "msgpack",
      [
        Uint8Array.of(0xc1),
        new Uint8Array(0),
        Uint8Array.of(0x81, 0xa2, 0x74),
        Uint8Array.of(0xdf, 255, 255, 255, 255),
      ],
    ],
    ["csv", [bytes('a,"5,1'), bytes("a,5"), bytes("a,5,1,9,9"), bytes("a,soon,1"), bytes("a,5,warm")]],
  ] as const)("%s", (format, broken) => {
    const header = ["device", "ts", "temp"];
    const harness = new Harness(planOf(format, [window, sink]), { batchRows: 3, header });
    for (const payload of broken) {
      harness.raw(toPayload(format, good(1_000) as Record<string, unknown>, header));
      harness.raw(payload);
    }
    harness.finish();
    expect(harness.rows(0)).toMatchObject([{ device: "a", n: broken.length, high: 20 }]);
    expect(harness.letters.map(({ payload }) => [...payload!])).toEqual(
      broken.map((payload) => [...payload]),
    );
    expect(lawFaults(harness.counts())).toEqual([]);
  });
});
