// Numbers that are left out are counted, by subject, and by nothing else that stands in a record.

import * as fc from "fast-check";
import { expect, it } from "vitest";
import { PayloadBuilder } from "../../batch/payloads.ts";
import { SequenceGaps } from "./sequence-gaps.ts";

function batch(...records: readonly (readonly [subject: string, record: string])[]) {
  const builder = new PayloadBuilder();
  for (const [subject, record] of records) builder.add(Buffer.from(record), subject, 0);
  return builder.take();
}

it("counts what is left out, whatever the order of subjects", () => {
  const kept = fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.boolean()), { maxLength: 60 });
  fc.assert(
    fc.property(kept, fc.nat(59), (sent, cut) => {
      const gaps = new SequenceGaps("n");
      const numbers = new Map<string, number>();
      /** By subject, those since the last that came; before the first nobody knows of any. */
      const since = new Map<string, number>();
      let missing = 0;
      const came: [string, string][] = [];
      for (const [subject, isKept] of sent) {
        const number = (numbers.get(subject) ?? 100) + 1;
        numbers.set(subject, number);
        if (!isKept) {
          const before = since.get(subject);
          if (before !== undefined) since.set(subject, before + 1);
          continue;
        }
        missing += since.get(subject) ?? 0;
        since.set(subject, 0);
        came.push([subject, `{"x":"\\"n\\":7","n": ${number},"m":{"n":5}}`]);
      }
      gaps.note(batch(...came));
      expect(gaps.missing).toBe(missing);
      // One that takes over counts what the other would have counted from there on.
      const first = new SequenceGaps("n");
      first.note(batch(...came.slice(0, cut)));
      const second = new SequenceGaps("n");
      second.recall(batch(...came.slice(0, cut)));
      second.note(batch(...came.slice(cut)));
      expect(first.missing + second.missing).toBe(missing);
    }),
    { seed: 1, numRuns: 500 },
  );
});

it("makes nothing of records without a number, and begins anew where a publisher does", () => {
  const gaps = new SequenceGaps("n");
  gaps.note(
    batch(["a", '{"n":5}'], ["a", '{"n":"6"}'], ["a", '{"n":}'], ["a", "{}"], ["a", ""], ["a", '{"n":-9}']),
  );
  gaps.note(batch(["a", '{"n":99999999999999999999}'], ["a", '{"n":8}'], ["a", '{"n":0}'], ["a", '{"n":1}']));
  expect(gaps.missing).toBe(2);
});
