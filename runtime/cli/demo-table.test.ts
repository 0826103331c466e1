// The table says what the figures say, in any width.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PipelineFigures } from "./demo-figures.ts";
import { bytesText, latencyText } from "./amounts.ts";
import { plainLine, renderTable, type TableState } from "./demo-table.ts";

const plain = { bold: (text: string) => text, dim: (text: string) => text, good: (text: string) => text };

function pipeline(parts: Partial<PipelineFigures> = {}): PipelineFigures {
  return {
    name: "climate",
    in: 3220,
    out: 3220,
    held: 0,
    ledger: {},
    rows: 56,
    read: 56,
    bytes_in: 338_000,
    bytes_out: 10_700,
    p50_ms: 5.7,
    p99_ms: 104.2,
    branches: [],
    ...parts,
  };
}

function state(parts: Partial<TableState> = {}): TableState {
  return {
    elapsed_ms: 12_345,
    for_ms: 20_000,
    ended: false,
    pipelines: [
      pipeline(),
      pipeline({ name: "gateway-health", in: 12, rows: 0, bytes_out: 0, p50_ms: null, p99_ms: null }),
    ],
    rowsByStream: { CLIMATE: 56, HEALTH: 1200 },
    ...parts,
  };
}

describe("the table", () => {
  it("has a line for each pipeline with all its figures where there is room", () => {
    const lines = renderTable(state(), 120, plain).split("\n");
    expect(lines[0]).toBe("12 s of 20 s");
    expect(lines[1]!.trim().split(/ {2,}/)).toEqual([
      "pipeline",
      "records in",
      "rows out",
      "bytes in",
      "bytes out",
      "reduction",
      "p50",
      "p99",
    ]);
    expect(lines[2]!.trim().split(/ {2,}/)).toEqual([
      "climate",
      "3,220",
      "56",
      "338 kB",
      "10.7 kB",
      "32×",
      "5.7 ms",
      "104 ms",
    ]);
    expect(lines[3]!.trim().split(/ {2,}/)).toEqual([
      "gateway-health",
      "12",
      "0",
      "338 kB",
      "0 B",
      "–",
      "–",
      "–",
    ]);
    expect(lines[4]).toBe("read back from the cloud: 1,256 rows (CLIMATE 56, HEALTH 1,200)");
  });

  it("puts the figures of a column under one another", () => {
    const lines = renderTable(state(), 120, plain).split("\n");
    const ends = lines.slice(1, 4).map((line) => line.length);
    expect(new Set(ends).size).toBe(1);
  });

  it("leaves out the bytes first, and keeps the rows longest", () => {
    const header = (width: number): string => renderTable(state(), width, plain).split("\n")[1]!;
    expect(header(80)).not.toContain("bytes in");
    expect(header(80)).toContain("p99");
    expect(header(60)).not.toContain("bytes out");
    expect(header(30)).toContain("rows out");
    expect(header(30)).not.toContain("records in");
  });

  it("is never wider than the terminal, and always as many lines", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.nat(), fc.nat(), (width, records, bytes) => {
        const each = pipeline({ in: records, bytes_in: bytes, bytes_out: records });
        const lines = renderTable(state({ pipelines: [each] }), width, plain).split("\n");
        expect(lines).toHaveLength(4);
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
      }),
    );
  });

  it("marks parts with the styles that it is given, and none of its own", () => {
    const marked = renderTable(state(), 100, { ...plain, bold: (text) => `<b>${text}</b>` });
    expect(marked.startsWith("<b>12 s of 20 s</b>\n")).toBe(true);
    expect(marked).not.toContain("\x1b");
  });

  it("says how it ends", () => {
    expect(renderTable(state({ for_ms: null }), 80, plain)).toContain("12 s, Ctrl-C ends it");
    expect(renderTable(state({ for_ms: null, ended: true }), 80, plain)).toContain("after 12 s");
  });
});

describe("a plain line", () => {
  it("has everything of one pipeline", () => {
    expect(plainLine(pipeline(), 15_020)).toBe(
      "15 s  climate: 3,220 records in, 56 rows out, 338 kB in, 10.7 kB out (32×), p50 5.7 ms, p99 104 ms",
    );
  });
});

it.each([
  [0, "0 B"],
  [999, "999 B"],
  [1_000, "1.0 kB"],
  [99_940, "99.9 kB"],
  [99_960, "100 kB"],
  [999_600, "1.0 MB"],
  [2_500_000_000, "2.5 GB"],
])("%d bytes are %s", (bytes, text) => {
  expect(bytesText(bytes)).toBe(text);
});

it("latencies are in ms, or a dash where there is none", () => {
  expect([0.04, 7.25, 1234.4, null].map(latencyText)).toEqual(["0.0 ms", "7.3 ms", "1,234 ms", "–"]);
});
