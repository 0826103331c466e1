// What is made of an engine's words: states, exit codes, and whether memory was the reason.

import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { InspectedContainer } from "./engine-answers.ts";
import { killedForMemory, tellsOfMemory } from "./kernel-log.ts";
import { endedByMemory, observedWorker, ownExitCode, stateOf } from "./observed-container.ts";

const id = "c".repeat(64);
const labels = { "io.weir.worker": "one", "io.weir.revision": "r1" };

function inspected(State: Partial<InspectedContainer["State"]>, Memory = 0): InspectedContainer {
  const state = { Status: "exited", ExitCode: 0, OOMKilled: false, StartedAt: 1_000, ...State };
  return { Id: id, State: state, Config: { Labels: labels }, HostConfig: { Memory } };
}

describe("the state", () => {
  it.each([
    ["running", "running"],
    ["Running", "running"],
    ["paused", "running"],
    ["stopping", "running"],
    ["exited", "exited"],
    ["stopped", "exited"],
    ["dead", "exited"],
    ["removing", "unknown"],
    ["restarting", "unknown"],
    ["excellent", "unknown"],
    ["", "unknown"],
  ])("%s is %s", (word, state) => {
    expect(stateOf(word, false)).toBe(state);
  });

  it("of one that was made is starting only while somebody starts it", () => {
    expect(stateOf("created", true)).toBe("starting");
    expect(stateOf("created", false)).toBe("exited");
  });
});

describe("the exit code", () => {
  it.each([
    [0, 0],
    [78, 78],
    [128, 128],
    [137, null],
    [143, null],
    [255, 255],
  ])("%d is %s", (code, own) => {
    expect(ownExitCode(code)).toBe(own);
  });

  it("is none while it runs, and none of one that never ran", () => {
    const listed = { Id: id, State: "", Labels: labels };
    const running = inspected({ Status: "running" });
    expect(observedWorker(listed, running, "running", false)).toMatchObject({
      exitCode: null,
      started: 1_000,
    });
    const made = inspected({ Status: "created", StartedAt: -62_135_596_800_000 });
    expect(observedWorker(listed, made, "exited", false)).toMatchObject({ exitCode: null, started: 0 });
    expect(observedWorker(listed, inspected({ ExitCode: 7 }), "exited", false)).toEqual({
      id,
      name: "one",
      revision: "r1",
      state: "exited",
      exitCode: 7,
      outOfMemory: false,
      started: 1_000,
    });
  });
});

describe("memory was the reason", () => {
  const no = () => false;
  it.each([
    ["by the engine's word", inspected({ OOMKilled: true, ExitCode: 137 }), false, no, true],
    ["by the kernel's log", inspected({ ExitCode: 137 }, 1e8), false, () => true, true],
    ["not, where the kernel's log has nothing of it", inspected({ ExitCode: 137 }, 1e8), false, no, false],
    ["by elimination, where the log is closed", inspected({ ExitCode: 137 }, 1e8), false, () => null, true],
    ["not, when this driver killed it", inspected({ ExitCode: 137 }, 1e8), true, () => true, false],
    ["not, without a limit", inspected({ ExitCode: 137 }), false, () => true, false],
    ["not, when it ended by itself", inspected({ ExitCode: 1 }, 1e8), false, () => true, false],
  ])("%s", (_name, container, killedHere, log, expected) => {
    expect(endedByMemory(container, killedHere, log)).toBe(expected);
  });
});

describe("the kernel's log", () => {
  const told = `6,1,2,-;oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/libpod_parent/libpod-${id},task=node`;

  it("tells which container it was", () => {
    expect(tellsOfMemory(told, id)).toBe(true);
    expect(tellsOfMemory(told, "d".repeat(64))).toBe(false);
    expect(tellsOfMemory(`6,1,2,-;device libpod-${id} entered promiscuous mode`, id)).toBe(false);
  });

  it("is read to its end, and is no error where it may not be read", () => {
    const file = join(tmpdir(), `weir-kernel-log-${process.pid}`);
    writeFileSync(file, `${told}\n`);
    expect(killedForMemory(id, file)).toBe(true);
    expect(killedForMemory("d".repeat(64), file)).toBe(false);
    expect(killedForMemory(id, join(file, "none"))).toBe(null);
  });
});
