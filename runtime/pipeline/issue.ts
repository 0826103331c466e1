// What zod found wrong, as diagnostics in the words of a pipeline file, at the place in the document:
// an unknown key at itself, a missing one at its owner, a wrong value at the value. Never validates.

import type { z } from "zod";
import type { ConfigDocument } from "./document.ts";
import { nearName } from "../expression/near-name.ts";
import { nearZone } from "../expression/near-zone.ts";
import { choiceOf, didYouMean } from "./nearest.ts";
import type { Diagnostic, Path } from "./pipeline.ts";
import { examplesAt, keysAt } from "./shape.ts";
import { isOption } from "./option-words.ts";

type Issue = z.core.$ZodIssue;

const typeWords: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "a map",
  record: "a map",
  array: "a list",
  null: "nothing",
};

/** The diagnostics for `issues` of the value at `base`, which `schema` refused. */
export function diagnosticsOf(
  issues: readonly Issue[],
  base: Path,
  schema: z.core.$ZodType,
  document: ConfigDocument,
): readonly Diagnostic[] {
  return describeAll(issues, base, [], schema, document);
}

/** Of a setting that is missing because its name is mistyped, only the name is told. */
function describeAll(
  issues: readonly Issue[],
  base: Path,
  within: Path,
  schema: z.core.$ZodType,
  document: ConfigDocument,
): readonly Diagnostic[] {
  const isMistyped = (issue: Issue): boolean =>
    isMissing(issue) &&
    issue.path.length > 0 &&
    document.valueAt([...base, ...within, ...plainPath(issue)]) === undefined &&
    issues.some((other) => {
      if (other.code !== "unrecognized_keys") return false;
      const [owner, name] = [plainPath(issue).slice(0, -1), issue.path.at(-1)];
      if (owner.length !== other.path.length || owner.some((step, place) => step !== other.path[place]))
        return false;
      const known = keysAt(schema, [...within, ...owner]);
      return other.keys.some((key) => nearName(key, known) === name);
    });
  return issues.flatMap((issue) =>
    isMistyped(issue) ? [] : describe(issue, base, within, schema, document),
  );
}

function plainPath(issue: Issue): Path {
  return issue.path.map((step) => (typeof step === "symbol" ? String(step) : step));
}

function describe(
  issue: Issue,
  base: Path,
  within: Path,
  schema: z.core.$ZodType,
  document: ConfigDocument,
): readonly Diagnostic[] {
  const local = [...within, ...plainPath(issue)];
  const path = [...base, ...local];
  const value = document.valueAt(path);
  if (value === undefined && isMissing(issue)) {
    const name = path.at(-1);
    const examples = examplesAt(schema, local);
    const hint = examples.length > 0 ? `write it like ${examples.join(" or ")}` : expectedHint(issue);
    return [document.diagnostic(document.spanOf(path.slice(0, -1)), `${name} is missing`, hint)];
  }
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) =>
        document.diagnostic(
          document.keySpanOf([...path, key]),
          `unknown setting ${key}`,
          besideHint(key, path) ??
            ownerHint(key, value, (names) => keysAt(schema, [...local, ...names])) ??
            cutNumberHint(key, document.valueAt([...path, key])) ??
            settingsHint(key, keysAt(schema, local), local),
        ),
      );
    case "invalid_key": {
      const message = issue.issues[0]?.message ?? issue.message;
      return [
        document.diagnostic(
          document.keySpanOf(path),
          `${String(path.at(-1))} cannot be a name here`,
          message,
        ),
      ];
    }
    case "invalid_union": {
      const branch = bestBranch(issue.errors, value);
      if (branch !== null) return describeAll(branch, base, local, schema, document);
      return [
        document.diagnostic(
          document.spanOf(path),
          `expected ${expectedOf(issue) ?? "another value"}, got ${shown(value)}`,
          nearChoice(value, choicesOf(issue)),
        ),
      ];
    }
    default:
      return [
        document.diagnostic(
          document.spanOf(path),
          messageFor(issue, value),
          cutNumberHint(String(path.at(-1)), value) ??
            hintFor(issue, value, examplesAt(schema, local), keysAt(schema, local)),
        ),
      ];
  }
}

function messageFor(issue: Issue, value: unknown): string {
  const expected = expectedOf(issue);
  if (expected !== null) return `expected ${expected}, got ${shown(value)}`;
  if (issue.code === "too_small" || issue.code === "too_big") return boundMessage(issue, value);
  return issue.message;
}

function boundMessage(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig, value: unknown): string {
  const small = issue.code === "too_small";
  const bound = String(small ? issue.minimum : issue.maximum);
  const side = small
    ? issue.inclusive
      ? "at least"
      : "more than"
    : issue.inclusive
      ? "at most"
      : "less than";
  const unit =
    issue.origin === "string"
      ? " characters"
      : issue.origin === "array" || issue.origin === "set"
        ? " entries"
        : "";
  const got = issue.origin === "number" || issue.origin === "int" ? shown(value) : `${sizeOf(value)}`;
  return `expected ${side} ${bound}${bound === "1" ? unit.replace(/ies$/, "y").replace(/s$/, "") : unit}, got ${got}`;
}

function expectedHint(issue: Issue): string | null {
  const expected = expectedOf(issue);
  return expected && `expected ${expected}`;
}

/** What stands beside the word of an operator, and was written among its settings. */
function besideHint(key: string, path: Path): string | null {
  const isStep = typeof path.at(-2) === "number";
  return isStep && isOption(key)
    ? `write ${key} beside ${path.at(-1)}, in the column that it begins in`
    : null;
}

/** What belongs to one of the settings that stand beside it. */
function ownerHint(key: string, value: unknown, keysOf: (names: Path) => readonly string[]): string | null {
  if (typeof value !== "object" || value === null) return null;
  const owner = keysOf([]).find((name) => Object.hasOwn(value, name) && keysOf([name]).includes(key));
  if (owner === undefined) return null;
  return `write it under ${owner}, whose settings are ${keysOf([owner]).join(", ")}`;
}

/** A number with a comma inside { } is a setting and the key of another. */
function cutNumberHint(key: string, value: unknown): string | null {
  return /^\d+\D*/.test(key) && value === null
    ? "a comma ends a setting here: write decimals with a point"
    : null;
}

/** The values that are named, of a choice and of the alternatives of a union. */
function choicesOf(issue: Issue): readonly string[] {
  if (issue.code === "invalid_value") return issue.values.map(String);
  return issue.code === "invalid_union" ? issue.errors.flat().filter(atRoot).flatMap(choicesOf) : [];
}

function nearChoice(value: unknown, choices: readonly string[]): string | null {
  const near = typeof value === "string" ? nearName(value, choices) : undefined;
  return near === undefined ? null : `did you mean ${near}?`;
}

/** Which setting was meant, or that there is none. */
function settingsHint(key: string, keys: readonly string[], local: Path): string | null {
  return keys.length === 0 && local.length === 0 ? "it has no settings: {}" : didYouMean(key, keys);
}

function hintFor(
  issue: Issue,
  value: unknown,
  examples: readonly string[],
  keys: readonly string[],
): string | null {
  if (issue.code === "invalid_value") return nearChoice(value, choicesOf(issue));
  if (issue.code === "custom" && issue.params?.["of"] === "zones") {
    const near = typeof value === "string" ? nearZone(value) : undefined;
    return near === undefined ? null : `did you mean ${near}?`;
  }
  if (issue.code !== "invalid_type") return null;
  if (issue.expected === "object" && value !== null && keys.length > 0 && keys.length <= 8)
    return `write its settings under it: ${keys.join(", ")}`;
  if (issue.expected === "record" && value !== null) return "write it as names and values: { name: value }";
  if (value === null && (issue.expected === "object" || issue.expected === "record"))
    return "a map without settings is {}";
  if (
    issue.expected === "string" &&
    (typeof value === "number" || Array.isArray(value)) &&
    examples.length > 0
  ) {
    return `write it like ${examples.join(" or ")}`;
  }
  if (issue.expected === "string" && (typeof value === "number" || typeof value === "boolean")) {
    return `write it in quotes: "${value}"`;
  }
  if (issue.expected === "boolean" && typeof value === "string")
    return /^(true|false)$/.test(value) ? "write it without quotes" : "write true or false";
  if (issue.expected === "number" && typeof value === "string")
    return value.trim() !== "" && Number.isFinite(Number(value))
      ? "write it without quotes"
      : "write a number, such as 5";
  return null;
}

function isMissing(issue: Issue): boolean {
  return issue.code === "invalid_type" || issue.code === "invalid_value" || issue.code === "invalid_union";
}

/** What was wanted, in words; null when the issue does not tell. */
function expectedOf(issue: Issue): string | null {
  switch (issue.code) {
    case "invalid_type":
      return typeWords[issue.expected] ?? issue.expected;
    case "invalid_value":
      return choiceOf(issue.values.map(String));
    case "invalid_union": {
      if ("options" in issue && Array.isArray(issue.options)) return choiceOf(issue.options.map(String));
      const words = issue.errors.flatMap((errors) => errors.filter(atRoot).map(expectedOf));
      const known = [...new Set(words.filter((word) => word !== null))];
      return known.length === 0 ? null : choiceOf(known);
    }
    default:
      return null;
  }
}

function atRoot(issue: Issue): boolean {
  return issue.path.length === 0;
}

/** The alternative that was most probably meant: one whose own type fits the value, with the fewest mistakes. */
function bestBranch(branches: readonly (readonly Issue[])[], value: unknown): readonly Issue[] | null {
  const fitting = branches.filter(
    (issues) =>
      !issues.some(
        (issue) => atRoot(issue) && (issue.code === "invalid_type" || issue.code === "invalid_value"),
      ),
  );
  if (value === undefined || fitting.length === 0) return null;
  return [...fitting].sort((a, b) => weightOf(a) - weightOf(b))[0] ?? null;
}

function weightOf(issues: readonly Issue[]): number {
  return issues.reduce((sum, issue) => sum + (issue.code === "unrecognized_keys" ? issue.keys.length : 1), 0);
}

/** A value as a message shows it: what it is, and the value itself where that is short. */
export function shown(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (typeof value === "string")
    return value.length > 40
      ? `the text ${JSON.stringify(`${value.slice(0, 37)}…`)}`
      : `the text ${JSON.stringify(value)}`;
  if (Array.isArray(value)) return "a list";
  return typeof value === "number" || typeof value === "boolean" ? String(value) : "a map";
}

function sizeOf(value: unknown): number {
  if (typeof value === "string" || Array.isArray(value)) return value.length;
  return typeof value === "object" && value !== null ? Object.keys(value).length : 0;
}
