// What a worker says that gave up draining.

import { expect, it } from "vitest";
import type { WorkerStatus } from "./worker.ts";
import { drainTimeout } from "./drain-timeout.ts";

it("says of rows that are not drained what is in their way: the other side, or a full disk here", () => {
  const { sinks } = { sinks: [{ pending: 2 }, { pending: 3 }] } as unknown as WorkerStatus;
  expect(drainTimeout([{ sinks }])).toMatchObject({
    code: "WEIR_DRAIN_TIMEOUT",
    message: "not drained after 10000 ms: 5 rows are unconfirmed",
    remedy: "the sinks' server cannot be reached or does not confirm",
  });
  expect(
    drainTimeout([{ sinks }, { sinks, lacks_room: "/s/a: no room to write a commit" }]).remedy,
  ).toContain("/s/a: no room to write a commit; free space there");
});
