// A pipeline on trial: which rows are shown of it, cut at any step, whatever its sinks write and its records are written in.

import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { PayloadBuilder, type PayloadBatch } from "../batch/payloads.ts";
import { wallClock } from "../clock.ts";
import type { Format } from "../codec/codec.ts";
import { loadInput } from "../engine/loader.ts";
import { stepLabels, stepNamed } from "../pipeline/shown-plan.ts";
import { lawFaults } from "./harness.ts";
import { type Fields, toPayload } from "./payload.ts";
import { matchingColumns } from "./row-comparison.ts";
import { Trial } from "./trial.ts";

const trials: Trial[] = [];
afterEach(async () => {
  for (const trial of trials.splice(0)) await trial.close();
});

const source = `source:
  nats: { subject: "sensors.{device}.temp" }
  format: json
  schema: { ts: time, temp: float64 }
  time: { field: ts, lateness: 0s, ahead: 365d }
`;
const branching = `${source}steps:
  - filter: temp < 60
  - set: { warm: temp > 30 }
  - branch:
      means:
        - set: { half: temp / 2 }
        - window: { tumbling: 1m, by: device, select: { mean: mean(half), n: count() } }
          keys: { max: 10 }
          late: [{ set: { lost: "true" } }, { sink: { nothing: {} } }]
        - sink: { nats: { subject: "out.{device}" }, format: msgpack }
      hot: [{ filter: warm }, { sink: { nothing: {} } }]
`;

const records: readonly Fields[] = [
  { ts: 0, temp: 20, site: "x" },
  { ts: 1_000, temp: 40 },
  { ts: 2_000, temp: "a" },
  { ts: 61_000, temp: 22 },
  { ts: 5_000, temp: 23 },
  { ts: 62_000, temp: 99 },
];

function batch(payloads: readonly Uint8Array[], now: number): PayloadBatch {
  const builder = new PayloadBuilder();
  for (const payload of payloads) builder.add(payload, "sensors.a.temp", now);
  return builder.view();
}

interface Tried {
  readonly step?: string | null;
  readonly formats?: readonly (Format | null)[];
  readonly header?: readonly string[] | null;
  readonly ends?: boolean;
}

/** Rows by branch, as texts. */
async function tried(
  body: string,
  payloads: readonly Uint8Array[],
  { step = null, formats = [null], header = null, ends = true }: Tried = {},
): Promise<{ readonly trial: Trial; readonly rows: Readonly<Record<string, readonly string[]>> }> {
  const file = join(import.meta.dirname, "trial.yaml");
  const loaded = await loadInput({ file, text: `name: t\n${body}`, environment: {} });
  expect(loaded.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const named = step === null ? null : stepNamed(loaded.plan!, step);
  const shown = { step: named, formats };
  const trial = await Trial.open(loaded, { shown, headers: [header], clock: wallClock });
  trials.push(trial);
  await trial.feed(batch(payloads, 100_000), 100_000);
  if (ends) await trial.finish(100_000);
  expect(lawFaults(trial.status().branches)).toEqual([]);
  const rows = Object.groupBy(trial.take(), ({ branch }) => trial.plan.branches[branch]!.name);
  const texts = Object.entries(rows).map(([name, own = []]) => [
    name,
    own.map(({ subject, text }) => (subject === "" ? text : `${subject} ${text}`)),
  ]);
  return { trial, rows: Object.fromEntries(texts) as Record<string, string[]> };
}

const asJson = records.map((record) => toPayload("json", record, []));
const window = (start: number, mean: number, n: number): string =>
  JSON.stringify({ window_start: start, window_end: start + 60_000, device: "a", mean, n });

describe("what is shown", () => {
  it.each<readonly [string, string | null, Readonly<Record<string, readonly string[]>>]>([
    [
      "the ends, whatever the sinks are and write",
      null,
      {
        means: [`out.a ${window(0, 15, 2)}`, `out.a ${window(60_000, 11, 1)}`],
        hot: ['{"ts":1000,"temp":40,"device":"a","warm":true}'],
        "means-late": ['{"ts":5000,"temp":23,"device":"a","warm":false,"half":11.5,"lost":true}'],
      },
    ],
    [
      "a step that all share, by its number",
      "1",
      {
        "1 filter": [
          '{"ts":0,"temp":20,"site":"x","device":"a"}',
          '{"ts":1000,"temp":40,"device":"a"}',
          '{"ts":61000,"temp":22,"device":"a"}',
          '{"ts":5000,"temp":23,"device":"a"}',
        ],
      },
    ],
    [
      "a step of a branch, by its label",
      "means/2 window",
      { means: [window(0, 15, 2), window(60_000, 11, 1)] },
    ],
    ["a step by a word that only it has", "window", { means: [window(0, 15, 2), window(60_000, 11, 1)] }],
    [
      "a step of a late branch",
      "means-late/1",
      { "means-late": ['{"ts":5000,"temp":23,"device":"a","warm":false,"half":11.5,"lost":true}'] },
    ],
  ])("%s", async (_name, step, expected) => {
    const { trial, rows } = await tried(branching, asJson, { step });
    expect(rows).toEqual(expected);
    // What the whole pipeline does not let in, no part of it does.
    expect(trial.firstLeft).toMatchObject([
      { step: "source", reason: "type", detail: expect.stringContaining("temp") },
    ]);
    expect(trial.records).toBe(records.length);
  });

  it("what is held stays held where nothing has ended", async () => {
    const { trial, rows } = await tried(branching, asJson, { step: "window", ends: false });
    expect(rows).toEqual({ means: [window(0, 15, 2)] });
    expect(trial.status().steps).toMatchObject([{ step: "means/2 window", held: 1, due: 120_000 }]);
  });

  it("every step of a pipeline, with a law that holds at each", async () => {
    const { plan } = await loadInput({ file: "/t.yaml", text: `name: t\n${branching}`, environment: {} });
    const labels = stepLabels(plan!);
    expect(labels).toEqual([
      "1 filter",
      "2 set",
      "means/1 set",
      "means/2 window",
      "hot/1 filter",
      "means-late/1 set",
    ]);
    for (const step of labels) await tried(branching, asJson, { step });
  });

  it("keys with times of their own, cut before home and in one of two branches", async () => {
    const body = `${source.replace("lateness: 0s", "lateness: 0s, per: device")}steps:
  - set: { twice: temp * 2 }
  - drop: [temp]
  - branch:
      a: [{ filter: twice > 50 }, { select: [twice] }, { sink: { nothing: {} } }]
      b: [{ deadband: { value: twice, by: device, band: 1 } }, { sink: { nothing: {} } }]
`;
    const two = asJson.slice(0, 2);
    expect((await tried(body, two, { step: "1" })).rows["1 set"]).toHaveLength(2);
    expect((await tried(body, two, { step: "drop" })).rows["2 drop"]).toHaveLength(2);
    expect((await tried(body, two, { step: "a/2" })).rows).toEqual({ a: ['{"twice":80}'] });
    expect((await tried(body, two, { step: "b/1" })).rows["b"]).toHaveLength(2);
  });
});

describe("records in another format than the pipeline's", () => {
  const msgpack = `${source.replace("format: json", "format: msgpack")}steps:
  - filter: temp < 60
  - sink: { nats: { subject: out }, format: msgpack }
`;
  const header = ["ts", "temp", "site"];
  const [first] = records as [Fields];

  it.each<readonly [string, Uint8Array, Format | null, string]>([
    ["its own, which are forwarded", toPayload("msgpack", first, []), null, JSON.stringify(first)],
    ["JSON", toPayload("json", first, []), "json", JSON.stringify(first)],
    ["CSV", toPayload("csv", first, header), "csv", '{"ts":"0","temp":"20","site":"x"}'],
  ])("%s", async (_name, payload, format, row) => {
    const { rows } = await tried(msgpack, [payload], { formats: [format], header });
    expect(rows).toEqual({ main: [`out ${row}`] });
  });
});

describe("a field within a field", () => {
  const nested = source.replace("temp: float64", "state.temp: float64");

  it.each([
    ["is replaced", "set: { state.temp: state.temp * 1.8 + 32 }", { state: { hum: 50 }, "state.temp": 68 }],
    ["is added", "set: { state.f: state.temp + 1 }", { state: { temp: 20, hum: 50 }, "state.f": 21 }],
    ["is dropped, though nobody reads it", "drop: [state.hum]", { state: { temp: 20 } }],
    ["is read and stays", "set: { warm: state.temp > 30 }", { state: { temp: 20, hum: 50 }, warm: false }],
  ])("%s", async (_name, step, row) => {
    for (const format of ["json", "msgpack"]) {
      const body = `${nested}steps: [{ ${step} }, { sink: { nats: { subject: out }, format: ${format} } }]\n`;
      const payload = new TextEncoder().encode('{"ts":0,"state":{"temp":20,"hum":50}}');
      const { rows } = await tried(body, [payload]);
      expect(JSON.parse(rows["main"]![0]!.replace(/^out /, ""))).toEqual({ device: "a", ts: 0, ...row });
    }
  });
});

it("a row is one line that moves no cursor", async () => {
  const body = `${source}steps: [{ filter: temp > 0 }, { sink: { nothing: {} } }]\n`;
  const payload = new TextEncoder().encode('{\n  "ts": 0,\r\n\t"temp": 1, "name": "\u009b2J\u2028" }\n');
  const { rows } = await tried(body, [payload]);
  expect(rows["main"]).toHaveLength(1);
  expect(rows["main"]![0]).not.toMatch(/[\p{Cc}\u2028]/u);
  expect(JSON.parse(rows["main"]![0]!)).toEqual({ ts: 0, temp: 1, name: "\u009b2J\u2028" });
});

it("operators of the user's own run in a thread, cut there as well", async () => {
  const body = `use: [../../operators/examples/spike.ts]\n${source}steps:
  - set: { twice: temp * 2 }
  - spike: { value: twice, by: device, jump: 5 }
  - sink: { nothing: {} }
`;
  const { trial, rows } = await tried(body, asJson.slice(0, 2), { step: "1" });
  expect(rows["1 set"]).toHaveLength(2);
  expect(trial.plan.steps.map(({ label }) => label)).toEqual(["1 set"]);
});

describe("a step that there is not", () => {
  it.each([
    ["win", "did you mean means/2 window?"],
    ["means/2 widnow", "did you mean means/2 window?"],
    ["set", "did you mean 2 set or means/1 set or means-late/1 set?"],
    ["99", expect.stringMatching(/expected 1 filter, .* or means-late\/1 set/)],
  ])("%s", async (name, remedy) => {
    const { plan } = await loadInput({ file: "/t.yaml", text: `name: t\n${branching}`, environment: {} });
    expect(() => stepNamed(plan!, name)).toThrow(
      expect.objectContaining({ code: "WEIR_USAGE", remedy }) as Error,
    );
  });
});

it("rows are matched by window and key, as far as both have them", async () => {
  const planOf = async (text: string): Promise<Trial["plan"]> => (await tried(text, [])).trial.plan;
  const one = await planOf(branching);
  const other = await planOf(branching.replaceAll("by: device", "by: [device, warm]"));
  expect(matchingColumns(one, other, [0, 0])).toEqual(["window_start", "window_end", "device"]);
  expect(matchingColumns(other, other, [0, 0])).toEqual(["window_start", "window_end", "device", "warm"]);
  expect(matchingColumns(one, other, [1, 1])).toEqual([]);
});
