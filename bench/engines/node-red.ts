// Node-RED without its editor: its runtime in this process, the workload's flow between a node that sends every
// line as a message and one that takes what comes out.

import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Assignment, Engine, Pass, Session } from "../side-by-side/engine.ts";
import type { Row } from "../side-by-side/workload.ts";
import { eachLine } from "./by-hand.ts";
import { importPeer, peerMissing } from "./peers.ts";

const packageName = "node-red";
const program = "node-red.json";
/** The types of the nodes at both ends. A workload's flow is wired to the node `last`. */
const ends = { in: "bench in", out: "bench out" } as const;
/** Messages go through the flow one by one; it takes a minute for millions. */
const records_max = 50_000;
/** When nothing has come out for so long, all has. */
const quiet_ms = 200;

interface Message {
  readonly payload: unknown;
}
interface Node {
  send(message: Message): void;
  on(event: "input", take: (message: Message, send: unknown, done: () => void) => void): void;
}
type Constructor = (this: Node, settings: unknown) => void;

/** What of the package is used. */
interface NodeRed {
  init(server: unknown, settings: Readonly<Record<string, unknown>>): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  readonly runtime: {
    readonly _: {
      readonly nodes: {
        registerType(set: string, type: string, constructor: Constructor): void;
        createNode(node: Node, settings: unknown): void;
      };
    };
  };
}

interface FlowNode {
  readonly id: string;
}

/** The workload's nodes between the two ends. */
function flowOf(nodes: readonly FlowNode[]): readonly Readonly<Record<string, unknown>>[] {
  const tab = { id: "flow", type: "tab", label: "flow" };
  const first = { id: "first", type: ends.in, z: tab.id, wires: [[nodes[0]!.id]] };
  const last = { id: "last", type: ends.out, z: tab.id, wires: [] };
  return [tab, first, ...nodes.map((node) => ({ ...node, z: tab.id })), last];
}

async function startRuntime(
  nodes: readonly FlowNode[],
  take: (payload: unknown) => void,
): Promise<{ readonly red: NodeRed; readonly first: Node }> {
  const { default: red } = await importPeer<{ readonly default: NodeRed }>(packageName);
  const userDir = mkdtempSync(join(tmpdir(), "weir-node-red-"));
  writeFileSync(join(userDir, "flows.json"), JSON.stringify(flowOf(nodes)));
  const off = { httpAdminRoot: false, httpNodeRoot: false, disableEditor: true, credentialSecret: false };
  red.init(createServer(), {
    ...off,
    userDir,
    flowFile: "flows.json",
    logging: { console: { level: "off" } },
  });
  const { registerType, createNode } = red.runtime._.nodes;
  const first = new Promise<Node>((resolve) => {
    registerType("bench", ends.in, function (settings) {
      createNode(this, settings);
      resolve(this);
    });
  });
  registerType("bench", ends.out, function (settings) {
    createNode(this, settings);
    this.on("input", ({ payload }, _send, done) => {
      take(payload);
      done();
    });
  });
  await red.start();
  return { red, first: await first };
}

async function open({ folder, file }: Assignment): Promise<Session> {
  const nodes = JSON.parse(readFileSync(new URL(program, folder), "utf8")) as readonly FlowNode[];
  const lines = [...eachLine(readFileSync(file))];
  let rows: unknown[] = [];
  let expected: number | null = null;
  const { red, first } = await startRuntime(nodes, (payload) => rows.push(payload));
  const pass = async (keep: boolean): Promise<Pass> => {
    rows = [];
    for (const payload of lines) first.send({ payload });
    // How many come out, the first pass finds by waiting; later ones end with the last of them.
    expected ??= await settled(() => rows.length);
    while (rows.length < expected) await new Promise(setImmediate);
    return { count: rows.length, rows: keep ? rows.map((row) => JSON.parse(String(row)) as Row) : null };
  };
  return { pass, close: () => red.stop() };
}

/** The count once something was counted and it stands still. */
async function settled(count: () => number): Promise<number> {
  for (let before = -1; ; ) {
    if (before > 0 && count() === before) return before;
    before = count();
    await new Promise((resolve) => setTimeout(resolve, quiet_ms));
  }
}

export const nodeRed: Engine = {
  name: "Node-RED",
  threads: 1,
  program,
  records_max,
  missing: () => peerMissing(packageName),
  open,
};
