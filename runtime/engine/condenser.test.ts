// Which rows of real pipelines can be condensed, and what becomes of them in the outbox's terms.

import { describe, expect, test } from "vitest";
import { catalog } from "../../operators/catalog.ts";
import { loadPipeline } from "../pipeline/load.ts";
import type { KeptRow } from "../state/outbox/entry.ts";
import { condenserOf, formName, formsOf } from "./condenser.ts";
import { pipelineText, planOf } from "./engine.fixture.ts";

const tiers = [{ keep: "2h" }, { every: "10s", keep: "1d" }];
const sink = { nats: { subject: "cloud.{device}", stream: "FLEET" }, format: "json" };
const window = {
  tumbling: "1s",
  by: "device",
  select: { mean: "mean(temp)", high: "max(temp)", n: "count()" },
};

/** What is wrong with a pipeline that ends so. */
function faults(...steps: readonly object[]): string {
  const content = pipelineText({ steps, outbox: { tiers } });
  return loadPipeline({ file: "test.yaml", content, catalogue: catalog })
    .diagnostics.map(({ line, message, hint }) => `${line}: ${message}; ${hint}`)
    .join("\n");
}

describe("rows of", () => {
  test("tumbling, calendar and session windows can be condensed, filtered or not", () => {
    expect(faults({ window }, { sink })).toBe("");
    expect(faults({ window }, { filter: "high > 3" }, { sink: { ...sink, format: "msgpack" } })).toBe("");
    const { tumbling: _, ...rest } = window;
    expect(faults({ window: { ...rest, session: { gap: "10s" } } }, { sink })).toBe("");
    expect(faults({ window: { ...rest, calendar: { unit: "day", zone: "UTC" } } }, { sink })).toBe("");
  });

  test("other kinds cannot, and are told why", () => {
    const { tumbling: _, ...rest } = window;
    expect(faults({ filter: "temp > 1" }, { sink })).toContain(
      "only rows of windows say what they stand for",
    );
    expect(faults({ window: { ...rest, hopping: { size: "2s", every: "1s" } } }, { sink })).toContain(
      "overlap",
    );
    expect(faults({ window: { ...window, emit: { early: "500ms" } } }, { sink })).toContain("window_final");
    const quantiles = { ...window, select: { p99: "quantile(temp, 0.99)" } };
    expect(faults({ window: quantiles }, { sink })).toContain("p99: what quantile is of a longer time");
    const means = { ...window, select: { mean: "mean(temp)" } };
    expect(faults({ window: means }, { sink })).toContain("select count(temp) or count() as well");
    expect(faults({ window }, { sink: { ...sink, format: "csv" } })).toContain(
      "rows in csv are not read again",
    );
    const set = { set: { twice: "high * 2" } };
    expect(faults({ window }, set, { sink })).toContain("set makes other rows");
  });

  test("alarms are left alone, and so is all that goes elsewhere", () => {
    expect(faults({ filter: "temp > 1" }, { sink: { nats: { ...sink.nats, lane: "alarm" } } })).toBe("");
    expect(faults({ filter: "temp > 1" }, { sink: { stdout: {} } })).toBe("");
  });
});

describe("a condenser", () => {
  const plan = planOf({ steps: [{ window }, { sink }] });
  const form = formName(plan, plan.branches[0]!)!;
  const condenser = condenserOf(formsOf([plan]));
  const kept = (start: number, device: string, more: Partial<KeptRow> = {}): KeptRow => ({
    subject: `cloud.${device}`,
    payload: new TextEncoder().encode(
      JSON.stringify({ window_start: start, window_end: start + 1_000, device, mean: 1, high: start, n: 2 }),
    ),
    caused: start,
    rows: 1,
    headers: null,
    form,
    ...more,
  });
  const textsOf = (rows: readonly KeptRow[]): readonly string[] =>
    rows.map(({ payload }) => new TextDecoder().decode(payload));

  test("makes one row of those with one subject, key and time, and says its resolution", () => {
    const condensate = condenser.begin(10_000);
    for (const each of [kept(0, "a"), kept(1_000, "a"), kept(1_000, "b"), kept(10_000, "a")])
      expect(condensate.add(each)).toBe(true);
    const rows = condensate.rows();
    expect(textsOf(rows)).toStrictEqual([
      '{"window_start":0,"window_end":2000,"device":"a","mean":1,"high":1000,"n":4}',
      '{"window_start":10000,"window_end":11000,"device":"a","mean":1,"high":10000,"n":2}',
      '{"window_start":1000,"window_end":2000,"device":"b","mean":1,"high":1000,"n":2}',
    ]);
    expect(rows[0]).toMatchObject({
      subject: "cloud.a",
      rows: 1,
      caused: 10_000,
      form,
      headers: { "Weir-Resolution": "10s" },
    });
    const again = condenser.begin(60_000);
    for (const each of rows) expect(again.add(each)).toBe(true);
    expect(again.rows()).toHaveLength(2);
    expect(again.rows()[0]!.headers).toStrictEqual({ "Weir-Resolution": "1m" });
  });

  test("leaves rows of other forms, and those that are none", () => {
    const condensate = condenser.begin(10_000);
    const { form: _, ...formless } = kept(0, "a");
    expect(condensate.add(formless)).toBe(false);
    expect(condensate.add(kept(0, "a", { form: "other/main" }))).toBe(false);
    expect(condensate.add(kept(0, "a", { payload: new Uint8Array(3) }))).toBe(false);
    expect(condensate.rows()).toStrictEqual([]);
  });

  test("leaves rows that other steps made, though their columns are called the same", () => {
    const other = { ...window, select: { ...window.select, high: "sum(temp)" } };
    const changed = condenserOf(formsOf([planOf({ steps: [{ window: other }, { sink }] })])).begin(10_000);
    expect(changed.add(kept(0, "a"))).toBe(false);
    const filtered = planOf({ steps: [{ filter: "temp > 3" }, { window }, { sink }] });
    expect(
      condenserOf(formsOf([filtered]))
        .begin(10_000)
        .add(kept(0, "a")),
    ).toBe(false);
    expect(formName(filtered, filtered.branches[0]!)).not.toBe(form);
  });

  test("puts as many rows into a message as there were, so that there are no more messages", () => {
    const condensate = condenser.begin(10_000);
    const two = (start: number, devices: readonly string[]): KeptRow =>
      kept(start, "x", {
        rows: devices.length,
        payload: new TextEncoder().encode(textsOf(devices.map((device) => kept(start, device))).join("\n")),
      });
    condensate.add(two(0, ["a", "b"]));
    condensate.add(two(1_000, ["b", "c"]));
    const rows = condensate.rows();
    expect(rows.map((each) => each.rows)).toStrictEqual([2, 1]);
    expect(textsOf(rows)[0]!.split("\n")).toHaveLength(2);
  });
});
