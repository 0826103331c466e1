import { expect, test } from "vitest";
import { spreadOf, type Task, timePairs } from "./pairs.ts";

test("tasks take turns in going first, each is prepared anew, and warm-ups do not count", () => {
  const order: string[] = [];
  const task =
    (name: string): Task =>
    () => {
      order.push(`open ${name}`);
      return () => order.push(name);
    };
  const pairs = timePairs(task("a"), task("b"), 4, 1);
  expect(pairs.length).toBe(4);
  expect(
    order
      .filter((each) => !each.startsWith("open"))
      .slice(2)
      .join(""),
  ).toBe("abbaabba");
  expect(order.filter((each) => each === "open a").length).toBe(5);
});

test("the spread of an odd and an even number of values", () => {
  expect(spreadOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
  expect(spreadOf([4, 1, 10, 2])).toEqual({ median: 3, min: 1, max: 10 });
});
