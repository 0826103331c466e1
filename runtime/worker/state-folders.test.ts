import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { silentLog } from "../connect/connector-log.ts";
import { WeirError } from "../errors.ts";
import { enterTerm, homesOf, joinedName, makeStateFolder, stateFolders, termsIn } from "./state-folders.ts";

const state = mkdtempSync(join(tmpdir(), "weir-state-folders-"));
afterAll(() => rmSync(state, { recursive: true, force: true }));

const named = (...names: string[]): { readonly name: string }[] => names.map((name) => ({ name }));

describe("homes", () => {
  it.each([
    ["all new: one folder", ["b", "a"], [], [["a+b", true, ["b", "a"]]]],
    ["as before", ["a", "b"], [{ name: "a+b", pipelines: ["a", "b"] }], [["a+b", false, ["a", "b"]]]],
    [
      "one that comes later is alone",
      ["a", "b", "c"],
      [{ name: "a+b", pipelines: ["a", "b"] }],
      [
        ["a+b", false, ["a", "b"]],
        ["c", true, ["c"]],
      ],
    ],
    [
      "one that left stays in the list",
      ["b"],
      [{ name: "a+b", pipelines: ["a", "b"] }],
      [["a+b", false, ["b"]]],
    ],
  ])("%s", (_what, pipelines, known, homes) => {
    const found = homesOf(named(...pipelines), known);
    expect(
      found.map((home) => [home.folder.name, home.isNew, home.pipelines.map(({ name }) => name)]),
    ).toEqual(homes);
  });

  it("has a name for any number of pipelines", () => {
    const names = Array.from({ length: 300 }, (_, number) => `rule-${number}`);
    const name = joinedName(names, 100);
    expect(name).toHaveLength(100);
    expect(joinedName([...names].reverse(), 100)).toBe(name);
    expect(joinedName(names.slice(1), 100)).not.toBe(name);
  });
});

describe("folders", () => {
  it("finds what it made, and nothing in a state that is not there", () => {
    expect(stateFolders(join(state, "none"))).toEqual([]);
    makeStateFolder(state, { name: "a+b", pipelines: ["a", "b"] });
    expect(stateFolders(state)).toEqual([{ name: "a+b", pipelines: ["a", "b"] }]);
  });

  it("refuses a list that is none", () => {
    makeStateFolder(state, { name: "c", pipelines: ["c"] });
    writeFileSync(join(state, "c", "pipelines.json"), "[1]");
    expect(() => stateFolders(state)).toThrow(WeirError);
  });
});

describe("turns", () => {
  it("go on in their own folder, and what is of an earlier one is put aside", () => {
    const place = mkdtempSync(join(state, "turns-"));
    const mark = join(place, "a", "mark");
    const enter = (term: number, resumes = false): void =>
      enterTerm(place, "a", { term, resumes }, silentLog);
    makeStateFolder(place, { name: "a", pipelines: ["a"] });
    writeFileSync(mark, "");
    enter(1);
    enter(1);
    expect(existsSync(mark)).toBe(true);
    enter(2, true);
    expect(existsSync(mark)).toBe(true);
    enter(3);
    expect(existsSync(mark)).toBe(false);
    expect(existsSync(join(place, "handed-over", "a.2", "mark"))).toBe(true);
    expect(stateFolders(place)).toEqual([{ name: "a", pipelines: ["a"] }]);
    expect(() => enter(2, true)).toThrow(/is of term 3, and this is term 2/);
    makeStateFolder(place, { name: "b+c", pipelines: ["b", "c"] });
    for (const [partition, term] of [2, 5, 4].entries())
      enterTerm(place, `d~${partition}`, { term, resumes: false }, silentLog);
    expect([termsIn(place), termsIn(join(place, "none"))]).toEqual([
      { a: 3, "d~0": 2, "d~1": 5, "d~2": 4 },
      {},
    ]);
    expect(() => enterTerm(place, "b", { term: 1, resumes: false }, silentLog)).toThrow(
      /together with others/,
    );
  });
});
