// What processes of one host tell each other: assignments and heartbeats. Another's file or message is never trusted to be whole.

import { type Assignment, assignmentText, parseAssignment } from "../../assignment.ts";
import { WeirError } from "../../errors.ts";
import { parseHeartbeat } from "../../heartbeat.ts";
import { bytesOf, type FuzzTarget, wordsOf } from "./target.ts";

const assignment: Assignment = {
  pipelines: [
    {
      name: "climate",
      revision: "0123456789ab",
      attempt: 1,
      file: "/p/climate.yaml",
      text: "name: climate\n",
    },
    { name: "doors", revision: "ba9876543210", attempt: 3, file: "/p/doors.yaml", text: "name: doors\n" },
  ],
};

const beat = {
  host: "edge-1",
  worker: "shared-1",
  process: 4_711,
  at: 1_700_000_000_000,
  started: 1_700_000_000_000,
  phase: "running",
  assignment: "climate@0123456789ab#1",
  memory_bytes: 1e8,
  processor_s: 12.5,
  pipelines: [
    { name: "climate", revision: "0123456789ab", attempt: 1, phase: "running", fault: null, since: 1 },
  ],
};

const words = wordsOf(
  `"name": "attempt": "phase": "pipelines": "__proto__": "../x" null [] {} 1e999 -1 true "running" ,`,
);

export const hostTargets: readonly FuzzTarget[] = [
  {
    name: "assignment",
    begins: [bytesOf(assignmentText(assignment))],
    words,
    take: (input) => {
      try {
        parseAssignment(Buffer.from(input).toString("utf8"), "assignment.json");
      } catch (error) {
        if (!(error instanceof WeirError)) throw error;
      }
    },
  },
  {
    name: "heartbeat",
    begins: [bytesOf(JSON.stringify(beat))],
    words,
    take: (input) => {
      const read = parseHeartbeat(Buffer.from(input).toString("utf8"));
      for (const { name, phase } of read?.pipelines ?? [])
        if (name.length + phase.length < 0) throw new Error(name);
    },
  },
];
