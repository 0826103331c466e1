// Runs the `tests` of a pipeline file and says how each differs from what it expects.

import type { ReferenceContent } from "../codec/reference/content.ts";
import { WeirError } from "../errors.ts";
import type { LedgerEntry } from "../engine/ledger.ts";
import { waitingText } from "../engine/waiting.ts";
import type { BranchPlan, PipelinePlan, TestSpec } from "../pipeline/pipeline.ts";
import { namedTokens } from "../pipeline/subject.ts";
import { expectedRows } from "../pipeline/test-spec.ts";
import { exactText } from "./exact-json.ts";
import { Harness, lawFaults } from "./harness.ts";
import type { Fields } from "./payload.ts";

export interface TestResult {
  readonly name: string;
  /** Empty when it passed. */
  readonly faults: readonly string[];
  /** What became of the records that stand in no row, at the end. */
  readonly leftOut: readonly string[];
  /** What the pipeline waited for when the input was over, before the stream ended. */
  readonly waiting: readonly string[];
  /** By branch, the rows that its sink got, each as a text that may stand in the test. */
  readonly rows: Readonly<Record<string, readonly string[]>>;
}

/** Numbers may differ by this share: sums are right to the last bit, and texts of fractions are not. */
const tolerance = 1e-9;

function same(expected: unknown, actual: unknown): boolean {
  if (typeof expected === "number" && typeof actual === "number") {
    return expected === actual || Math.abs(expected - actual) <= tolerance * Math.abs(expected);
  }
  // A pipeline file has no such numbers: they stand in quotes there.
  if (typeof actual === "bigint") return expected === String(actual);
  if (typeof expected !== "object" || expected === null || typeof actual !== "object" || actual === null) {
    return expected === actual || (expected === null && actual === undefined);
  }
  const names = new Set([...Object.keys(expected), ...Object.keys(actual)]);
  return [...names].every((name) => same((expected as Fields)[name], (actual as Fields)[name]));
}

/** Tokens of the subject that the rows of a branch do not hold, because they go on as they came. */
function tokensLeftOut({ inputs }: PipelinePlan, { forwards }: BranchPlan): readonly string[] {
  if (!forwards) return [];
  return inputs.flatMap(({ spec: { source } }) =>
    source.kind === "nats" ? namedTokens(source.subject).map(({ name }) => name) : [],
  );
}

function differences(
  branch: string,
  expected: readonly Fields[],
  actual: readonly Fields[],
  tokens: readonly string[],
): string[] {
  const faults: string[] = [];
  if (expected.length !== actual.length) {
    const rows = actual.map((row) => `\n  ${exactText(row)}`).join("");
    const wanted = `${expected.length} ${expected.length === 1 ? "row" : "rows"}`;
    faults.push(
      `${branch}: expected ${wanted}, got ${actual.length === 0 ? "none" : `${actual.length}:${rows}`}`,
    );
  }
  for (const [place, row] of expected.entries()) {
    for (const [name, value] of Object.entries(row)) {
      const got = actual[place]?.[name];
      if (actual[place] !== undefined && !same(value, got)) {
        const hint =
          got === undefined && tokens.includes(name)
            ? `; a token of the subject is not in a row that goes on as it came: set: { ${name}: ${name} } adds it`
            : "";
        faults.push(
          `${branch}[${place}].${name}: expected ${JSON.stringify(value)}, got ${exactText(got)}${hint}`,
        );
      }
    }
  }
  return faults;
}

/** By step and reason, how many records stand in no row, and what the dead letter says of the first of them. */
function leftOutOf(harness: Harness): string[] {
  const counts = new Map<string, LedgerEntry>();
  for (const entry of harness.counts().flatMap(({ ledger }) => ledger)) {
    const place = `${entry.step}: ${entry.reason}`;
    // What does not get beyond the source is in the ledger of every branch.
    if (entry.records > (counts.get(place)?.records ?? 0)) counts.set(place, entry);
  }
  const placeOf = ({ step }: LedgerEntry): number => Number.parseInt(step, 10) || 0;
  const inOrder = [...counts.values()].sort((a, b) => placeOf(a) - placeOf(b));
  return inOrder.map(({ step, reason, records }) => {
    const letter = harness.letters.find((each) => each.step === step && each.reason === reason);
    const many = `${records} ${records === 1 ? "record" : "records"}`;
    return `${many} at ${step}: ${reason}${letter === undefined ? "" : `: ${letter.detail}`}`;
  });
}

/** The columns of a CSV source, which a test's records name. */
function headerOf(test: TestSpec): string[] {
  const names = test.input.flatMap((item) => (item.kind === "record" ? Object.keys(item.record) : []));
  return [...new Set(names)];
}

/** What reference tables hold on disk, by their names. A test may say otherwise. */
export type ReferenceContents = ReadonlyMap<string, ReferenceContent>;

function feed(harness: Harness, test: TestSpec, contents: ReferenceContents): void {
  for (const [table, content] of contents)
    if (!Object.hasOwn(test.lookups, table)) harness.refer(table, content);
  harness.lookups(test.lookups);
  for (const item of test.input) {
    if (item.kind === "pause") harness.pause(item.ms);
    else if (item.kind === "lookups") harness.lookups(item.lookups);
    else if (item.kind === "restart") harness.restart();
    else if (item.kind === "raw") harness.raw(item.text, item);
    else harness.record(item.record, item);
  }
}

/** Runs one test, each record a batch of its own unless told otherwise. */
export function runTest(
  plan: PipelinePlan,
  test: TestSpec,
  batchRows = 1,
  contents: ReferenceContents = new Map(),
): TestResult {
  const harness = new Harness(plan, { header: headerOf(test), batchRows });
  try {
    feed(harness, test, contents);
  } catch (error) {
    if (!(error instanceof WeirError) || error.code !== "WEIR_REFERENCE") throw error;
    const faults = [`${error.message}; ${error.remedy}`];
    return { name: test.name, faults, leftOut: [], waiting: [], rows: {} };
  }
  const before = lawFaults(harness.counts());
  const waiting = waitingText(harness.waiting);
  harness.finish();
  const faults = [...new Set([...before, ...lawFaults(harness.counts())])].map(
    (fault) => `${fault}: an operator of your own does not send, leave out or hold each record once`,
  );
  plan.branches.forEach((each, branch) => {
    const { name, rows } = each;
    const expected = test.expect[name];
    if (expected === undefined) return;
    const isTime = (column: string): boolean =>
      rows.fields.some((field) => field.name === column && field.type === "time");
    const tokens = tokensLeftOut(plan, each);
    faults.push(...differences(name, expectedRows(expected, isTime), harness.rows(branch), tokens));
  });
  if (test.deadLetter !== null && test.deadLetter !== harness.letters.length) {
    const reasons = harness.letters.map(({ step, reason, detail }) => `${step}: ${reason}: ${detail}`);
    faults.push(
      `dead letter: expected ${test.deadLetter} records, got ${harness.letters.length} ${JSON.stringify(reasons)}`,
    );
  }
  const rows = Object.fromEntries(
    plan.branches.map(({ name }, branch) => [name, harness.rows(branch).map(exactText)]),
  );
  return { name: test.name, faults, leftOut: leftOutOf(harness), waiting, rows };
}
