// The entry of a home thread: one pipeline with operators of the user's own, away from the thread that
// owns the sockets. The same engine as everywhere, behind a port; one answer for each request.

import { parentPort } from "node:worker_threads";
import { messageOf, WeirError } from "../errors.ts";
import type { OutputRow } from "../connect/connect.ts";
import type { HomeAnswer, HomeRequest } from "./home-protocol.ts";
import { Checkpoints } from "./checkpoints.ts";
import { loadPlans } from "./loader.ts";
import { takenBranches } from "./output.ts";
import { packRows } from "./row-pack.ts";
import { SourceGroup } from "./source-group.ts";

type Letters = Extract<HomeAnswer, { kind: "done" }>["letters"][number][];

const port = parentPort!;
let group: SourceGroup | null = null;
let rows: OutputRow[][] = [];
let letters: Letters = [];
let checkpoints: Checkpoints | null = null;
/** What the present request asks for. */
let state: Uint8Array<ArrayBuffer> | null = null;

async function open(request: Extract<HomeRequest, { kind: "open" }>): Promise<void> {
  const plans = await loadPlans([request.input]);
  rows = plans[0]!.branches.map(() => []);
  group = new SourceGroup(plans, {
    headers: request.headers,
    identity: request.identity,
    inParts: true,
    outputs: () => ({
      row: (branch, row) => rows[branch]!.push(row),
      takes: takenBranches(plans[0]!),
      deadLetter: (letter, arrived) => letters.push({ letter, arrived }),
    }),
  });
  checkpoints = new Checkpoints(group.engines[0]!);
}

async function serve(request: HomeRequest): Promise<void> {
  state = null;
  if (request.kind === "open") await open(request);
  else if (request.kind === "checkpoint") state = checkpoints!.take(request.elapsed);
  else if (request.kind === "whole") state = checkpoints!.whole();
  else if (request.kind === "restore") checkpoints!.restore(request.changes, request.elapsed, true);
  else if (request.kind === "feed")
    group!.feed(request.payloads, request.now, request.input, request.elapsed);
  else if (request.kind === "tick") group!.tick(request.now, request.input, request.elapsed);
  else if (request.kind === "end") group!.end(request.now, request.input, request.elapsed);
  else if (request.kind === "go_on") group!.goOn();
  else if (request.kind === "reference") group!.engines[0]!.refer(request.table, request.content);
  else group!.finish(request.now);
}

function answer(): void {
  const packed = rows.map(packRows);
  const done: HomeAnswer = {
    kind: "done",
    rows: packed,
    letters,
    status: checkpoints!.status(),
    isBehind: group!.isBehind,
    state,
  };
  rows = rows.map(() => []);
  letters = [];
  const buffers = packed.flatMap(({ bytes, offsets }) => [bytes.buffer, offsets.buffer] as ArrayBuffer[]);
  port.postMessage(done, state === null ? buffers : [...buffers, state.buffer]);
}

/** What is kept under another plan is nothing that this one fails of. */
function refuse(request: HomeRequest, error: unknown): void {
  const remedy = error instanceof WeirError ? (error.remedy ?? null) : null;
  const message = messageOf(error);
  const code = request.kind === "restore" && error instanceof WeirError ? error.code : null;
  const refusal: HomeAnswer =
    code === "WEIR_STATE" || code === "WEIR_STATE_CHANGED"
      ? { kind: "refused", code, message, remedy }
      : { kind: "failed", message, remedy };
  port.postMessage(refusal);
}

let turn: Promise<void> = Promise.resolve();
port.on("message", (request: HomeRequest) => {
  turn = turn.then(() => serve(request)).then(answer, (error: unknown) => refuse(request, error));
});
