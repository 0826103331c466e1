// Diagnostics as printed: the line, the caret, long lines, tabs, colour.

import { expect, it } from "vitest";
import { formatDiagnostics, inOneLine } from "./format-diagnostics.ts";
import type { Diagnostic } from "./pipeline.ts";

function at(line: number, column: number, length: number, hint: string | null = null): Diagnostic {
  return {
    file: "p.yaml",
    line,
    column,
    length,
    message: "there is no operator fliter",
    hint,
    severity: "error",
  };
}

it("prints as a compiler would", () => {
  const source = "name: p\nsteps:\n  - fliter: temp > 3\n";
  expect(formatDiagnostics([at(3, 5, 6, "did you mean filter?"), at(1, 1, 4)], { "p.yaml": source })).toBe(
    `p.yaml:3:5: error: there is no operator fliter
    3 |   - fliter: temp > 3
      |     ^^^^^^ did you mean filter?
p.yaml:1:1: error: there is no operator fliter
    1 | name: p
      | ^^^^
`,
  );
});

it("is one line in a log, without the lines of the file", () => {
  const source = "name: p\nsteps:\n\t- fliter: temp > 3\n";
  const all = [at(3, 4, 6, "did you mean filter?"), at(1, 1, 4), at(9, 1, 1, "save it")];
  expect(inOneLine(formatDiagnostics(all, { "p.yaml": source }))).toBe(
    [
      "p.yaml:3:4: error: there is no operator fliter; did you mean filter?",
      "p.yaml:1:1: error: there is no operator fliter",
      "p.yaml:9:1: error: there is no operator fliter; save it",
    ].join("; "),
  );
  expect(inOneLine("kept with other steps: --forget a")).toBe("kept with other steps: --forget a");
});

it.each([
  ["a: nats://site:p@ss1@h:1, b: tls://t0ken@h", "a: nats://**********@h:1, b: tls://*****@h"],
  ['{ user: u, password: "s3cret !", wrong: 1 }', '{ user: u, password: "****** *", wrong: 1 }'],
  ["token: s3cret # mine", "token: ****** # mine"],
  ["password: ${WEIR_PASSWORD}, x: 1", "password: ${WEIR_PASSWORD}, x: 1"],
  [
    "- pseudonym: { columns: a, key: 0123456789abcdef }",
    "- pseudonym: { columns: a, key: **************** }",
  ],
  ["keys: { max: 5 }", "keys: { max: 5 }"],
])("shows no secret of a line: %s", (source, shown) => {
  const line = formatDiagnostics([at(1, 1, 1)], { "p.yaml": source }).split("\n")[1]!;
  expect(line.replace("    1 | ", "")).toBe(shown);
});

it("says nothing about nothing", () => {
  expect(formatDiagnostics([], {})).toBe("");
});

it("prints what it can where the source is not there", () => {
  expect(formatDiagnostics([at(9, 1, 1, "save it")], { "p.yaml": "a" })).toBe(
    "p.yaml:9:1: error: there is no operator fliter\n      save it\n",
  );
});

it("shows the part of a long line that matters", () => {
  const source = `${"x".repeat(500)}fliter${"y".repeat(500)}`;
  const [, line, caret] = formatDiagnostics([at(1, 501, 6)], { "p.yaml": source }).split("\n");
  expect(line!.length).toBeLessThan(140);
  const start = caret!.indexOf("^");
  expect(line!.slice(start, start + 6)).toBe("fliter");
  expect(caret!.slice(start)).toBe("^^^^^^");
});

it("keeps tabs, so that the caret stands right", () => {
  const [, , caret] = formatDiagnostics([at(1, 3, 1)], { "p.yaml": "\ta\tb" }).split("\n");
  expect(caret).toBe("      | \t ^");
});

it("colours on demand and lets no control character through", () => {
  const hostile: Diagnostic = { ...at(1, 1, 1), message: "got \u001b[2J\u0007x" };
  const plain = formatDiagnostics([hostile], { "p.yaml": "a" }, { color: false });
  expect(plain).not.toContain("\u001b");
  expect(plain).not.toContain("\u0007");
  const [, line, caret] = formatDiagnostics([at(1, 7, 1)], { "p.yaml": "a\t\u001b[2J\u009b\u202ex" }).split(
    "\n",
  );
  expect([line, caret]).toEqual(["    1 | a\t\ufffd[2J\ufffd\ufffdx", "      |  \t    ^"]);
  expect(formatDiagnostics([at(1, 1, 1)], { "p.yaml": "a" }, { color: true })).toContain(
    "\u001b[1;31m^\u001b[0m",
  );
});
