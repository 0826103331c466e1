// weir status and weir logs: ask the supervisors of this machine what runs and what it says. Change nothing.

import { basename } from "node:path";
import { durationText } from "../engine/waiting.ts";
import { WeirError } from "../errors.ts";
import type { PipelineBeat } from "../heartbeat.ts";
import { instanceOf } from "../instance.ts";
import type { PipelineStatusLine, SupervisorStatus } from "../supervisor/status.ts";
import { askWorkers } from "../worker/control-client.ts";
import { runFolder } from "../worker/settings.ts";
import type { WaitingAnswer } from "../worker/waiting-answers.ts";
import type { WorkerStatus } from "../worker/worker.ts";
import { bytesText } from "./amounts.ts";
import { droppedLines, lackingLines, runLines } from "./run-status.ts";
import { askedSupervisors, unknownName, withoutWorker } from "./supervised-names.ts";
import { tableText } from "./table-text.ts";
import { print, styled } from "./terminal.ts";
import { notOpen } from "./why.ts";

/** What answers to a question in the folder of sockets; those that know nothing of it, or are `kept`, are left out. */
async function answersTo<T>(question: string, isKept: (socket: string) => boolean): Promise<readonly T[]> {
  const answers = await askWorkers(runFolder(process.env), question);
  return answers.flatMap(({ worker, answer }) => (answer === null || isKept(worker) ? [] : [answer as T]));
}

/** Whether a socket file is that of a worker of one of these supervisors, by theirs. */
function keptBy(supervisors: readonly string[]): (socket: string) => boolean {
  const identities = supervisors.map((socket) => basename(socket, ".sock").replace("supervisor-", ""));
  return (socket) => identities.some((identity) => basename(socket).startsWith(`${identity}-`));
}

async function supervisors(): Promise<readonly SupervisorStatus[]> {
  const found = await askedSupervisors();
  if (found.length > 0) return found.map((each) => each.status);
  throw new WeirError("WEIR_NO_WORKER", `no supervisor of this user answers in ${runFolder(process.env)}`, {
    remedy:
      "weir supervise pipelines/ --state FOLDER starts one, or WEIR_RUN_FOLDER names another folder; weir run and weir worker say what they say on their own standard error",
  });
}

function megabytes(bytes: number | null): string {
  return bytes === null ? "-" : `${Math.round(bytes / 1e6)} MB`;
}

/** A pipeline, or all partitions of one together: what differs among them is said of each. */
function pipelineRow(lines: readonly PipelineStatusLine[], { scales, now }: SupervisorStatus): string[] {
  const [first] = lines as readonly [PipelineStatusLine];
  const { pipeline } = instanceOf(first.name);
  const scale = scales[pipeline];
  const beats = lines.flatMap(({ beat }) => beat ?? []);
  const total = (count: (beat: PipelineBeat) => number | null): string =>
    beats.length === 0 ? "-" : String(beats.reduce((sum, beat) => sum + (count(beat) ?? 0), 0));
  const same = (text: (line: PipelineStatusLine) => string): string => {
    const counts = [...Map.groupBy(lines, text)].map(([each, all]) => ({ each, count: all.length }));
    return counts.length === 1 ? text(first) : counts.map(({ each, count }) => `${count} ${each}`).join(", ");
  };
  const since = beats.map((each) => each.since);
  return [
    pipeline,
    same(({ state }) => state),
    same(({ runs }) => runs ?? "-"),
    lines.every(({ runs, wanted }) => runs === wanted) ? "" : `wants ${first.wanted}`,
    scale === undefined ? (first.worker ?? "-") : `${scale.workers} of at most ${scale.most}`,
    since.length === 0 ? "-" : durationText(now - Math.min(...since)),
    total(({ records }) => records),
    total(({ rows }) => rows),
    beats.some(({ lag }) => lag !== null) ? total(({ lag }) => lag) : "-",
    keptText(beats),
    beats.length === 0 ? "-" : `${Math.round(beats.reduce((sum, { busy }) => sum + busy, 0) * 100)} %`,
  ];
}

/** How large their states are, together. */
function keptText(beats: readonly PipelineBeat[]): string {
  const known = beats.flatMap(({ state_bytes }) => state_bytes ?? []);
  return known.length === 0 ? "-" : bytesText(known.reduce((sum, bytes) => sum + bytes, 0));
}

/** Why partitions have as many workers as they have, and what is wrong with any of them. */
function reasonLines(lines: readonly PipelineStatusLine[], { scales, now }: SupervisorStatus): string[] {
  const scale = scales[instanceOf(lines[0]?.name ?? "").pipeline];
  const told: string[] = [];
  if (scale?.decision != null) {
    const { at, reason } = scale.decision;
    told.push(styled("dim", `  ${scale.workers} since ${durationText(now - at)}: ${reason}`));
  }
  if (scale?.saturated != null)
    told.push(styled("red", `  needs more workers and gets none: ${scale.saturated}`));
  for (const [reason, all] of Map.groupBy(lines, (each) => each.reason)) {
    if (reason === null) continue;
    if (scale !== undefined) told.push(styled("red", `  ${all.map(({ name }) => name).join(", ")}:`));
    told.push(...reason.split("\n").map((line) => styled("red", `  ${line}`)));
  }
  for (const [lacks, all] of Map.groupBy(lines, ({ beat }) => beat?.lacks_room)) {
    const who = all.length === lines.length ? "" : `${all.map(({ name }) => name).join(", ")}: `;
    if (lacks !== undefined) told.push(styled("red", `  ${who}nothing new is taken: ${lacks}`));
  }
  for (const [waits, all] of Map.groupBy(lines, ({ beat }) => beat?.waits_for)) {
    // Of all partitions alike none is named.
    const who = all.length === lines.length ? "" : `${all.map(({ name }) => name).join(", ")} `;
    const waitsOrWait = who !== "" && all.length > 1 ? "wait" : "waits";
    if (waits !== undefined) told.push(styled("dim", `  ${who}${waitsOrWait} for ${waits}`));
  }
  for (const { name, state } of lines)
    if (state === "quarantined") told.push(styled("dim", `  weir release ${name} lets it go again`));
  return told;
}

/** What `weir status` shows of one supervisor. */
export function statusLines(status: SupervisorStatus): string[] {
  const { host, driver, driver_fault, now, since, pipelines, workers, ingest } = status;
  const lines = [`${styled("bold", host)}: driver ${driver}, for ${durationText(now - since)}`];
  if (status.drained)
    lines.push(
      styled("red", `  drained: nothing is to run here until weir drain --undo --host ${host} lets it`),
    );
  if (driver_fault !== "") lines.push(styled("red", `  the driver fails: ${driver_fault}`));
  const byPipeline = [...Map.groupBy(pipelines, ({ name }) => instanceOf(name).pipeline).values()];
  if (status.unkept != null)
    lines.push(styled("red", `  the supervisor's own disk does not take all: ${status.unkept}`));
  const [head = "", ...rows] = tableText([
    ["PIPELINE", "STATE", "REVISION", "", "WORKER", "FOR", "RECORDS", "ROWS", "LAG", "KEPT", "BUSY"],
    ...byPipeline.map((lines) => pipelineRow(lines, status)),
  ]);
  lines.push(styled("dim", head));
  for (const [place, row] of rows.entries()) lines.push(row, ...reasonLines(byPipeline[place] ?? [], status));
  const [workerHead = "", ...workerRows] = tableText([
    ["WORKER", "STATE", "PROCESS", "MEMORY", "FOR", "PIPELINES"],
    ...workers.map(({ name, state, process: number, memory_bytes, started, pipelines: run }) => [
      name,
      state,
      number === null ? "-" : String(number),
      megabytes(memory_bytes),
      durationText(now - started),
      String(run.length),
    ]),
  ]);
  lines.push(styled("dim", workerHead), ...workerRows);
  if (ingest != null)
    lines.push(
      `ingest of journals: ${ingest.state}, for ${durationText(now - ingest.started)} (weir logs ingest)`,
    );
  return lines;
}

export async function status(options: { readonly json?: boolean }): Promise<number> {
  const supervising = await askedSupervisors();
  const hosts = supervising.map((each) => each.status);
  // What somebody started by hand, or what a supervisor has left that is gone, no other one tells of.
  const isKept = keptBy(supervising.map(({ socket }) => socket));
  const workers = (await answersTo<readonly WorkerStatus[]>("/status", isKept)).flat();
  const answers = await answersTo<readonly WaitingAnswer[]>("/pipelines", isKept);
  if (hosts.length === 0 && answers.length === 0) {
    throw new WeirError(
      "WEIR_NO_WORKER",
      `nothing of weir's that this user runs answers in ${runFolder(process.env)}`,
      {
        remedy: "weir run and weir supervise start something; WEIR_RUN_FOLDER names another folder",
      },
    );
  }
  const unopened = answers.flat().filter(({ waiting }) => waiting === null);
  if (options.json === true) {
    print(JSON.stringify([...hosts, ...workers, ...unopened]));
    return 0;
  }
  const [head, ...rows] = workers.length === 0 ? [] : runLines(workers);
  const heading = head === undefined ? [] : [styled("dim", head)];
  const waiting = unopened.map((answer) => {
    const line = `${answer.name} ${notOpen(answer)}`;
    return answer.failed === undefined ? line : styled("red", line);
  });
  if (answers.length > 0 && answers.flat().length === 0)
    waiting.push("no pipeline was given to the workers that run here");
  const lacking = lackingLines(workers).map((line) => styled("red", line));
  const notes = [...lacking, ...droppedLines(workers), ...waiting];
  for (const line of [...hosts.flatMap(statusLines), ...heading, ...rows, ...notes]) print(line);
  return 0;
}

/** The worker that is meant by its own name, or by that of a pipeline that it runs. */
function workerOf(name: string, { workers, pipelines, ingest }: SupervisorStatus): string | null {
  if (workers.some((each) => each.name === name) || (name === "ingest" && ingest != null)) return name;
  const meant = pipelines.filter((each) => each.name === name || instanceOf(each.name).pipeline === name);
  return meant.find(({ worker }) => worker !== null)?.worker ?? null;
}

export async function logs(name: string, options: { readonly lines: number }): Promise<number> {
  const found = await supervisors();
  const named = found.map((each) => workerOf(name, each)).find((each) => each !== null);
  if (named === undefined) throw withoutWorker(name, found) ?? unknownName(name, found);
  const answers = await askWorkers(runFolder(process.env), `/logs/${named}/${options.lines}`);
  for (const { answer } of answers) if (Array.isArray(answer)) for (const line of answer) print(String(line));
  return 0;
}

/** Lets go again what a supervisor of this machine has put aside. */
export async function release(name: string): Promise<number> {
  const found = await supervisors();
  const answers = await askWorkers(runFolder(process.env), `/release/${name}`);
  const said = new Set(answers.map(({ answer }) => answer));
  if (said.has("released") || said.has("fine")) {
    print(said.has("released") ? `${name} is started again` : `${name} has not failed: it is left as it is`);
    return 0;
  }
  throw withoutWorker(name, found) ?? unknownName(name, found);
}
