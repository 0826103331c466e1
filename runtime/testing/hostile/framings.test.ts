// Messages of strangers that hold many records, or pretend to, through a worker with a state folder and a real nats-server: a record
// that cannot enter is a dead letter by itself and those beside it come through; a message that cannot be cut is one dead letter.

import { jetstreamManager } from "@nats-io/jetstream";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { packLaneRow } from "../../codec/lane-rows.ts";
import { silentLog } from "../../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../../connect/nats-connection.ts";
import { type RunningNatsServer, startNatsServer } from "../../connect/nats-server.ts";
import { limits } from "../../limits.ts";
import { utf8 } from "./hostile-input.fixture.ts";
import { runWorker } from "./running-worker.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-hostile-"));
let server: RunningNatsServer;
let link: NatsLink;

beforeAll(async () => {
  server = await startNatsServer({ name: "weir-hostile" }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, silentLog);
});

afterAll(async () => {
  await link?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const bytes = (...all: readonly number[]): Uint8Array => Uint8Array.from(all);
const packed = (n: number): readonly number[] => [0x81, 0xa1, 0x6e, n];
const headers = { "Nats-Msg-Id": "forged", "Nats-Expected-Last-Sequence": "7", "Weir-Epoch": "forged" };

const laneRow = (text: string): Uint8Array =>
  packLaneRow(1, { subject: "$JS.API.STREAM.DELETE.X", caused: 1, rows: 1, headers, payload: utf8(text) });

/** A message, the letters that come of it (null: the message itself, as far as it is kept), and how many rows. */
type Case = readonly [message: Uint8Array, letters: readonly Uint8Array[] | null, rows: number];

const brokenLane = Buffer.concat([laneRow('{"n":1}'), bytes(0x93, 1, 2, 3)]);
const endless = 'm n="'.repeat(40_000);
const framings: readonly (readonly [framing: string, format: string, good: Uint8Array, Case[]])[] = [
  [
    "array",
    "json",
    utf8('[{"n":1}]'),
    [
      [utf8('[{"n":1},0,{"n":1}]'), [utf8("0")], 2],
      [utf8('[{"n":1},"]",{"n":"]"},{"n":1},]'), [utf8('"]"'), utf8('{"n":"]"}'), utf8("")], 2],
      [utf8('[{"n":1},{"n":2}'), null, 0],
      [utf8("[".repeat(200_000)), null, 0],
      // No array, and a record all the same.
      [utf8('{"n":1}'), [], 1],
      [utf8("[]"), [], 0],
    ],
  ],
  [
    "lines",
    "json",
    utf8('{"n":1}'),
    [
      [utf8('{"n":1}\n\n0\r\n{"n":1}\n'), [utf8("0")], 2],
      [utf8("\n".repeat(200_000)), [], 0],
    ],
  ],
  [
    "influx",
    "json",
    utf8("m n=1"),
    [
      [
        utf8("m n=1\nno line\n# a comment\r\nm,a=b n=2i 5\nm n=t 7\n"),
        [utf8("[no line]"), utf8('{"measurement":"m","n":true,"time":7}')],
        2,
      ],
      [utf8('{"n":1}'), [utf8('[{"n":1}]')], 0],
      [utf8(endless), [utf8(`[${endless}]`)], 0],
      [utf8("\n".repeat(200_000)), [], 0],
    ],
  ],
  [
    "senml",
    "json",
    utf8('[{"n":"a","v":1}]'),
    [
      [
        utf8('[{"bn":"a","bt":1600000000,"v":1},{"v":"x"},{"v":2}]'),
        [utf8('{"n":"a","t":1600000000,"v":"x"}')],
        2,
      ],
      [utf8('[{"n":"a","v":1},{"v":1,"lock_":1}]'), [utf8('[[{"n":"a","v":1},{"v":1,"lock_":1}]]')], 0],
      [utf8('{"bver":11,"n":"a","v":1}'), [utf8('[{"bver":11,"n":"a","v":1}]')], 0],
      [utf8("[".repeat(200_000)), [utf8(`[${"[".repeat(200_000)}]`)], 0],
    ],
  ],
  ["lines", "csv", utf8("1"), [[utf8('1\n"2\nx\n1,1\n1'), [utf8('"2'), utf8("x"), utf8("1,1")], 2]]],
  [
    "values",
    "msgpack",
    bytes(...packed(1)),
    [
      [bytes(...packed(1), 0xc0, ...packed(1)), [bytes(0xc0)], 2],
      [bytes(...packed(1), 0x81, 0xa1), null, 0],
      [bytes(0xdd, 0xff, 0xff, 0xff, 0xff), null, 0],
      [new Uint8Array(200_000).fill(0x91), null, 0],
    ],
  ],
  [
    "lane",
    "json",
    laneRow('{"n":1}'),
    [
      [Buffer.concat([laneRow('{"n":1}'), laneRow("0"), laneRow('{"n":1}')]), [utf8("0")], 2],
      [brokenLane, null, 0],
      [zstdCompressSync(Buffer.alloc(4 * limits.lane_body_bytes_max)), null, 0],
      [utf8('{"n":1}'), [], 1],
    ],
  ],
];

it.each(framings)("%s of %s", async (framing, format, good, cases) => {
  const name = `${framing}-${format}`;
  const field = framing === "senml" ? "v" : "n";
  const manager = await jetstreamManager(link.nats);
  await manager.streams.add({ name: `${name}-in`, subjects: [`${name}.in`] });
  const text = `name: ${name}
source: { nats: { subject: ${name}.in, stream: ${name}-in }, format: ${format}, framing: ${framing}, schema: { ${field}: float64 } }
steps: [{ filter: ${field} > 0 }, { sink: { nats: { subject: ${name}.out, stream: ${name}-out }, format: json } }]
dead_letter: { nats: { subject: ${name}.dead, stream: ${name}-dead } }
`;
  const worker = await runWorker(folder, server.url, { name, text });
  for (const [message] of cases) link.nats.publish(`${name}.in`, message);
  link.nats.publish(`${name}.in`, good);
  const letters = cases.flatMap(([message, each]) => each ?? [message]);
  const stored = async (what: string): Promise<{ payload: Buffer; said: string }[]> => {
    const { state } = await manager.streams.info(`${name}-${what}`);
    const all = Array.from({ length: state.messages }, (_, place) =>
      manager.streams.getMessage(`${name}-${what}`, { seq: place + 1 }),
    );
    return (await Promise.all(all)).map((each) => ({
      payload: Buffer.from(each!.data),
      said: [...each!.header].flat(2).join("\n"),
    }));
  };
  await vi.waitFor(
    async () => {
      expect((await manager.streams.info(`${name}-dead`)).state.messages).toBe(letters.length);
      const rows = cases.reduce((sum, [, , each]) => sum + each, 1);
      expect((await manager.streams.info(`${name}-out`)).state.messages).toBe(rows);
    },
    { timeout: 15_000, interval: 50 },
  );
  const dead = await stored("dead");
  const kept = letters.map((each) => Buffer.from(each.subarray(0, limits.dead_letter_payload_bytes_max)));
  expect(dead.map(({ payload }) => payload)).toEqual(kept);
  for (const { said } of [...dead, ...(await stored("out"))]) expect(said).not.toContain("forged");
  await worker.end();
});
