// A supervisor that trusts keys, with real files: what it accepted runs on through restarts, and what somebody changes on its disk
// meanwhile does not run.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type AssignedPipeline, parseAssignment } from "../assignment.ts";
import { sleep, VirtualClock, wallClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import type { Log } from "../log.ts";
import { ProcessDriver } from "./drivers/process-driver.ts";
import { Gate } from "./gate.ts";
import { KeptWrites } from "./kept-writes.ts";
import { type Memory, noMemory } from "./memory.ts";
import { neverFailed } from "./restart.ts";
import type { Statement } from "./signature.ts";
import { signatureFor, signedPipeline, testKey, trusting } from "./signing.fixture.ts";
import { Supervisor } from "./supervisor.ts";
import { SupervisorFiles } from "./supervisor-files.ts";
import { type WantedPipeline, wantedPipeline } from "./wanted.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-gate-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

const program = join(import.meta.dirname, "drivers/conformance-worker.fixture.mjs");
const [key, other] = [testKey(), testKey()];
const day = (number: number): string => new Date(Date.UTC(2026, 0, number)).toISOString();

const pipeline = (name: string, about: string, more: Partial<Statement> = {}, by = key): WantedPipeline =>
  signedPipeline(`name: ${name}\nabout: ${about}\n`, by, { signed: day(1), ...more });

let made = 0;

/** A device whose supervisor can be started again and again. */
class Device {
  readonly state: string = join(folder, String(made++));
  readonly clock = new VirtualClock(Date.parse(day(3)));
  readonly warned: string[] = [];
  keys = trusting(key);

  files(): SupervisorFiles {
    const files = new SupervisorFiles(this.state);
    files.open();
    return files;
  }

  get log(): Log {
    return { ...silentLog, warn: (line: string) => void this.warned.push(line) } as unknown as Log;
  }

  gate(files = this.files()): Gate {
    const { keys, clock, log } = this;
    return new Gate({ host: "gateway", keys, files, writes: new KeptWrites(log), clock, log });
  }

  async supervisor(): Promise<Supervisor> {
    const files = this.files();
    const driver = new ProcessDriver({
      folder: join(this.state, "processes"),
      supervisor: files.identity(),
      program: [process.execPath, program],
      clock: wallClock,
    });
    await driver.open();
    return new Supervisor({
      driver,
      files,
      host: "gateway",
      capacity: { processors: 8, memory_bytes: 2 ** 40, count: 100 },
      spec: (name) => ({ name, command: ["serve"], environment: {}, folders: [] }),
      revision: "r",
      limits: {},
      socketOf: (name) => join(this.state, `${name}.sock`),
      clock: wallClock,
      log: { ...this.log, error: () => undefined },
      random: () => 0.5,
      memoryFree: () => 2 ** 40,
      trusted: this.keys,
    });
  }

  /** What its worker is told to run. */
  assigned(): readonly AssignedPipeline[] {
    const [name] = readdirSync(join(this.state, "assignments"));
    const path = join(this.state, "assignments", name ?? "none");
    return name === undefined ? [] : parseAssignment(readFileSync(path, "utf8"), path).pipelines;
  }

  /** Changes a file on its disk. */
  change(name: string, from: string, to: string): void {
    const path = join(this.state, name);
    const before = readFileSync(path, "utf8");
    expect(before).toContain(from);
    writeFileSync(path, before.replace(from, to));
  }
}

const ask = (gate: Gate, ...pipelines: readonly WantedPipeline[]): boolean =>
  gate.ask({ pipelines, unreadable: [] });
const running = ({ wanted }: Pick<Gate, "wanted">): string[] =>
  wanted.map(({ name, text }) => `${name} ${text.split("about: ")[1]!.trim()}`);

test("a byte that is another one on the disk costs that pipeline, until it is asked for as it was signed", () => {
  const device = new Device();
  const [a, b] = [pipeline("a", "one"), pipeline("b", "one")];
  ask(device.gate(), a, b);
  device.change("wanted.json", "name: b\\nabout: one", "name: b\\nabout: onf");
  const gate = device.gate();
  expect(running(gate)).toEqual(["a one"]);
  expect(gate.refused).toEqual([
    { name: "b", file: b.file, reason: expect.stringMatching(/^its text is not what was signed/) },
  ]);
  expect(gate.takeRefusals()).toMatchObject([{ name: "b", isLogged: false }]);
  expect([ask(gate, a, b), running(gate), gate.refused]).toEqual([true, ["a one", "b one"], []]);
  device.change("wanted.json", '{"file"', '{"fil"');
  expect(running(device.gate())).toEqual(["b one"]);
  writeFileSync(join(device.state, "wanted.json"), "\0");
  expect(running(device.gate())).toEqual([]);
});

test("what is newest holds through restarts, also for what is put onto the disk by hand", () => {
  const device = new Device();
  const [one, two] = [pipeline("a", "one"), pipeline("a", "two", { signed: day(2) })];
  const first = device.gate();
  ask(first, one);
  const old = readFileSync(join(device.state, "wanted.json"));
  ask(first, two);
  const second = device.gate();
  ask(second, one);
  expect([running(second), second.refused[0]?.reason]).toEqual([
    ["a two"],
    expect.stringMatching(/^it was signed at 2026-01-01.* weir rollback a --key does$/),
  ]);
  writeFileSync(join(device.state, "wanted.json"), old);
  expect(running(device.gate())).toEqual([]);
});

test("what runs outlives its expiry, and a file of what was accepted that is damaged; what comes too late does not run", () => {
  const device = new Device();
  const [a, b] = ["a", "b"].map((name) => pipeline(name, "one", { expires: day(4) })) as [
    WantedPipeline,
    WantedPipeline,
  ];
  ask(device.gate(), a);
  device.clock.advanceTo(Date.parse(day(10)));
  const gate = device.gate();
  ask(gate, a, b);
  expect([running(gate), gate.refused.map(({ name }) => name)]).toEqual([["a one"], ["b"]]);
  writeFileSync(join(device.state, "accepted.json"), "{");
  expect(running(device.gate())).toEqual(["a one"]);
  expect(device.warned).toEqual([expect.stringMatching(/^accepted.json cannot be read/)]);
});

test("keys come and go while it runs, and at a restart", () => {
  const device = new Device();
  const [a, b] = [pipeline("a", "one"), pipeline("b", "one", {}, other)];
  const gate = device.gate();
  ask(gate, a, b);
  expect(running(gate)).toEqual(["a one"]);
  expect([gate.trust(trusting(key, other)), running(gate)]).toEqual([true, ["a one", "b one"]]);
  expect([gate.trust(trusting(other, key)), gate.trust(trusting(other))]).toEqual([false, true]);
  expect(running(gate)).toEqual(["b one"]);
  expect(running(device.gate())).toEqual([]);
  device.keys = trusting(other);
  expect(running(device.gate())).toEqual(["b one"]);
});

test("the same reason is told each time that it comes, and logged once", () => {
  const gate = new Device().gate();
  const unsigned = wantedPipeline("/p/a.yaml", "name: a\n");
  const told = (): boolean[] => gate.takeRefusals().map(({ isLogged }) => isLogged);
  ask(gate, unsigned);
  expect([told(), told()]).toEqual([[false], []]);
  ask(gate, unsigned, pipeline("b", "one"));
  expect(told()).toEqual([]);
  ask(gate, pipeline("a", "one"));
  ask(gate, unsigned);
  expect(told()).toEqual([true]);
});

test("nothing goes back to a revision that was changed on the disk, or that nobody trusted signed", () => {
  const device = new Device();
  const [one, two] = [pipeline("a", "one"), pipeline("a", "two", { signed: day(2) }, other)];
  const gate = device.gate();
  ask(gate, one);
  gate.trust(trusting(key, other));
  ask(gate, two);
  const memory = wentBack(two, one);
  expect(gate.revision("a", one.revision)).toMatchObject({ text: one.text });
  expect(gate.withTrusted(memory)).toBe(memory);
  gate.trust(trusting(other));
  expect(gate.revision("a", one.revision)).toBeNull();
  expect(gate.withTrusted(memory).pipelines["a"]?.good).toBeNull();
  gate.trust(trusting(key, other));
  const kept = join("revisions", "a", `${one.revision}.json`);
  device.change(kept, "about: one", "about: onf");
  expect(gate.revision("a", one.revision)).toBeNull();
  // Signed for another name it is no revision of this one.
  const { text } = one;
  const another = signatureFor(text.replace("name: a", "name: b"), key);
  writeFileSync(join(device.state, kept), JSON.stringify({ file: one.file, text, signature: another }));
  expect(gate.revision("a", one.revision)).toBeNull();
});

/** A pipeline whose revision failed too often, so that the one that ran well before runs. */
function wentBack(from: WantedPipeline, to: WantedPipeline): Memory {
  const known = {
    wanted: from.revision,
    good: to.revision,
    refused: { [from.revision]: "it failed" },
    restart: neverFailed,
    attempt: 2,
    judged: 0,
    apart: false,
    worker: null,
    holder: null,
  };
  return { ...noMemory, pipelines: { [from.name]: known } };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(wallClock, 20);
}

test("what fails goes back to what ran well before, which is older, as long as its key is trusted", async () => {
  for (const isTrusted of [true, false]) {
    const device = new Device();
    const [one, two] = [pipeline("a", "one", {}, other), pipeline("a", "two", { signed: day(2) })];
    device.keys = trusting(key, other);
    const gate = device.gate();
    ask(gate, one);
    ask(gate, two);
    device.files().keepMemory(wentBack(two, one));
    if (!isTrusted) device.keys = trusting(key);
    const supervisor = await device.supervisor();
    supervisor.start();
    await until(() => supervisor.status().pipelines[0]?.state === (isTrusted ? "waiting" : "quarantined"));
    expect(supervisor.status().pipelines).toMatchObject([
      { name: "a", wanted: two.revision, runs: isTrusted ? one.revision : null },
    ]);
    if (isTrusted) await until(() => device.assigned().some(({ text }) => text === one.text));
    else expect(device.assigned()).toEqual([]);
    await supervisor.drain();
    await supervisor.close();
  }
});

test("workers are told what was signed, whatever became of their assignments meanwhile", async () => {
  const device = new Device();
  const first = await device.supervisor();
  first.start();
  first.want([pipeline("a", "one"), wantedPipeline("/p/b.yaml", "name: b\n")]);
  await until(() => device.assigned().length === 1);
  await first.close();
  const { pipelines, happenings } = first.status();
  expect(pipelines.map(({ name, state }) => [name, state === "refused"])).toEqual([
    ["a", false],
    ["b", true],
  ]);
  expect(happenings).toMatchObject([{ what: "refused", name: "b", revision: expect.any(String) }]);
  device.change(join("assignments", "shared-1.json"), "about: one", "about: onf");
  const second = await device.supervisor();
  second.start();
  await until(() => device.assigned().some(({ text }) => text.includes("about: one\n")));
  await second.drain();
  await second.close();
});
