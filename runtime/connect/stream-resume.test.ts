// Where reading a stream goes on, for whatever became of it: a table, and what holds for every stream.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resumeStream, type StreamFacts, type StreamPlace } from "./stream-resume.ts";

const place: StreamPlace = { created: "monday", incarnation: 3, sequence: 100 };
const facts = (first: number, last: number, reused: number | null = null): StreamFacts => ({
  created: "monday",
  first,
  last,
  reused,
});

describe("going on in a stream", () => {
  it.each([
    ["where nothing has happened", facts(1, 100), 101, 3, []],
    ["where more was stored", facts(1, 150), 101, 3, []],
    ["where what was read is gone", facts(101, 150), 101, 3, []],
    ["where all that was read is gone and nothing is left", facts(101, 100), 101, 3, []],
    [
      "where messages are gone before they were read",
      facts(121, 150),
      121,
      3,
      [{ kind: "gap", records: 20 }],
    ],
    ["where the stream was emptied", facts(151, 150), 151, 3, [{ kind: "purged", records: 50 }]],
    ["where its end is lost", facts(1, 80), 81, 4, [{ kind: "regressed", records: 20 }]],
    ["where all is lost but its name", facts(1, 0), 1, 4, [{ kind: "regressed", records: 100 }]],
    [
      "where its end is lost and has grown again",
      facts(1, 300, 81),
      81,
      4,
      [{ kind: "regressed", records: 20 }],
    ],
    [
      "where its end is lost and is growing again",
      facts(1, 90, 81),
      81,
      4,
      [{ kind: "regressed", records: 20 }],
    ],
    [
      "where the last number that was read is another message",
      facts(1, 100, 100),
      100,
      4,
      [{ kind: "regressed", records: 1 }],
    ],
    [
      "where its end is lost, and new messages as well",
      facts(90, 150, 81),
      90,
      4,
      [
        { kind: "regressed", records: 20 },
        { kind: "gap", records: 9 },
      ],
    ],
    ["where it was made anew", { ...facts(1, 500), created: "tuesday" }, 1, 4, [{ kind: "recreated" }]],
    [
      "where it was made anew and is empty",
      { ...facts(1, 0), created: "tuesday" },
      1,
      4,
      [{ kind: "recreated" }],
    ],
    [
      "where it was made anew and has dropped messages",
      { ...facts(11, 500), created: "tuesday" },
      11,
      4,
      [{ kind: "recreated" }, { kind: "gap", records: 10 }],
    ],
  ])("%s", (_, found, start, incarnation, events) => {
    expect(resumeStream(place, found)).toEqual({ start, incarnation, events });
  });

  it("begins with the first message where none was read", () => {
    const nothing = { ...place, sequence: 0 };
    expect(resumeStream(nothing, facts(1, 0))).toEqual({ start: 1, incarnation: 3, events: [] });
    expect(resumeStream(nothing, facts(6, 9)).events).toEqual([{ kind: "gap", records: 5 }]);
  });

  it("never waits where nothing comes, never reads a record twice, and names all that it steps over", () => {
    // A stream as it was read, cut behind `kept`, grown to `last`, and without what is before `first`.
    const life = fc
      .record({
        sequence: fc.nat(30),
        kept: fc.nat(30),
        grown: fc.nat(30),
        dropped: fc.nat(70),
      })
      .map(({ sequence, kept, grown, dropped }) => {
        const last = kept + grown;
        const first = Math.min(dropped, last) + 1;
        const isCut = kept < sequence;
        const reused =
          isCut && grown > 0 && Math.max(first, kept + 1) <= Math.min(last, sequence)
            ? Math.max(first, kept + 1)
            : null;
        return { sequence, kept, last, first, reused };
      });
    fc.assert(
      fc.property(life, ({ sequence, kept, last, first, reused }) => {
        const before = { ...place, sequence };
        const { start, incarnation, events } = resumeStream(before, facts(first, last, reused));
        expect(start).toBeLessThanOrEqual(last + 1);
        expect(start).toBeGreaterThanOrEqual(Math.min(first, last + 1));
        const isKnownCut = reused !== null || last < sequence;
        expect(incarnation).toBe(isKnownCut ? 4 : 3);
        // All that is new and still there is read, and nothing that was read before.
        if (isKnownCut) expect(start).toBe(Math.max(Math.min(kept, last) + 1, first));
        const stepped = events.reduce(
          (sum, event) => (event.kind === "gap" || event.kind === "purged" ? sum + event.records : sum),
          0,
        );
        const back = events.reduce(
          (sum, event) => (event.kind === "regressed" ? sum + event.records : sum),
          0,
        );
        expect(start).toBe(sequence + 1 - back + stepped);
      }),
      { seed: 5, numRuns: 2_000 },
    );
  });
});
