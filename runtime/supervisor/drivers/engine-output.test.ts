// Output of containers: the same lines however the engine cuts what it sends, and bounded.

import fc from "fast-check";
import { expect, it } from "vitest";
import { limits } from "../../limits.ts";
import { OutputLines } from "./engine-output.ts";

function frame(kind: 1 | 2, text: string): Buffer {
  const payload = Buffer.from(text);
  const header = Buffer.alloc(8);
  header[0] = kind;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

function linesOf(most: number, ...chunks: readonly Buffer[]): readonly string[] {
  const output = new OutputLines(most);
  for (const chunk of chunks) output.push(chunk);
  expect(output.broken).toBe(false);
  return output.lines();
}

it("joins what belongs to one line, of each output for itself", () => {
  const frames = [frame(1, "a\nb"), frame(2, "err"), frame(1, "c\n"), frame(2, "or\n"), frame(1, "open")];
  expect(linesOf(10, ...frames)).toEqual(["a", "bc", "error", "open"]);
  expect(linesOf(2, ...frames)).toEqual(["error", "open"]);
});

it("gives the same lines however it is cut", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "é", "\n", "🙂"), maxLength: 12 });
  const frames = fc.array(fc.tuple(fc.constantFrom(1 as const, 2 as const), text), { maxLength: 8 });
  fc.assert(
    fc.property(frames, fc.infiniteStream(fc.integer({ min: 1, max: 9 })), (parts, sizes) => {
      const whole = Buffer.concat(parts.map(([kind, each]) => frame(kind, each)));
      const pieces: Buffer[] = [];
      for (let from = 0; from < whole.length; ) {
        const size = sizes.next().value ?? 1;
        pieces.push(whole.subarray(from, from + size));
        from += size;
      }
      expect(linesOf(1_000, ...pieces)).toEqual(linesOf(1_000, whole));
    }),
  );
});

it("keeps no more of a line than a line may have", () => {
  const long = "x".repeat(limits.worker_log_line_bytes_max);
  expect(linesOf(1, frame(1, long), frame(1, long), frame(1, "\n"))).toEqual([long]);
});

it("shows what came before the end was cut off", () => {
  expect(linesOf(10, frame(1, "a\n"), frame(1, "bcd\n").subarray(0, 9))).toEqual(["a"]);
});

it("says when it is none", () => {
  for (const bad of [Buffer.from("plain text here"), Buffer.from([1, 0, 0, 0, 255, 255, 255, 255, 1])]) {
    const output = new OutputLines(10);
    output.push(frame(1, "a\n"));
    output.push(bad);
    expect({ broken: output.broken, lines: output.lines() }).toEqual({ broken: true, lines: ["a"] });
  }
});
