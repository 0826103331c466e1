// A process of its own that works with a commit log in a folder until it is ended from outside, or fills the folder's disk.
// Says on its output what it has: one line for each commit that was acknowledged.

import { writeFileSync, writeSync, rmSync } from "node:fs";
import { join } from "node:path";
import { messageOf, WeirError } from "../../errors.ts";
import { openCommitLog } from "./commit-log.ts";
import { FileDisk } from "./file-disk.ts";

/** Of any commit: its number, and bytes that follow from it. */
export function bodyOf(number: number): Uint8Array {
  const body = new Uint8Array(8 + ((number * 7919) % 30_000)).fill(number % 251);
  new DataView(body.buffer).setFloat64(0, number);
  return body;
}

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

async function appendForEver(folder: string): Promise<void> {
  const { log } = await openCommitLog(await FileDisk.open(folder));
  say("open");
  for (;;) {
    const number = await log.append(bodyOf(Number(process.argv[4]) + 1));
    process.argv[4] = String(number);
    say(String(number));
    if (number % 20 === 0) await log.checkpoint(bodyOf(number));
  }
}

async function hold(folder: string): Promise<void> {
  await openCommitLog(await FileDisk.open(folder));
  say("open");
  process.stdin.resume();
}

/** Fills the disk, makes room, goes on; then says how many commits were refused and what a new start finds. */
async function fill(folder: string): Promise<void> {
  const filler = join(folder, "filler");
  writeFileSync(filler, new Uint8Array(1_000_000));
  const { log } = await openCommitLog(await FileDisk.open(folder));
  let number = 0;
  let refused = 0;
  while (refused < 3) {
    try {
      number = await log.append(bodyOf(number + 1));
    } catch (error) {
      if (!(error instanceof WeirError) || error.code !== "WEIR_DISK_FULL") throw error;
      refused++;
    }
  }
  const full = number;
  rmSync(filler);
  for (let more = 0; more < 5; more++) number = await log.append(bodyOf(number + 1));
  await log.close();
  const { log: next, recovery } = await openCommitLog(await FileDisk.open(folder));
  await next.close();
  const right = recovery.commits.filter((body, index) => Buffer.compare(body, bodyOf(index + 1)) === 0);
  say(JSON.stringify({ full, number, recovered: right.length, torn: recovery.tornBytes }));
}

const [, , what, folder] = process.argv;
const tasks: Readonly<Record<string, (folder: string) => Promise<void>>> = {
  append: appendForEver,
  hold,
  fill,
};
const task = what === undefined ? undefined : tasks[what];
if (task !== undefined && folder !== undefined)
  task(folder).catch((error: unknown) => say(`failed: ${messageOf(error)}`));
