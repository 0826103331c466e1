// A heartbeat that comes from elsewhere is one, or it is none.

import fc from "fast-check";
import { expect, test } from "vitest";
import { type Heartbeat, heartbeatSubject, parseHeartbeat } from "./heartbeat.ts";

const beat: Heartbeat = {
  host: "h",
  worker: "w",
  process: 1,
  at: 2,
  started: 1,
  phase: "running",
  assignment: null,
  memory_bytes: 1,
  processor_s: 0.1,
  pipelines: [
    {
      name: "a",
      revision: "1",
      attempt: 1,
      phase: "running",
      fault: null,
      since: 1,
      records: 0,
      rows: 0,
      held: 0,
      pending: 0,
      dropped: 0,
      lag: null,
      watermark: null,
      busy: 0,
      true_rate: null,
    },
  ],
};

test("one that was sent is read as it was", () => {
  expect(parseHeartbeat(JSON.stringify(beat))).toEqual(beat);
  expect(heartbeatSubject("gateway-1", "shared-1")).toBe("weir.heartbeat.gateway-1.shared-1");
});

test.each([
  "",
  "1",
  "null",
  "[]",
  JSON.stringify({ ...beat, phase: "happy" }),
  JSON.stringify({ ...beat, at: "2" }),
  JSON.stringify({ ...beat, assignment: 1 }),
  JSON.stringify({ ...beat, pipelines: [{}] }),
  JSON.stringify({ ...beat, pipelines: [null] }),
])("%s is none", (text) => {
  expect(parseHeartbeat(text)).toBeNull();
});

test("no text makes it throw", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseHeartbeat(text)));
});
