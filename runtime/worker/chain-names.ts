// Which chain a sink's rows belong to, what that is sent over and how urgently. Pure.

import { limits } from "../limits.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { type ChainLane, liveOf } from "../state/outbox/lanes.ts";
import type { ChainStats } from "../state/outbox/outbox-stats.ts";
import type { RowSink } from "./open.ts";

/** The chain of a sink: of one pipeline for one place. Sinks that share a place share it, unless they are of two lanes there. */
export function chainOf(spec: RowSink, pipeline: string): string {
  switch (spec.kind) {
    case "stdout":
      return `${pipeline}/stdout`;
    case "file":
      return `${pipeline}/file/${spec.path}`;
    case "nats": {
      const place = [pipeline, spec.to, ...(spec.stream === null ? [] : [spec.stream])];
      // One stream that nobody else writes has one end, so it has one chain.
      return [...place, ...(spec.delivery === "exclusive" ? [] : [spec.delivery ?? "core", spec.lane])].join(
        "/",
      );
    }
  }
}

/** What stands for it in its id, behind that of the log: different chains never share it. */
export function chainInId(chain: string): string {
  return chain.split("/").map(encodeURIComponent).join("/");
}

/** True where rows may come in another order than that of their making: where each is told apart from all others by itself. */
export function mayOvertake(spec: RowSink): boolean {
  return spec.kind === "nats" && (spec.delivery === "lane" || spec.delivery === "message_id");
}

/** True where a former owner of the place can be refused: a stream or a lane of its own, or what is on the host itself. */
export function takesTurns(spec: RowSink): boolean {
  if (spec.kind !== "nats") return true;
  return spec.stream !== null && ["exclusive", "lane"].includes(spec.delivery ?? "exclusive");
}

/** What is done about a sink whose former owner could not be refused. */
export const turnsRemedy =
  "give the sink a stream of its own (stream: NAME, without delivery), or a lane of one that others write as well (delivery: lane)";

/** By chain of the plans, its lane. A chain is an alarm's where any of its sinks is. */
export function chainLanes(plans: readonly PipelinePlan[]): ReadonlyMap<string, ChainLane> {
  const lanes = new Map<string, ChainLane>();
  for (const { name, branches, spec } of plans) {
    const letters = spec.deadLetter === null ? [] : [spec.deadLetter.sink];
    for (const sink of [...branches.map((branch) => branch.sink), ...letters]) {
      if (sink.kind === "nothing") continue;
      const chain = chainOf(sink, name);
      const isAlarm = sink.kind === "nats" && sink.lane === "alarm";
      if (lanes.has(chain) && !isAlarm) continue;
      const connection = sink.kind === "nats" ? sink.to : "";
      const rowBytes = rowBytesOf(sink, chain);
      lanes.set(chain, {
        connection,
        lane: isAlarm ? "alarm" : "live",
        ordered: !mayOvertake(sink),
        rowBytes,
      });
    }
  }
  return lanes;
}

/** By delivery, what a row that is a message of its own takes beside its bytes, and how often its headers name its chain. */
const messageHeads = {
  exclusive: { bytes: 290, names: 3 },
  subject: { bytes: 245, names: 2 },
  bucket: { bytes: 245, names: 2 },
  message_id: { bytes: 190, names: 2 },
} as const;

/** About what a row takes on the wire beside its own bytes. */
function rowBytesOf(sink: RowSink, chain: string): number {
  if (sink.kind !== "nats" || sink.stream === null || sink.delivery === "lane")
    return limits.uplink_row_bytes;
  const { bytes, names } = messageHeads[sink.delivery ?? "exclusive"];
  return bytes + names * chainInId(chain).length;
}

/** What is to be told of rows that wait where no sink of those that run sends them on: another stream or lane was named since. */
export function leftRows(
  chains: readonly Pick<ChainStats, "chain" | "rows">[],
  lanes: ReadonlyMap<string, ChainLane>,
): readonly string[] {
  return chains
    .filter(({ chain, rows }) => rows > 0 && !lanes.has(liveOf(chain) ?? chain))
    .map(
      ({ chain, rows }) =>
        `${rows} rows wait in ${chain}, where no sink that runs here writes now: they are kept within the limits of the outbox, and sent once one writes there again (weir outbox export --chain ${chain} writes them to a file)`,
    );
}
