// What is accepted and what is refused, each reason of it; and that nothing but the very bytes that were signed is accepted.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Circumstances, digestOf, type Signature, verify, verifyAgain } from "./signature.ts";
import { signatureFor, signedAt, testKey, trusting } from "./signing.fixture.ts";

const [key, other, stranger] = [testKey(), testKey(), testKey()];
const text = "name: climate\nabout: one\n";
const now = Date.parse("2026-01-15T00:00:00.000Z");
const circumstances: Circumstances = { host: "gateway", keys: trusting(key, other), now, accepted: {} };
const good = signatureFor(text, key);

/** One of that time was accepted, signed by a key of ours. */
const before = (signed: string, digest: string, by = key): Pick<Circumstances, "accepted"> => ({
  accepted: { [by.id]: { signed, digest } },
});

function refusalOf(signature: unknown, more: Partial<Circumstances & { text: string }> = {}): string | null {
  const { text: said = text, ...changed } = more;
  return verify({ name: "climate", text: said, signature }, { ...circumstances, ...changed }).refusal;
}

test.each<[string, Parameters<typeof refusalOf>]>([
  ["for all hosts", [good]],
  ["by another key that is trusted", [signatureFor(text, other)]],
  ["for this host among others", [signatureFor(text, key, { hosts: ["north", "gateway"] })]],
  ["before it expires", [signatureFor(text, key, { expires: "2026-01-15T00:00:00.001Z" })]],
  ["newer than what was accepted", [good, before("2025-12-31T00:00:00.000Z", "0")]],
  ["as old as what was accepted", [good, before(signedAt, "0")]],
  [
    "accepted before, and expired since",
    [signatureFor(text, key, { expires: "2026-01-02T00:00:00.000Z" }), before(signedAt, digestOf(text))],
  ],
  ["by a clock that is far behind", [good, { now: 0 }]],
  ["older than what a key signed that is gone", [good, before("2099-01-01T00:00:00.000Z", "0", stranger)]],
])("accepted: %s", (_, [signature, more]) => {
  expect(refusalOf(signature, more)).toBeNull();
});

test.each<[string, Parameters<typeof refusalOf>, RegExp]>([
  [
    "no signature",
    [undefined],
    /^it is not signed; expected a signature by a key .* \([0-9a-f]{16}, .*weir sign/,
  ],
  ["no object", ["signature"], /^its signature is none that weir sign writes/],
  ["null", [null], /^its signature is none/],
  ["a field that is not known", [{ ...good, more: 1 }], /^its signature is none/],
  ["a time in another form", [{ ...good, signed: "2026-01-01T00:00:00Z" }], /^its signature is none/],
  ["no hosts at all", [{ ...good, hosts: [] }], /^its signature is none/],
  ["of another pipeline", [{ ...good, name: "doors" }], /^its signature is of doors, expected climate/],
  [
    "another text",
    [good, { text: `${text}#\n` }],
    /^its text is not what was signed \(sha256 .* or sign it again$/,
  ],
  [
    "by a stranger",
    [signatureFor(text, stranger)],
    /^key [0-9a-f]{16} is not trusted here, .* to the file of --trust$/,
  ],
  [
    "under another's name",
    [{ ...signatureFor(text, stranger), key: key.id }],
    /^its signature was not made by key/,
  ],
  ["with other hosts", [{ ...good, hosts: ["gateway"] }], /^its signature was not made by key/],
  [
    "with a later end",
    [{ ...good, expires: "2027-01-01T00:00:00.000Z" }],
    /^its signature was not made by key/,
  ],
  [
    "for others",
    [signatureFor(text, key, { hosts: ["north"] })],
    /^it is signed for north, and this host is gateway/,
  ],
  [
    "expired",
    [signatureFor(text, key, { expires: "2026-01-15T00:00:00.000Z" })],
    /^its signature was good until 2026-01-15T00:00:00.000Z: sign it again/,
  ],
  [
    "older than what was accepted",
    [good, before("2026-01-02T00:00:00.000Z", digestOf(text))],
    /^it was signed at 2026-01-01.*, and one that was signed at 2026-01-02.* weir rollback climate --key does$/,
  ],
  [
    "older than what another key signed",
    [good, before("2026-01-02T00:00:00.000Z", "0", other)],
    /^it was signed at 2026-01-01/,
  ],
])("refused: %s", (_, [signature, more], reason) => {
  expect(refusalOf(signature, more)).toMatch(reason);
});

test("what was accepted before is held to its signature alone, and to that always", () => {
  const keys = trusting(key);
  const expired = signatureFor(text, key, { expires: "2026-01-02T00:00:00.000Z" });
  const again = (signature: unknown, said = text): string | null =>
    verifyAgain({ name: "climate", text: said, signature }, { host: "gateway", keys }).refusal;
  expect(again(expired)).toBeNull();
  expect(again(expired, `${text}#\n`)).not.toBeNull();
  expect(again(signatureFor(text, other))).toMatch(/is not trusted here/);
});

test("a partition is what was signed as its pipeline", () => {
  const keys = trusting(key);
  const signature = signatureFor(text, key);
  const verdict = (name: string): string | null =>
    verifyAgain({ name, text, signature }, { host: "gateway", keys }).refusal;
  expect(verdict("climate~3")).toBeNull();
  expect(verdict("other~3")).toContain("its signature is of climate, expected other");
});

const bounded = signatureFor(text, key, { expires: "2026-02-01T00:00:00.000Z", hosts: ["gateway"] });
const fields = Object.keys(bounded) as (keyof Signature)[];

test("whatever byte of the text or of a field is another one, it is refused, and nothing throws", () => {
  const flipped = (value: string, at: number, by: number): string => {
    const bytes = Buffer.from(value, "latin1");
    bytes[at % bytes.length]! ^= by;
    return bytes.toString("latin1");
  };
  expect(refusalOf(bounded)).toBeNull();
  fc.assert(
    fc.property(
      fc.constantFrom("text", ...fields),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (what, at, by) => {
        if (what === "text") return refusalOf(bounded, { text: flipped(text, at, by) }) !== null;
        const value = bounded[what];
        const changed = typeof value === "string" ? flipped(value, at, by) : [flipped(value![0]!, at, by)];
        return refusalOf({ ...bounded, [what]: changed }) !== null;
      },
    ),
    { numRuns: 2_000 },
  );
});

test("whatever stands in its place, or in that of a field, is refused, and nothing throws", () => {
  fc.assert(
    fc.property(fc.constantFrom(null, ...fields), fc.jsonValue(), (field, anything) => {
      return refusalOf(field === null ? anything : { ...bounded, [field]: anything }) !== null;
    }),
    { numRuns: 500 },
  );
});
