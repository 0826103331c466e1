import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { WeirError } from "../errors.ts";
import { homesOf, joinedName, leftFolders, makeStateFolder, stateFolders } from "./state-folders.ts";

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

  it("tells of those that no pipeline of today goes on with, as after one was called otherwise", () => {
    const known = [
      { name: "a+b", pipelines: ["a", "b"] },
      { name: "old", pipelines: ["old"] },
    ];
    expect(leftFolders(known, ["b", "new"])).toEqual([
      expect.stringContaining("old in the state folder is of old, which this process does not run"),
    ]);
    expect(leftFolders(known, ["a", "old"])).toEqual([]);
  });

  it("refuses a list that is none", () => {
    makeStateFolder(state, { name: "c", pipelines: ["c"] });
    writeFileSync(join(state, "c", "pipelines.json"), "[1]");
    expect(() => stateFolders(state)).toThrow(WeirError);
  });
});
