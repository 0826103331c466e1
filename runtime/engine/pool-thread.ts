// The entry of a pool thread: runs batches of any source. Keeps nothing between tasks but compiled code and dictionaries.

import { threadId } from "node:worker_threads";
import { move, transferableSymbol, valueSymbol } from "piscina";
import { bufferOf, takeBuffer } from "../batch/compact.ts";
import { loadPlans } from "./loader.ts";
import type { PoolGroup, PoolResult, PoolTask } from "./pool-protocol.ts";
import { PoolMembers } from "./pool-members.ts";

/** By number, those that this thread has met and that are still there. */
const groups = new Map<number, Promise<PoolMembers>>();

async function makeGroup(definition: Uint8Array): Promise<PoolMembers> {
  const { inputs, header } = JSON.parse(Buffer.from(definition).toString()) as PoolGroup;
  return new PoolMembers(await loadPlans(inputs), header);
}

function groupOf({ group, definition, groups: present }: PoolTask): Promise<PoolMembers> {
  for (const id of groups.keys()) if (!present.includes(id)) groups.delete(id);
  const known = groups.get(group) ?? makeGroup(definition);
  groups.set(group, known);
  return known;
}

/** What throws is run again at home, where it is seen what becomes of the pipeline. */
export default async function run(task: PoolTask): Promise<unknown> {
  task.buffers.forEach(takeBuffer);
  const group = await groupOf(task);
  const result: PoolResult = { thread: threadId, ...group.run(task.payloads, task.clock) };
  const buffers = result.parts.flatMap(({ batches }) => batches.map(bufferOf));
  return move({ [transferableSymbol]: buffers, [valueSymbol]: result });
}
