// How far back one gets: by table, and one further each time, whatever was applied in between.

import fc from "fast-check";
import { expect, test } from "vitest";
import { earlierRevision, type WantedOnce } from "./rollback.ts";

/** `a b <a`: a and b were applied, then it was gone back to a. */
function historyOf(text: string): readonly WantedOnce[] {
  const words = text.split(" ").filter((word) => word !== "");
  return words.map((word) => ({ revision: word.replace("<", ""), back: word.startsWith("<") }));
}

test.each([
  ["", null, undefined],
  ["a", "a", undefined],
  ["a b", "b", "a"],
  ["a b c <b", "b", "a"],
  ["a b c <b <a", "a", undefined],
  // What was gone back from is not gone back to.
  ["a b <a c", "c", "a"],
  // One that was applied again is as new as any.
  ["a b a", "a", "b"],
  ["a b a <b", "b", "a"],
  // Removed: it comes back as it was.
  ["a b", null, "b"],
  ["a b b", "b", "a"],
  // What was before is not remembered any more.
  ["b c <a", "a", undefined],
])("after %s, at %s: %s", (text, present, expected) => {
  expect(earlierRevision(historyOf(text), present)?.revision).toBe(expected);
});

test("as often as it is gone back, so many revisions further back it is, and never in a circle", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.nat(10), (applied, back) => {
      const history = Array.from({ length: applied }, (_, at) => ({ revision: String(at), back: false }));
      const all: WantedOnce[] = [...history];
      let present = String(applied - 1);
      for (let time = 1; time <= back; time++) {
        const earlier = earlierRevision(all, present);
        expect(earlier?.revision).toBe(time < applied ? String(applied - 1 - time) : undefined);
        if (earlier === undefined) return;
        present = earlier.revision;
        all.push({ revision: present, back: true });
      }
    }),
  );
});
