// The kernel by itself: what it takes without help, and that it stays within its regions.

import { describe, expect, test } from "vitest";
import type { FieldRead } from "../codec.ts";
import { compilePaths } from "../json/paths.ts";
import { JsonReader } from "../json/reader.ts";
import { padding } from "./assembly/shape.ts";
import { createKernel } from "./kernel.ts";
import { KernelLanding } from "./landing.ts";
import { KernelMemory } from "./memory.ts";
import { templateRoom, writeTemplate } from "./template.ts";

const encoder = new TextEncoder();

const fields: readonly FieldRead[] = [
  { name: "device", type: "string" },
  { name: "ts", type: "time" },
  { name: "temp", type: "float64" },
  { name: "n", type: "int64" },
  { name: "ok", type: "bool" },
  { name: "at", type: "time", unit: "iso" },
  { name: "pos", type: "json" },
];

function record(values: Partial<Record<string, string>> = {}): string {
  const all = {
    device: '"device-0042"',
    ts: "1700000000123",
    temp: "21.57",
    n: "12",
    ok: "true",
    at: '"2024-02-29T12:30:00Z"',
    pos: '{"lat":1,"lon":2}',
    other: '"x"',
    ...values,
  };
  return `{${Object.entries(all)
    .map(([name, value]) => `"${name}":${value}`)
    .join(",")}}`;
}

/** A kernel that knows one layout. */
class Trial {
  readonly memory: KernelMemory = new KernelMemory(createKernel()!);
  readonly landing: KernelLanding = new KernelLanding(
    this.memory,
    fields.map((field) => field.type),
  );
  readonly #template: number;

  constructor(text: string) {
    const bytes = encoder.encode(text);
    const reader = new JsonReader(fields, compilePaths(fields));
    const layout = reader.layoutsOf(bytes, 0, bytes.length)[0]!;
    this.landing.begin(1);
    this.#template = this.memory.allocate(templateRoom(fields.length));
    writeTemplate(this.memory, this.#template, layout, this.landing.addresses);
  }

  /** Whether the kernel takes the record at `address`. */
  takesAt(address: number, length: number): boolean {
    const { everyRow, left, offsets } = this.landing;
    this.memory.words.set([0, length], offsets / 4);
    return this.memory.kernel.decode(this.#template, everyRow, 1, left, address, offsets) === 0;
  }

  takes(text: string): boolean {
    const bytes = encoder.encode(text);
    this.landing.begin(1);
    this.landing.load({ bytes, offsets: Uint32Array.of(0, bytes.length), count: 1 });
    return this.takesAt(this.landing.payloads, bytes.length);
  }
}

describe("the kernel alone", () => {
  const trial = new Trial(record());

  test.each([
    ["the same again", {}],
    ["nulls", { device: "null", ts: "null", temp: "null", n: "null", ok: "null", at: "null", pos: "null" }],
    ["long numbers", { temp: "0.30000000000000004", n: "-9223372036854775808", ts: "1e3" }],
    ["signs and zeros", { temp: "-0", n: "-0", ts: "0.5", ok: "false" }],
    ["texts of any length and script", { device: `"${"größe-温".repeat(9)}"`, other: `"${"y".repeat(99)}"` }],
    ["escapes", { device: '"20 \\u00b0C \\ud83d\\ude00 \\n"', other: '"\\/\\""' }],
    ["nesting where nobody looks", { other: '[1, {"a":[]} ,"é"]', pos: "[]" }],
    ["any kind where nobody looks", { other: "-1.5e-300", pos: "1" }],
    ["other forms of time", { at: '"2024-02-29T12:30:59.123456789+02:00"' }],
    ["a date alone", { at: '"2024-02-29"' }],
  ])("takes %s", (_title, values) => {
    expect(trial.takes(record(values))).toBe(true);
  });

  test.each([
    ["half a surrogate pair", { device: '"\\ud83d"' }],
    ["half a surrogate pair where nobody looks", { other: '"\\ude00\\ud83d"' }],
    ["an unknown escape", { device: '"\\x41"' }],
    ["another type", { temp: '"21"' }],
    ["a fraction in an integer", { n: "1.5" }],
    ["an integer beyond 64 bits", { n: "9223372036854775808" }],
    ["a time beyond a Date", { ts: "8640000000000001" }],
    ["a day that is none", { at: '"2023-02-29"' }],
    ["a leading zero", { temp: "01" }],
    ["two points", { temp: "1.2.3" }],
    ["a point without digits", { temp: "1." }],
    ["a control character", { device: '"a\tb"' }],
  ])("leaves %s", (_title, values) => {
    expect(trial.takes(record(values))).toBe(false);
  });

  test("leaves a record with a byte more, and one with a byte less", () => {
    expect(trial.takes(`${record()} `)).toBe(false);
    expect(trial.takes(record().slice(0, -1))).toBe(false);
  });
});

describe("the end of memory", () => {
  test("a record may end as far from it as the padding, wherever it is cut", () => {
    const trial = new Trial(record());
    const { memory } = trial;
    // The last region that there is: `padding` bytes behind it the memory ends.
    const free = memory.allocate(0) + padding;
    const room = 65_536 * 2 - (free % 65_536) - padding;
    const region = memory.allocate(room);
    const end = region + room;
    expect(end + padding).toBe(memory.buffer.byteLength);
    const samples = [
      record(),
      record({ temp: "1".repeat(40), other: "[".repeat(60) }),
      record({ device: '"é"' }),
    ];
    for (const sample of samples) {
      const bytes = encoder.encode(sample);
      for (let length = 0; length <= bytes.length; length++) {
        memory.bytes.fill(0, region);
        memory.bytes.set(bytes.subarray(0, length), end - length);
        trial.takesAt(end - length, length);
      }
    }
    memory.bytes.fill(0, region);
    const whole = encoder.encode(record());
    memory.bytes.set(whole, end - whole.length);
    expect(trial.takesAt(end - whole.length, whole.length)).toBe(true);
  });
});
