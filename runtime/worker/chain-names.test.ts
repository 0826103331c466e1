import { expect, it } from "vitest";
import { VirtualClock } from "../clock.ts";
import type { StreamTargetOptions } from "../connect/chain/stream-target.ts";
import { bucketTarget } from "../connect/chain/bucket-target.ts";
import type { Target } from "../connect/chain/chain.ts";
import { exclusiveTarget } from "../connect/chain/exclusive-target.ts";
import { identifiedTarget } from "../connect/chain/identified-target.ts";
import { MemoryStream } from "../connect/chain/memory-stream.fixture.ts";
import { wireLength } from "../connect/chain/publication.ts";
import { begin, fill, settled } from "../connect/chain/running-chain.fixture.ts";
import type { StoredMessage } from "../connect/chain/stream-port.ts";
import { subjectTarget } from "../connect/chain/subject-target.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { wireBytes } from "../state/outbox/uplink.ts";
import { chainInId, chainLanes, chainOf, leftRows } from "./chain-names.ts";
import type { RowSink } from "./open.ts";

it("tells of rows that wait where no sink writes now, those of a backlog too", () => {
  const lanes = new Map([["p/cloud/NEW/lane/live", { connection: "cloud", lane: "live" as const }]]);
  const chains = [
    { chain: "p/cloud/NEW/lane/live", rows: 1 },
    { chain: "p/cloud/NEW/lane/live.backlog", rows: 2 },
    { chain: "p/cloud/OLD", rows: 3 },
    { chain: "p/cloud/EMPTY", rows: 0 },
    { chain: "p/cloud/OLD/lane/live.backlog", rows: 4 },
  ];
  expect(leftRows(chains, lanes).map((line) => line.slice(0, line.indexOf(",")))).toEqual([
    "3 rows wait in p/cloud/OLD",
    "4 rows wait in p/cloud/OLD/lane/live.backlog",
  ]);
});

/** As the client writes it to the socket. */
function written({ subject, headers, payload }: StoredMessage): number {
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const block = `NATS/1.0\r\n${lines}\r\n`;
  const reply = `_INBOX.${"x".repeat(22)}.12345`;
  const head = `HPUB ${subject} ${reply} ${block.length} ${block.length + payload.length}\r\n`;
  return head.length + block.length + payload.length + 2;
}

const targets = {
  exclusive: exclusiveTarget,
  subject: subjectTarget,
  bucket: (options: StreamTargetOptions) => bucketTarget({ ...options, bucket: "b" }),
  message_id: identifiedTarget,
} satisfies Record<string, (options: StreamTargetOptions) => Target>;

it.each(["exclusive", "subject", "bucket", "message_id"] as const)(
  "takes a row of the delivery %s for about what it takes on the wire",
  async (delivery) => {
    const rest = { kind: "nats", to: "cloud", subject: "a.{b}", stream: "CLIMATE", lane: "live" };
    const sink = { ...rest, delivery } as unknown as RowSink;
    const plan = {
      name: "climate",
      branches: [{ sink }],
      spec: { deadLetter: null },
    } as unknown as PipelinePlan;
    const chain = chainOf(sink, "climate");
    const { rowBytes } = chainLanes([plan]).get(chain)!;
    const stream = new MemoryStream();
    const clock = new VirtualClock(1_764_300_000_000);
    const id = `${"i".repeat(16)}.${chainInId(chain)}`;
    const { sender, outbox } = begin({ stream, clock, make: targets[delivery], id });
    fill(outbox, 2_000);
    await settled(sender.flush(), clock);
    await sender.close();
    const messages = [...stream.messages.values()];
    const taken = messages.reduce(
      (sum, { subject, payload }) =>
        sum + wireBytes({ subject, payload, caused: 0, rows: 1, headers: null }, rowBytes),
      0,
    );
    const real = messages.reduce((sum, message) => sum + written(message), 0);
    expect(messages).toHaveLength(2_000);
    expect(taken / real).toBeGreaterThan(0.97);
    expect(taken / real).toBeLessThan(1.05);
    const last = messages.at(-1)!;
    const headers = Object.fromEntries(last.headers);
    expect(Math.abs(wireLength({ ...last, headers }) - written(last))).toBeLessThan(4);
  },
);
