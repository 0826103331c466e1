// What workers ask of the ingest beside them: read as it was written, and never out of its folder.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ingestFolder, type IngestJob, journalFolder } from "./ingest-plan.ts";
import { isRequested, readRequests, removeRequest, writeRequest } from "./ingest-requests.ts";

let state: string;
beforeEach(() => (state = mkdtempSync(join(tmpdir(), "weir-requests-"))));
afterEach(() => rmSync(state, { recursive: true, force: true }));

const job = (group: string): IngestJob => ({
  folder: journalFolder(state, group, "source"),
  to: "default",
  subject: "in.>",
  framing: "message",
  overflow: "drop_oldest",
  bytes: 1e8,
  age: 1e6,
  sequence: null,
});

it("is there until it is taken away, and holds no connection", () => {
  expect(readRequests(state)).toEqual([]);
  const connections = { default: { url: "nats://x", password: "hush" } };
  for (const group of ["a", "b+c"])
    writeRequest({ folder: ingestFolder(state, group), jobs: [job(group)], connections, attended: true });
  const [first] = readRequests(state);
  expect(first).toEqual({
    folder: ingestFolder(state, "a"),
    jobs: [job("a")],
    connections: {},
    attended: true,
  });
  removeRequest(ingestFolder(state, "a"));
  expect(isRequested(ingestFolder(state, "a"))).toBe(false);
  expect(readRequests(state)).toHaveLength(1);
});

it.each([
  ["no JSON", "{"],
  ["no jobs", "[]"],
  ["a job that is none", '[{ "folder": "source" }]'],
  ["a folder elsewhere", (): string => JSON.stringify([{ ...job("a"), folder: "../../etc" }])],
  ["a folder by its whole path", (): string => JSON.stringify([job("a")])],
  ["a folder above", (): string => JSON.stringify([{ ...job("a"), folder: ".." }])],
])("%s is no request", (_what, text) => {
  mkdirSync(ingestFolder(state, "a"), { recursive: true });
  writeFileSync(join(ingestFolder(state, "a"), "request.json"), typeof text === "string" ? text : text());
  expect(readRequests(state)).toEqual([]);
});
