// The ingest as the process that it is, against a real server: readers and ingests are killed under a numbered stream, and
// what is missing in the end is what came while no ingest was there, and nothing else.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { type RunningNatsServer, startNatsServer } from "../connect/nats-server.ts";
import { attendanceAfter, dismissal, readBeat, writeBeat } from "./ingest-beat.ts";
import { ingestFolder, type IngestPlan, planDigest, readIngestPlan } from "./ingest-plan.ts";

let folder: string;
let server: RunningNatsServer;
let link: NatsLink;
/** Processes of ingests that a reader said it started. */
let ingests: number[];
let readers: ChildProcess[];

const state = (): string => join(folder, "state");
const lines = (): string => join(folder, "lines");

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "weir-ingest-"));
  ingests = [];
  readers = [];
  server = await startNatsServer({ name: "weir-ingest" }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, silentLog);
});

afterEach(async () => {
  for (const reader of readers) reader.kill("SIGKILL");
  for (const ingest of ingests) killed(ingest, "SIGKILL");
  await link.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** False where there is no such process any more. */
function killed(process_id: number, signal: "SIGKILL" | "SIGTERM" | 0): boolean {
  try {
    return process.kill(process_id, signal);
  } catch {
    return false;
  }
}

/** A reader that has begun to read. */
async function startReader(subject = "in.>"): Promise<ChildProcess> {
  const program = fileURLToPath(new URL("./ingest-reader.fixture.ts", import.meta.url));
  const reader = spawn(process.execPath, [program, state(), server.url, lines(), subject], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  readers.push(reader);
  const { promise, resolve } = Promise.withResolvers<void>();
  reader.stdout.setEncoding("utf8").on("data", (text: string) => {
    for (const [, id] of text.matchAll(/started as process (\d+)/g)) ingests.push(Number(id));
    if (text.includes("reading")) resolve();
  });
  await promise;
  return reader;
}

async function kill(child: ChildProcess): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once("exit", () => resolve());
  child.kill("SIGKILL");
  await promise;
}

/** Resolves once the ingest that was started last says that it listens. */
async function subscribed(): Promise<void> {
  const file = join(ingestFolder(state(), "test"), "ingest.log");
  const begun = (): number => readFileSync(file, "utf8").match(/: journal/g)?.length ?? 0;
  await vi.waitFor(() => expect(begun()).toBe(ingests.length), { timeout: 15_000, interval: 20 });
}

interface Line {
  readonly numbers: number[];
  readonly dropped: Readonly<Record<string, number>>;
}

function committed(): { numbers: number[]; last: Line | undefined } {
  const text = existsSync(lines()) ? readFileSync(lines(), "utf8") : "";
  const whole = text.slice(0, text.lastIndexOf("\n") + 1).trimEnd();
  const all = whole === "" ? [] : whole.split("\n").map((line) => JSON.parse(line) as Line);
  return { numbers: all.flatMap(({ numbers }) => numbers), last: all.at(-1) };
}

/** Records on five subjects, each with a number of its own on it. */
function publish(from: number, to: number): void {
  for (let n = from; n < to; n++)
    link.nats.publish(`in.${n % 5}`, JSON.stringify({ n, s: Math.floor(n / 5) }));
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe("an ingest", { timeout: 60_000 }, () => {
  it("loses nothing when readers are killed, however often", async () => {
    let reader = await startReader();
    await subscribed();
    let sent = 0;
    for (let life = 0; life < 3; life++) {
      for (let burst = 0; burst < 20; burst++) {
        publish(sent, sent + 250);
        sent += 250;
        await link.flush();
        await sleep(wallClock, 5);
      }
      await kill(reader);
      // While nobody reads.
      publish(sent, sent + 500);
      sent += 500;
      await link.flush();
      reader = await startReader();
    }
    await vi.waitFor(() => expect(committed().numbers.at(-1)).toBe(sent - 1), { timeout: 10_000 });
    const { numbers, last } = committed();
    expect(numbers).toEqual(range(0, sent));
    expect(last?.dropped).toEqual({});
    // The first one has run all the while.
    expect(ingests).toHaveLength(1);
    expect(killed(ingests[0]!, 0)).toBe(true);
  });

  it("listens when its reader says that it reads", async () => {
    await startReader();
    publish(0, 250);
    await link.flush();
    await vi.waitFor(() => expect(committed().numbers).toEqual(range(0, 250)), { timeout: 10_000 });
  });

  it("is back in a moment when it is killed; what is missing came while it was away", async () => {
    await startReader();
    await subscribed();
    let sent = 0;
    const away: { from: number; to: number }[] = [];
    for (let life = 0; life < 2; life++) {
      publish(sent, sent + 2_000);
      sent += 2_000;
      await link.flush();
      // Longer than a group takes to be durable: all of this must be kept.
      await vi.waitFor(() => expect(committed().numbers.at(-1)).toBe(sent - 1), { timeout: 10_000 });
      const from = sent;
      const lives = ingests.length;
      killed(ingests.at(-1)!, "SIGKILL");
      while (ingests.length === lives) {
        publish(sent, ++sent);
        await link.flush();
        await sleep(wallClock, 1);
      }
      await subscribed();
      away.push({ from, to: sent });
    }
    publish(sent, sent + 100);
    sent += 100;
    await vi.waitFor(() => expect(committed().numbers.at(-1)).toBe(sent - 1), { timeout: 10_000 });
    const { numbers, last } = committed();
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    // Publishers number their records: what is missing is told to the last of them.
    expect(numbers.length).toBeLessThan(sent);
    expect(last?.dropped).toEqual({ missing: sent - numbers.length });
    const missing = new Set(range(0, sent).filter((n) => !away.some(({ from, to }) => n >= from && n < to)));
    for (const number of numbers) missing.delete(number);
    expect([...missing]).toEqual([]);
  });

  it("writes all that it received when it is told to end", async () => {
    await startReader();
    await subscribed();
    publish(0, 20_000);
    await link.flush();
    const [first] = ingests;
    killed(first!, "SIGTERM");
    await vi.waitFor(() => expect(committed().numbers.length).toBe(20_000), { timeout: 10_000 });
    expect(committed().numbers).toEqual(range(0, 20_000));
    // The reader's keeper starts another.
    await vi.waitFor(() => expect(ingests).toHaveLength(2), { timeout: 10_000 });
    await subscribed();
  });

  it("makes room for one that reads other subjects", async () => {
    const first = await startReader("in.1");
    await subscribed();
    publish(0, 10);
    await vi.waitFor(() => expect(committed().numbers).toEqual([1, 6]), { timeout: 10_000 });
    await kill(first);
    await startReader("in.2");
    await vi.waitFor(() => expect(ingests).toHaveLength(2), { timeout: 10_000 });
    await vi.waitFor(
      () => {
        publish(12, 13);
        expect(committed().numbers.at(-1)).toBe(12);
      },
      { timeout: 10_000, interval: 50 },
    );
    await vi.waitFor(() => expect(killed(ingests[0]!, 0)).toBe(false), { timeout: 5_000 });
  });
});

describe("whether an ingest goes on", () => {
  const plan: IngestPlan = { folder: "f", jobs: [], connections: {}, attended: true };
  const beat = (count: number, worker = "w") => ({ wanted: planDigest(plan), count, worker });

  it("is a matter of whether somebody reads, by its own clock", () => {
    let attendance = { beat: null as ReturnType<typeof readBeat>, silent: 0 };
    for (const count of [1, 2, 3]) {
      attendance = attendanceAfter(attendance, beat(count), 100_000);
      expect(dismissal(attendance, planDigest(plan))).toBeNull();
    }
    for (let n = 0; n < 5; n++) attendance = attendanceAfter(attendance, beat(3), 100_000);
    expect(dismissal(attendance, planDigest(plan))).toBeNull();
    attendance = attendanceAfter(attendance, beat(3), 100_000);
    expect(dismissal(attendance, planDigest(plan))).toBe("nobody reads");
    expect(dismissal(attendanceAfter(attendance, beat(3, "other"), 1), planDigest(plan))).toBeNull();
  });

  it("and of whether it is the one that is wanted", () => {
    const other = planDigest({ ...plan, connections: { default: { url: "nats://x" } } });
    expect(dismissal({ beat: { wanted: other, count: 1, worker: "w" }, silent: 0 }, planDigest(plan))).toBe(
      "another is wanted",
    );
  });

  it("is read from a file that may be missing or half-written", async () => {
    await startReader();
    expect(readBeat(ingestFolder(state(), "test"))?.count).toBeGreaterThan(0);
    expect(readBeat(join(folder, "nowhere"))).toBeNull();
    writeBeat(folder, beat(7));
    expect(readBeat(folder)).toEqual(beat(7));
    expect(() => readIngestPlan("{}")).toThrow(/expected the plan of an ingest/);
    expect(readIngestPlan(JSON.stringify(plan))).toEqual(plan);
  });
});
