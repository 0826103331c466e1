// Which subjects a shared stream has once another writer comes.

import { describe, expect, it } from "vitest";
import { withSubjects } from "./jetstream-stream.ts";

describe("subjects of a shared stream", () => {
  it.each([
    [[], ["a"], ["a"]],
    [["a"], ["b"], ["a", "b"]],
    [["a.b"], ["a.*"], ["a.*"]],
    [["a.>"], ["a.b.c"], ["a.>"]],
    [
      ["a.*", "b"],
      ["a.>", "c"],
      ["b", "a.>", "c"],
    ],
    [["a"], ["a"], ["a"]],
  ])("%j and %j are %j", (before, more, all) => {
    expect(withSubjects(before, more)).toEqual(all);
  });
});
