// What a supervisor writes is what a worker reads, and nothing else is taken for it.

import { expect, test } from "vitest";
import { type AssignedPipeline, assignmentMark, assignmentText, parseAssignment } from "./assignment.ts";

const a: AssignedPipeline = { name: "a", revision: "1", attempt: 1, file: "/p/a.yaml", text: "name: a\n" };
const b: AssignedPipeline = { ...a, name: "b", attempt: 2 };

test("written and read it is the same", () => {
  expect(parseAssignment(assignmentText({ pipelines: [a, b] }), "f")).toEqual({ pipelines: [a, b] });
});

test("its mark does not depend on the order, and shows every change", () => {
  expect(assignmentMark([a, b])).toBe(assignmentMark([b, a]));
  const marks = [[], [a], [b], [a, b], [{ ...a, revision: "2" }, b], [a, { ...b, attempt: 3 }]].map(
    assignmentMark,
  );
  expect(new Set(marks).size).toBe(marks.length);
});

test.each([
  ["", "it is not JSON"],
  ["null", "expected a list of pipelines"],
  ['{"pipelines":{}}', "expected a list of pipelines"],
  ['{"pipelines":[{"name":"a"}]}', "a pipeline has a name"],
  [assignmentText({ pipelines: [{ ...a, name: "../a" }] }), "a pipeline has a name"],
  [assignmentText({ pipelines: [{ ...a, attempt: 1.5 }] }), "a pipeline has a name"],
  [assignmentText({ pipelines: [a, a] }), "two pipelines have one name"],
])("%s is refused", (text, why) => {
  expect(() => parseAssignment(text, "/x/assignment.json")).toThrow(why);
});
