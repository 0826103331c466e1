// Holds what is in the cloud at the end of a schedule against what its hosts were given: which rows belong to which sink of which
// host, and what the way of delivery promises of them. The rules are those of the shape; comparing is done elsewhere.

import { backlogOf } from "../../state/outbox/lanes.ts";
import { judgeNumbers } from "./chain-numbers.ts";
import { judgeCondensed } from "./condensed-rows.ts";
import { type ExpectedRow, expectedRows, keyOf } from "./expected-rows.ts";
import type { Machine } from "./machine.ts";
import { entriesOf, rowOf } from "./message-entries.ts";
import type { Shape } from "./shape.ts";
import type { KeptMessage } from "./stream-model.ts";
import { type DeliveredRow, judgeRow, judgeRows, type RowRules, type Verdict } from "./verdict.ts";
import { laneStream, type SinkPlan, unpackedStream } from "./workload.ts";
import type { World } from "./world.ts";

export interface JudgementOptions {
  readonly verdict: Verdict;
  readonly world: World;
  readonly shape: Shape;
}

/** `whole`: somebody is left who sends what waits. */
export function judgeStreams({ verdict, world, shape }: JudgementOptions, whole: boolean): void {
  for (const [stream, delivered] of world.delivered)
    judgeNumbers(verdict, stream, delivered, {
      ordered: shape.delivery === "exclusive" || stream === unpackedStream,
      whole,
    });
}

/** All that one host was given is in the cloud as it must be. */
export function judgeHost(options: JudgementOptions, machine: Machine): void {
  const { verdict, shape } = options;
  const { host, workload } = machine.job;
  const { records: given } = machine.given;
  const numbers = new Set(given.map(({ record }) => record.n));
  if (numbers.size < given.length)
    verdict.add("duplicated", `${given.length - numbers.size} records count twice`);
  const expected = expectedRows(given, workload.sources.length, workload.sinks);
  for (const sink of workload.sinks) {
    const wanted = expected.get(sink.stream) ?? [];
    const incarnations = rowsOf(options, sink, host);
    const rules = rulesOf(options, sink, machine);
    if (shape.outbox.tiers.length > 0 && sink.kind === "condensed")
      judgeCondensed(verdict, sink, incarnations, wanted, {
        ...rules,
        condensed: countOf(machine, sink, ["condensed"]),
      });
    else judgeRows(verdict, sink, incarnations, wanted, rules);
    if (shape.delivery === "bucket" && rules.dropped === 0 && shape.outbox.tiers.length === 0)
      judgeBucket(options, sink, wanted);
  }
}

function rulesOf({ world, shape }: JudgementOptions, sink: SinkPlan, machine: Machine): RowRules {
  const { delivery } = shape;
  return {
    ordered: delivery !== "message_id",
    mayRepeat: repeatsOf(world, shape, sink),
    dropped: countOf(machine, sink, ["expired", "overflow"]),
  };
}

/** Of which rows a second one is no fault, or one that the watch of the sink has judged. */
function repeatsOf(world: World, { delivery }: Shape, sink: SinkPlan): (key: string) => boolean {
  if (delivery === "message_id" || delivery === "bucket") return () => true;
  if (delivery !== "lane") return () => false;
  // What the stream of the lanes lost when somebody had read it is sent again, and read again.
  const gone = world.delivered.get(laneStream)?.gone ?? [];
  const keys = new Set(
    gone.flatMap((message) => entriesOf(message)).map((entry) => keyOf(sink.kind, rowOf(entry))),
  );
  return (key) => keys.has(key);
}

/** Rows that the outbox says it has let go of, for one of `reasons`. */
function countOf({ incarnation, job }: Machine, { stream }: SinkPlan, reasons: readonly string[]): number {
  const outbox = incarnation?.outbox;
  if (outbox === null || outbox === undefined) return 0;
  const chains = job.hasBacklog ? [stream, backlogOf(stream)] : [stream];
  return chains
    .flatMap((chain) => reasons.map((reason) => outbox.account(chain).dropped[reason] ?? 0))
    .reduce((sum, rows) => sum + rows, 0);
}

/** By incarnation of the stream, the rows of one sink of a host. */
function rowsOf({ world, shape }: JudgementOptions, sink: SinkPlan, host: string): DeliveredRow[][] {
  const isLane = shape.delivery === "lane";
  const delivered = world.delivered.get(isLane ? unpackedStream : sink.stream);
  const start = `out.${host}.${sink.stream}.`;
  return (delivered?.incarnations ?? []).map((messages) =>
    messages
      .filter(({ subject }) => !isLane || subject.startsWith(start))
      .map((message) => ({ row: rowOf(message), isBacklog: isBacklog(message, isLane) }))
      .filter(({ row }) => String(row["device"]).startsWith(host)),
  );
}

function isBacklog({ subject, headers }: KeptMessage, isLane: boolean): boolean {
  return isLane ? subject.split(".")[3] === "backlog" : headers.get("weir-lane") === "backlog";
}

/** In the end a key has the last of its rows. */
function judgeBucket(
  { verdict, world }: JudgementOptions,
  sink: SinkPlan,
  expected: readonly ExpectedRow[],
): void {
  const last = new Map(expected.map((each) => [each.device, each]));
  const stream = world.delivered.get(sink.stream)?.stream ?? null;
  for (const [device, want] of last) {
    const key = `$KV.${sink.stream}.${sink.stream.toLowerCase()}.${device}`;
    const value = stream?.readLast(key) ?? null;
    if (value === null) verdict.add("lost", `${key} has no value`);
    else judgeRow(verdict, `the last value of ${key}`, want.row, rowOf(value));
  }
}
