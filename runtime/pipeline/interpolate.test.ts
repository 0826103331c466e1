// References in values: what they become, what stays as it is, what is remembered as secret.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readDocument } from "./document.ts";
import { type Interpolated, interpolate } from "./interpolate.ts";
import { redact } from "./redact.ts";

const variables = {
  SUBJECT: "sensors.a",
  EMPTY: "",
  RATE: "100",
  ID: "007",
  FLAG: "true",
  NATS_PASSWORD: "hunter2!",
  LOOP: "${SUBJECT}",
  YAML: "{ a: 1 }\nb: 2",
};
const files: Readonly<Record<string, string>> = {
  "/run/secrets/token": "s3cr3t-t0ken\n",
  big: "x".repeat(70_000),
};

function interpolated(text: string): Interpolated {
  const { document, diagnostics } = readDocument("p.yaml", text);
  expect(diagnostics).toEqual([]);
  return interpolate(document!, {
    variables,
    file: (path) => (Object.hasOwn(files, path) ? files[path]! : null),
  });
}

describe("values", () => {
  it.each([
    ["k: ${SUBJECT}", "sensors.a"],
    ["k: a.${SUBJECT}.b", "a.sensors.a.b"],
    ['k: "${SUBJECT}"', "sensors.a"],
    ["k: ${MISSING:-fallback}", "fallback"],
    ["k: ${EMPTY:-fallback}", "fallback"],
    ["k: ${EMPTY}", ""],
    ["k: ${MISSING:-}", ""],
    ["k: ${RATE}", 100],
    ['k: "${RATE}"', "100"],
    ["k: ${ID}", "007"],
    ["k: ${FLAG}", true],
    ["k: ${MISSING:-0.5}", 0.5],
    ["k: $${SUBJECT}", "${SUBJECT}"],
    ["k: $SUBJECT", "$SUBJECT"],
    ["k: ${file:/run/secrets/token}", "s3cr3t-t0ken"],
    ["k: ${LOOP}", "${SUBJECT}"],
    ["k: ${YAML}", "{ a: 1 }\nb: 2"],
    ["k: |\n  ${SUBJECT}\n", "sensors.a\n"],
  ])("%s", (text, value) => {
    const { document, diagnostics } = interpolated(text);
    expect(diagnostics).toEqual([]);
    expect(document.value).toEqual({ k: value });
  });

  it("leaves keys alone", () => {
    expect(interpolated('"${SUBJECT}": 1').document.value).toEqual({ "${SUBJECT}": 1 });
  });
});

describe("mistakes", () => {
  it.each([
    ["k: a.${MISSING}", "1:6 the variable MISSING is not set", "set it, or write ${MISSING:-default}"],
    ["k: ${SUBJCT}", "1:4 the variable SUBJCT is not set", "did you mean SUBJECT?"],
    [
      "k: ${not a name}",
      "1:4 ${not a name} is not a reference",
      "write ${NAME}, ${NAME:-default} or ${file:path}; $${ for the characters themselves",
    ],
    [
      "k: ${",
      "1:4 ${ without its }",
      "write ${NAME}, none inside another; $${ for the characters themselves",
    ],
    ["k: ${toString}", "1:4 the variable toString is not set", "set it, or write ${toString:-default}"],
    [
      "k: ${file:/etc/shadow}",
      "1:4 there is no file /etc/shadow that may be read",
      "check the path and its folder",
    ],
    ["k: ${file:big}", "1:4 the value is longer than 65536 bytes", "shorten it"],
  ])("%s", (text, message, hint) => {
    const [first, ...others] = interpolated(text).diagnostics;
    expect(others).toEqual([]);
    expect(`${first!.line}:${first!.column} ${first!.message}`).toBe(message);
    expect(first!.hint).toBe(hint);
  });

  it("has a bound on all values together", () => {
    const text = Array.from({ length: 20 }, (_, i) => `k${i}: \${file:most}\n`).join("");
    const { document } = readDocument("p.yaml", text);
    const { diagnostics } = interpolate(document!, { variables: {}, file: () => "x".repeat(65_000) });
    expect(diagnostics.map((each) => `${each.line} ${each.message}`)).toEqual([
      "17 all values together are longer than 1048576 bytes",
    ]);
  });

  it("reads a text of nothing but openings once", () => {
    const { diagnostics } = interpolated(`k: "${"${".repeat(100_000)}"`);
    expect(diagnostics.length).toBeGreaterThan(100);
    expect(diagnostics[0]!.message).toBe("${ without its }");
  });

  it("reports each of several", () => {
    expect(interpolated("a: ${ONE}\nb: ${TWO}\n").diagnostics.map((each) => each.line)).toEqual([1, 2]);
  });
});

describe("secrets", () => {
  it("remembers files, and variables whose name says so", () => {
    const { secrets } = interpolated(
      "a: ${NATS_PASSWORD}\nb: ${SUBJECT}\nc: ${file:/run/secrets/token}\nd: ${A_TOKEN:-none}\n",
    );
    expect(secrets).toEqual(["hunter2!", "s3cr3t-t0ken"]);
  });

  it("takes them out of a text, the longest first", () => {
    expect(redact("user:hunter2!x at hunter2!", ["hunter2!", "hunter2!x"])).toBe("user:*** at ***");
  });
});

it("puts nothing in that a second look would change", () => {
  fc.assert(
    fc.property(fc.string(), (value) => {
      const { document } = readDocument("p.yaml", 'k: "${VALUE}"');
      const { document: after, diagnostics } = interpolate(document!, {
        variables: { VALUE: value },
        file: () => null,
      });
      expect(diagnostics).toEqual([]);
      expect(after.value).toEqual({ k: value });
    }),
  );
});
