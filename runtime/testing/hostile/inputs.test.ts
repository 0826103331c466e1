// What strangers send, input by input, through the engine: refused with its reason, counted and whole in the dead letter, or read as
// what it is; the records beside it come through, time does not move by it, nobody waits for it, and no object gets members.

import { describe, expect, test } from "vitest";
import { limits } from "../../limits.ts";
import type { PipelinePlan } from "../../pipeline/pipeline.ts";
import { Harness, lawFaults } from "../harness.ts";
import { msgpackInputs, protobufInputs } from "./binary-inputs.fixture.ts";
import { type HostileFormat, type HostileInput, pipelineText, plannedText } from "./hostile-input.fixture.ts";
import { jsonInputs } from "./json-inputs.fixture.ts";

const repeats = 3;

const formats: readonly (readonly [HostileFormat, readonly HostileInput[]])[] = [
  ["json", jsonInputs],
  ["msgpack", msgpackInputs],
  ["protobuf", protobufInputs],
];

async function planOf(format: HostileFormat): Promise<PipelinePlan> {
  const source = "nats: { subject: in.x }";
  const sink = "{ stdout: {}, format: json }";
  return plannedText(pipelineText(format, { name: "hostile", source, sinks: [sink, sink] }));
}

const healthy = (ts: number): Record<string, unknown> => ({ device: "healthy", ts, temp: 20 });

/** What `task` takes of this thread, ms. */
function threadTime(task: () => void): number {
  const before = process.threadCpuUsage();
  task();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}

interface Given {
  readonly harness: Harness;
  /** How long it held its thread, ms: the least of a few turns, as the collector may have its own in one. */
  readonly held_ms: number;
}

/** The input a few times, with a healthy record before and behind. */
function given(plan: PipelinePlan, payload: Uint8Array, batchRows: number): Given {
  const harness = new Harness(plan, { batchRows });
  harness.record(healthy(50_000));
  harness.counts();
  const turn = (): void => {
    harness.raw(payload);
    harness.counts();
  };
  const held_ms = Math.min(...Array.from({ length: repeats }, () => threadTime(turn)));
  expect(harness.watermark).toBe(49_000);
  harness.record(healthy(51_000));
  harness.finish();
  return { harness, held_ms };
}

/** A row, its integer whole. */
function rowOf(payload: Uint8Array): Record<string, unknown> {
  const text = Buffer.from(payload).toString();
  const row = JSON.parse(text) as Record<string, unknown>;
  const digits = /"n":(-?\d+)/.exec(text)?.[1];
  return digits === undefined ? row : { ...row, n: BigInt(digits) };
}

function expectRefused(harness: Harness, reason: string, payload: Uint8Array): void {
  expect(harness.counts()[0]!.ledger).toEqual([{ step: "source", reason, records: repeats }]);
  expect(harness.letters.map((letter) => letter.reason)).toEqual(Array(repeats).fill(reason));
  for (const letter of harness.letters) {
    expect(Buffer.from(letter.payload!).equals(payload)).toBe(true);
    expect(letter.detail).toMatch(/./);
    expect(letter.detail.length).toBeLessThan(200);
  }
}

describe.each(formats)("%s", (format, inputs) => {
  const planned = planOf(format);
  const named = inputs.map((input) => [input.what, input] as const);

  test.each(named)("%s", async (_what, { payload, becomes }) => {
    for (const batchRows of [1, 1_000]) {
      const { harness, held_ms } = given(await planned, payload, batchRows);
      expect(held_ms).toBeLessThan(limits.fuzz_input_ms_max);
      expect(lawFaults(harness.counts())).toEqual([]);
      expect(Object.keys(Object.prototype)).toEqual([]);
      const all = harness.sent(0).map((row) => rowOf(row.payload));
      const rows = all.filter(({ device }) => device !== "healthy");
      expect(all.length - rows.length).toBe(2);
      const windows = harness.rows(1).filter(({ device }) => device === "healthy");
      expect(windows).toMatchObject([{ records: 2, high: 20, total: 40 }]);
      expect(rows).toHaveLength(typeof becomes === "string" ? 0 : repeats);
      if (typeof becomes === "string") expectRefused(harness, becomes, payload);
      else expect(harness.letters).toEqual([]);
      for (const row of rows) expect(row).toMatchObject(becomes as Record<string, unknown>);
    }
  });
});
