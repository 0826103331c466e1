// What makes another worker of one that is started anew, and what does not.

import { expect, test } from "vitest";
import { ingestSpec, startRevision, type WorkerStart, workerSpec } from "./worker-start.ts";

const start: WorkerStart = {
  supervisor: "s",
  host: "gateway",
  assignmentOf: (worker) => `/s/assignments/${worker}.json`,
  state: "/s/data",
  settings: ["--nats", "nats://127.0.0.1:4222"],
  further: ["--ask-ingest"],
  environment: { WEIR_PASSWORD: "hush", TZ: "UTC", SHLVL: "1" },
  program: ["0.1.0", "sha256:1a2b"],
  folders: [{ host: "/p", inside: "/p", writable: false }],
};

const environment = (more: Readonly<Record<string, string>>): WorkerStart["environment"] => ({
  ...start.environment,
  ...more,
});

test.each<[string, Partial<WorkerStart>]>([
  ["another image", { program: ["0.1.0", "sha256:3c4d"] }],
  ["another weir", { program: ["0.2.0", "sha256:1a2b"] }],
  ["another secret", { environment: environment({ WEIR_PASSWORD: "hushed" }) }],
  ["one variable more", { environment: environment({ SUBJECT: "a" }) }],
  ["another connection", { settings: ["--nats", "nats://127.0.0.1:4223"] }],
  ["another folder", { folders: [] }],
])("%s: workers are started anew, and the ingest", (_, change) => {
  const changed = { ...start, ...change };
  expect(startRevision(changed)).not.toBe(startRevision(start));
  expect(ingestSpec(changed, {}).revision).not.toBe(ingestSpec(start, {}).revision);
});

test.each<[string, Partial<WorkerStart>]>([
  [
    "another shell",
    { environment: environment({ SHLVL: "2", PWD: "/tmp", _: "/usr/bin/node", TERM: "dumb" }) },
  ],
  ["another start of the unit", { environment: environment({ INVOCATION_ID: "1", JOURNAL_STREAM: "8:1" }) }],
  ["another order", { environment: { TZ: "UTC", WEIR_PASSWORD: "hush" } }],
])("%s: those that run are left alone", (_, change) => {
  expect(startRevision({ ...start, ...change })).toBe(startRevision(start));
});

test("what a worker is started as is a digest, and its command holds no secret", () => {
  expect(startRevision(start)).toMatch(/^[0-9a-f]{12}$/);
  expect(workerSpec(start, "shared-1").command.join(" ")).not.toContain("hush");
});
