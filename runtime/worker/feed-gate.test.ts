import { expect, it } from "vitest";
import { FeedGate } from "./feed-gate.ts";

/** A task that ends when it is told to. */
function held(): { readonly task: () => Promise<void>; readonly end: () => void } {
  let end!: () => void;
  const done = new Promise<void>((resolve) => (end = resolve));
  return { task: () => done, end };
}

it("lets several in at once, and nobody while it is shut", async () => {
  const gate = new FeedGate();
  const order: string[] = [];
  const [first, second] = [held(), held()];
  const passing = [first, second].map((each, place) =>
    gate.pass(async () => {
      order.push(`in ${place}`);
      await each.task();
      order.push(`out ${place}`);
    }),
  );
  const shut = gate.shut(async () => {
    order.push("shut");
    await Promise.resolve();
    order.push("open");
  });
  const late = gate.pass(() => Promise.resolve(void order.push("late")));
  expect(order).toEqual(["in 0", "in 1"]);
  first.end();
  await passing[0];
  expect(order).toEqual(["in 0", "in 1", "out 0"]);
  second.end();
  await Promise.all([...passing, shut, late]);
  expect(order).toEqual(["in 0", "in 1", "out 0", "out 1", "shut", "open", "late"]);
});

it("opens again when what it was shut for fails, and empties when what passed fails", async () => {
  const gate = new FeedGate();
  await expect(gate.shut(() => Promise.reject(new Error("no room")))).rejects.toThrow("no room");
  await expect(gate.pass(() => Promise.reject(new Error("bad batch")))).rejects.toThrow("bad batch");
  await expect(gate.shut(() => Promise.resolve(1))).resolves.toBe(1);
});
