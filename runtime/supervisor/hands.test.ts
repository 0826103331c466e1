// What is said of an action that cannot be done and is decided anew at each look: once, and when it is done. Real files, and
// a real driver that is asked for nothing.

import { mkdirSync, mkdtempSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { wallClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { ProcessDriver } from "./drivers/process-driver.ts";
import { Hands } from "./hands.ts";
import type { Action } from "./situation.ts";
import { SupervisorFiles } from "./supervisor-files.ts";

it("an assignment that cannot be written is told once, and so is that it was in the end", async () => {
  const folder = mkdtempSync(join(tmpdir(), "weir-hands-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const files = new SupervisorFiles(folder);
  files.open();
  const said: string[] = [];
  const keep = (line: string): void => void said.push(line);
  const hands = new Hands({
    driver: new ProcessDriver({ folder, supervisor: "s", program: ["none"], clock: wallClock }),
    files,
    log: { ...silentLog, info: keep, warn: keep, error: keep },
    spec: () => {
      throw new Error("nothing is started here");
    },
    textOf: () => null,
    isIntact: () => true,
    done: () => undefined,
  });
  const assign: Action = { kind: "assign", worker: "shared-1", pipelines: [], reason: "adds boiler" };
  const carryOut = async (): Promise<void> => {
    hands.carryOut([assign]);
    await hands.idle();
  };
  // Nothing can be written over a folder.
  mkdirSync(files.assignmentPath("shared-1"));
  for (let look = 0; look < 3; look++) await carryOut();
  rmdirSync(files.assignmentPath("shared-1"));
  for (let look = 0; look < 2; look++) await carryOut();
  expect(said).toEqual([
    "assign shared-1: adds boiler",
    expect.stringContaining("EISDIR"),
    "assign shared-1: done at last: adds boiler",
    "assign shared-1: adds boiler",
  ]);
});
