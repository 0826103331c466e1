// weir status and weir logs: ask the supervisors of this machine what runs and what it says. Change nothing.

import { durationText } from "../engine/waiting.ts";
import { WeirError } from "../errors.ts";
import { didYouMean } from "../pipeline/nearest.ts";
import type { PipelineStatusLine, SupervisorStatus } from "../supervisor/status.ts";
import { askWorkers } from "../worker/control-client.ts";
import { runFolder } from "../worker/settings.ts";
import { print, styled } from "./terminal.ts";

async function supervisors(): Promise<readonly SupervisorStatus[]> {
  const folder = runFolder(process.env);
  const answers = await askWorkers(folder, "/supervisor");
  const found = answers.flatMap(({ answer }) => (answer === null ? [] : [answer as SupervisorStatus]));
  if (found.length > 0) return found;
  throw new WeirError("WEIR_NO_WORKER", `no supervisor of this user answers in ${folder}`, {
    remedy: "weir supervise pipelines/ --state FOLDER starts one; WEIR_RUN_FOLDER names another folder",
  });
}

/** Columns as wide as what stands in them. */
export function tableText(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_cell, place) =>
    Math.max(...rows.map((row) => row[place]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, place) => cell.padEnd(widths[place] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

function megabytes(bytes: number | null): string {
  return bytes === null ? "-" : `${Math.round(bytes / 1e6)} MB`;
}

function pipelineRow({ name, state, runs, wanted, worker, beat }: PipelineStatusLine, now: number): string[] {
  return [
    name,
    state,
    runs ?? "-",
    runs === wanted ? "" : `wants ${wanted}`,
    worker ?? "-",
    beat === null ? "-" : durationText(now - beat.since),
    beat === null ? "-" : String(beat.records),
    beat === null ? "-" : String(beat.rows),
    beat?.lag == null ? "-" : String(beat.lag),
    beat === null ? "-" : `${Math.round(beat.busy * 100)} %`,
  ];
}

function show(status: SupervisorStatus): void {
  const { host, driver, driver_fault, now, since, pipelines, workers } = status;
  print(`${styled("bold", host)}: driver ${driver}, for ${durationText(now - since)}`);
  if (driver_fault !== "") print(styled("red", `  the driver fails: ${driver_fault}`));
  const [head = "", ...rows] = tableText([
    ["PIPELINE", "STATE", "REVISION", "", "WORKER", "FOR", "RECORDS", "ROWS", "LAG", "BUSY"],
    ...pipelines.map((each) => pipelineRow(each, now)),
  ]);
  print(styled("dim", head));
  for (const [place, row] of rows.entries()) {
    print(row);
    const reason = pipelines[place]?.reason ?? null;
    if (reason !== null) for (const line of reason.split("\n")) print(styled("red", `  ${line}`));
  }
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
  print(styled("dim", workerHead));
  for (const row of workerRows) print(row);
}

export async function status(options: { readonly json?: boolean }): Promise<number> {
  const found = await supervisors();
  if (options.json === true) print(JSON.stringify(found));
  else for (const each of found) show(each);
  return 0;
}

/** The worker that is meant by its own name, or by that of a pipeline that it runs. */
function workerOf(name: string, { workers, pipelines }: SupervisorStatus): string | null {
  if (workers.some((each) => each.name === name)) return name;
  return pipelines.find((each) => each.name === name)?.worker ?? null;
}

export async function logs(name: string, options: { readonly lines: number }): Promise<number> {
  const found = await supervisors();
  const named = found.map((each) => workerOf(name, each)).find((each) => each !== null);
  if (named === undefined) {
    const names = found.flatMap(({ workers, pipelines }) =>
      [...workers, ...pipelines].map((each) => each.name),
    );
    throw new WeirError("WEIR_USAGE", `no worker and no pipeline here is called ${name}`, {
      remedy: didYouMean(name, names) ?? `there are: ${names.join(", ")}`,
    });
  }
  const answers = await askWorkers(runFolder(process.env), `/logs/${named}/${options.lines}`);
  for (const { answer } of answers) if (Array.isArray(answer)) for (const line of answer) print(String(line));
  return 0;
}

/** Lets go again what a supervisor of this machine has put aside. */
export async function release(name: string): Promise<number> {
  const found = await supervisors();
  const answers = await askWorkers(runFolder(process.env), `/release/${name}`);
  if (answers.some(({ answer }) => answer === true)) {
    print(`${name} is started again`);
    return 0;
  }
  const names = found.flatMap(({ workers, pipelines }) =>
    [...workers, ...pipelines].map((each) => each.name),
  );
  throw new WeirError("WEIR_USAGE", `no worker and no pipeline here is called ${name}`, {
    remedy: didYouMean(name, names) ?? `there are: ${names.join(", ")}`,
  });
}
