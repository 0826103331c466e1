// Faults of operators that somebody else wrote: they throw at some records, never return, end their thread, or the whole process,
// or take memory without end.
// Each happens once for a record, as a fault of the moment does; one that happens always is a supervisor's to see.

import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pipelineText } from "./pipeline.ts";
import { insist, type Scenario } from "./scenario.ts";
import { until } from "./waiting.ts";
import type { Start, World } from "./world.ts";

type Strangeness = "throws" | "hangs" | "sleeps" | "exits" | "kills" | "fills" | "takes";

/** One record in so many is one that the operator does not take. */
const strangeEvery = 1_000;
/** Which of them; never the last of a message. */
const strangeAt = 501;

/** So often that the supervisor does not give the pipeline up. */
const hangsMax = 3;

/** What it does the first time; afterwards it keeps the record. */
const deeds: Readonly<Record<Exclude<Strangeness, "throws">, string>> = {
  hangs: "for (;;);",
  // No end of a thread ends what is not JavaScript.
  sleeps: 'spawnSync("sh", ["-c", "while sleep 1; do :; done", import.meta.url]);',
  exits: 'process["exit"](7);',
  kills: 'process.kill(process.pid, "SIGKILL");',
  fills: "for (const all = []; ; ) all.push(new Array(100_000).fill(seq));",
  // Held until there is as much of it.
  takes: "for (const all = []; all.length < 60; ) all.push(new Uint8Array(10_000_000).fill(all.length + 1));",
};

const operatorText = (deed: string): string => `import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { defineFilter, field, z } from "weir/sdk";

export function isFirst(seq) {
  const mark = new URL("did-" + seq, import.meta.url);
  if (existsSync(mark)) return false;
  writeFileSync(mark, "");
  return true;
}

export const strange = defineFilter({
  name: "strange",
  summary: "Does not take some records.",
  config: z.strictObject({ value: field.column(["float64"], "The number of the record.") }),
  keep: ({ value }) => (record) => {
    const seq = record.number(value);
    if (seq % ${strangeEvery} === ${strangeAt}) { ${deed} }
    return true;
  },
});
`;

/** As a supervisor bounds the heap of a worker; what is filled outside of it, nothing here bounds. */
const bounded: Start = { environment: { NODE_OPTIONS: "--max-old-space-size=192" } };

function deedOf(strangeness: Strangeness): string {
  return strangeness === "throws"
    ? 'throw new Error("no such record");'
    : `if (isFirst(seq)) ${deeds[strangeness]}`;
}

const pipeline = pipelineText
  .replace("source:\n", "use: [./strange.js]\nsource:\n")
  .replace("steps:\n", "steps:\n  - strange: { value: seq }\n");

function scenario(name: string, about: string, strangeness: Strangeness, run: Scenario["run"]): Scenario {
  return {
    name,
    about,
    world: { ahead: 1_000, pipeline, files: { "strange.js": operatorText(deedOf(strangeness)) } },
    run,
  };
}

export const operatorFaults: readonly Scenario[] = [
  scenario("F53", "an operator throws at one record in a thousand", "throws", async (world, isShort) => {
    world.begin();
    await world.flows(isShort ? 4_000 : 40_000);
    await world.publisher.stop();
    const { published } = world.publisher;
    for (let seq = strangeAt; seq < published; seq += strangeEvery) world.mayLack.add(seq);
    await world.alive("all that was published", () => world.cloud.arrived === published - 1);
    const code = await world.endWorker();
    insist(code === 0, `SIGTERM ended the worker with ${code}:\n${world.worker.said()}`);
    const ledger = world.worker.statusAtEnd()?.[0]?.pipeline.branches[0]?.ledger ?? [];
    const refused = ledger.filter(({ step }) => step.includes("strange"));
    const counted = refused.reduce((sum, { records }) => sum + records, 0);
    insist(
      counted === world.mayLack.size,
      `${counted} records are counted; it refused ${world.mayLack.size}`,
    );
    world.startWorker();
  }),
  scenario("F8", "an operator ends its thread, once for each of some records", "exits", ended),
  scenario("F9", "an operator does not return, once for each of some records", "hangs", ended),
  scenario(
    "F10",
    "an operator calls what never returns, once for each of some records, under a supervisor",
    "sleeps",
    endsItself,
  ),
  scenario("F13", "an operator kills the whole process, once for each of some records", "kills", ended),
  scenario("F11", "an operator fills the heap, once for each of some records", "fills", (world, isShort) =>
    ended(world, isShort, bounded),
  ),
  scenario(
    "F12",
    "an operator takes 600 MB outside of the heap, once for each of some records",
    "takes",
    took,
  ),
];

/** The worker ends with its only pipeline, and goes on when it is started again. */
async function ended(world: World, isShort: boolean, how: Start = {}): Promise<void> {
  world.begin(how);
  for (let end = 0; end < (isShort ? 1 : 4); end++) {
    const { worker } = world;
    await until("the end of a worker whose operator fails", () => worker.hasEnded);
    world.crashes++;
    const { code, signal } = await worker.ended;
    insist(code !== 0, `a failed operator ended the worker with ${signal ?? code}:\n${worker.said()}`);
    world.startWorker(how);
  }
  // No more of them: what was published so far is all.
  await world.publisher.stop();
  await surviving(world, how);
}

/** Nothing ends such a call but the end of the process: a worker whose thread does not end ends itself, and is started anew. */
async function endsItself(world: World, isShort: boolean): Promise<void> {
  const { folder, publisher, cloud } = world;
  // What a supervisor has started outlives it, and what an operator has started outlives that.
  world.later(() => endAllOf(folder));
  world.begin({ supervises: [dirname(world.file)], environment: { WEIR_RUN_FOLDER: join(folder, "r") } });
  const { worker } = world;
  for (let hang = 0; hang < (isShort ? 1 : hangsMax); hang++) {
    const { heard } = worker;
    await world.alive("a worker that ends", () => worker.hasSaid("a signal ended it", heard));
    world.crashes++;
  }
  await publisher.stop();
  const last = publisher.published - 1;
  await world.alive("all that was published", () => cloud.arrived === last);
}

function endAllOf(folder: string): void {
  for (const file of globSync("/proc/[0-9]*/cmdline")) {
    try {
      if (readFileSync(file, "latin1").includes(folder)) process.kill(Number(file.split("/")[2]), "SIGKILL");
    } catch {
      // It has ended.
    }
  }
}

/** The worker ends of it, refuses the record, or goes on; started again it does as well. */
async function took(world: World, isShort: boolean): Promise<void> {
  world.begin(bounded);
  const { random, cloud } = world;
  const records = cloud.arrived + random.between(1, isShort ? 2 : 8) * strangeEvery;
  await until("an operator that took memory", () => world.worker.hasEnded || cloud.arrived > records);
  await world.publisher.stop();
  await surviving(world, bounded);
  // One that it refused is counted, and does not come.
  for (let seq = strangeAt; seq < world.publisher.published; seq += strangeEvery) world.mayLack.add(seq);
  await world.killWorker();
  world.startWorker(bounded);
}

async function surviving(world: World, how: Start): Promise<void> {
  const last = world.publisher.published - 1;
  while (world.cloud.arrived < last) {
    const { worker } = world;
    await until(
      "all that was published, or the end of the worker",
      () => worker.hasEnded || world.cloud.arrived >= last,
    );
    if (!worker.hasEnded) continue;
    world.crashes++;
    world.startWorker(how);
  }
}
