// What answers to publishes mean, however they are written.

import { describe, expect, it } from "vitest";
import { type Outcome, outcomeOf } from "./jetstream-publisher.ts";

const stored = (sequence: number, duplicate = false): Outcome => ({
  kind: "stored",
  stream: "S_1-a",
  sequence,
  duplicate,
});
const odd = { kind: "refused", code: 0, reason: "an answer that is not JetStream's" };

describe("an answer to a publish", () => {
  it.each<[string, unknown]>([
    ['{"stream":"S_1-a","seq":7}', stored(7)],
    ['{"stream":"S_1-a", "seq":7}', stored(7)],
    ['{"stream":"S_1-a","seq":123456789012345}', stored(123_456_789_012_345)],
    ['{"stream":"S_1-a","domain":"hub","seq":7}', stored(7)],
    ['{"stream":"S_1-a","seq":7,"duplicate":true}', stored(7, true)],
    ['{"stream":"S_1-a","seq":7,"duplicate":false}', stored(7)],
    ['{ "seq": 7, "stream": "S_1-a" }', stored(7)],
    [
      '{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 3"},"stream":"S_1-a","seq":0}',
      { kind: "refused", code: 10_071, reason: "wrong last sequence: 3" },
    ],
    ['{"error":{"code":503}}', { kind: "refused", code: 503, reason: "unknown" }],
    ['{"stream":"S_1-a"}', odd],
    ['{"stream":"S_1-a","seq":"7"}', odd],
    ['{"stream":7,"seq":7}', odd],
    ["{}", odd],
    ["", odd],
    ["+OK", odd],
    ['{"stream":"S_1-a","seq":7', odd],
  ])("%s", (text, outcome) => expect(outcomeOf(0, text)).toEqual(outcome));

  it("without a stream that listens has a status and nothing else", () =>
    expect(outcomeOf(503, "")).toEqual({ kind: "absent" }));
});
