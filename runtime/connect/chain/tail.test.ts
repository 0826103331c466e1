// Every case of what follows from a tail, as a table, and what holds for all of them.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Tail } from "./chain.ts";
import { type Decision, decideTail, type Reach } from "./tail.ts";

/** Entries 1 to 100 were made in three starts; 41 to 100 are still here, 80 are known to be stored, 90 were sent by start 3. */
const reach: Reach = { oldest: 41, last: 100, stored: 80, sent: 90, epoch: 3 };
const none: Tail = { number: 0, epoch: 0 };

interface Case {
  readonly name: string;
  readonly reach?: Partial<Reach>;
  readonly tail: Tail;
  readonly expected: Decision;
}

const cases: readonly Case[] = [
  {
    name: "a new chain begins",
    reach: { oldest: 1, last: 0, stored: 0, sent: 0 },
    tail: none,
    expected: { kind: "continue", from: 1 },
  },
  {
    name: "a chain of which nothing arrived yet begins again",
    reach: { oldest: 1, stored: 0, sent: 0 },
    tail: none,
    expected: { kind: "continue", from: 1 },
  },
  {
    name: "the tail is what is known to be stored",
    tail: { number: 80, epoch: 3 },
    expected: { kind: "continue", from: 81 },
  },
  {
    name: "answers were lost: what arrived is not sent again",
    tail: { number: 88, epoch: 3 },
    expected: { kind: "continue", from: 89 },
  },
  {
    name: "an earlier start had sent more than this one knows",
    reach: { sent: 0, stored: 0 },
    tail: { number: 95, epoch: 2 },
    expected: { kind: "continue", from: 96 },
  },
  {
    name: "everything arrived",
    reach: { sent: 100 },
    tail: { number: 100, epoch: 3 },
    expected: { kind: "continue", from: 101 },
  },
  {
    name: "what came last was skipped, so the tail is below it",
    reach: { last: 100, stored: 97, oldest: 101, sent: 97 },
    tail: { number: 97, epoch: 3 },
    expected: { kind: "continue", from: 101 },
  },
  {
    name: "the tail was lost within what is kept",
    tail: { number: 60, epoch: 2 },
    expected: { kind: "heal", from: 61 },
  },
  {
    name: "the tail was lost to the oldest that is kept",
    tail: { number: 40, epoch: 1 },
    expected: { kind: "heal", from: 41 },
  },
  {
    name: "the tail was lost beyond what is kept",
    tail: { number: 30, epoch: 1 },
    expected: { kind: "gap", from: 41, first: 31, last: 40 },
  },
  {
    name: "all was lost",
    tail: none,
    expected: { kind: "gap", from: 41, first: 1, last: 40 },
  },
  {
    name: "all was lost and nothing is kept",
    reach: { oldest: 101, stored: 95 },
    tail: none,
    expected: { kind: "gap", from: 101, first: 1, last: 95 },
  },
  {
    name: "nobody knows how much was lost: all that is kept is sent again",
    tail: { number: 80, epoch: 3, regressed: true },
    expected: { kind: "heal", from: 41 },
  },
  {
    name: "the tail is ahead of what was made here",
    tail: { number: 101, epoch: 2 },
    expected: { kind: "fork", reason: "it has entry 101, and no more than 100 can have been sent from here" },
  },
  {
    name: "a copy of the same start sent more",
    tail: { number: 91, epoch: 3 },
    expected: { kind: "fork", reason: "it has entry 91 from start 3, and this one sent no further than 90" },
  },
  {
    name: "a later start has taken over",
    tail: { number: 85, epoch: 4 },
    expected: { kind: "fenced", epoch: 4 },
  },
  {
    name: "a later start has taken over and is ahead",
    tail: { number: 500, epoch: 4 },
    expected: { kind: "fenced", epoch: 4 },
  },
];

describe("what follows from a tail", () => {
  it.each(cases)("$name", ({ reach: given, tail, expected }) => {
    expect(decideTail({ ...reach, ...given }, tail)).toEqual(expected);
  });

  it("never sends again what arrived, never leaves out what is here, and tells what is neither", () => {
    const number = fc.integer({ min: 0, max: 50 });
    fc.assert(
      fc.property(number, number, number, number, number, fc.boolean(), (a, b, c, d, e, regressed) => {
        const [stored, last] = [Math.min(a, b), Math.max(a, b)];
        const all: Reach = { oldest: Math.min(c, last) + 1, last, stored, sent: d, epoch: 3 };
        const tail: Tail = { number: e, epoch: e === 0 ? 0 : 2, ...(regressed ? { regressed } : {}) };
        const decision = decideTail(all, tail);
        expect(decision.kind === "fork").toBe(e > last);
        if (decision.kind === "fork" || decision.kind === "fenced") return;
        if (regressed) {
          expect(decision).toEqual({ kind: "heal", from: all.oldest });
          return;
        }
        if (decision.kind === "gap") {
          expect(decision.first).toBe(e + 1);
          expect(decision.last).toBeLessThan(decision.from);
          expect(decision.from).toBe(all.oldest);
        } else if (decision.kind === "heal") expect(decision.from).toBe(e + 1);
        else expect(decision.from).toBe(Math.max(e + 1, all.oldest));
        expect(decision.kind === "continue").toBe(e >= stored);
      }),
    );
  });
});
