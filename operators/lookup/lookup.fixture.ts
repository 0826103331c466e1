// What the tests of lookup share: pipelines of one lookup from plain settings.

import { Harness } from "weir/testing";
import { loadPipeline } from "../../runtime/pipeline/load.ts";
import { planOnce } from "../../runtime/testing/plans.fixture.ts";
import { lookup } from "./lookup.ts";

type Settings = Readonly<Record<string, unknown>>;

const catalogue = [lookup];

function textOf(keyType: string, settings: Settings, time?: Settings): string {
  const pipeline = {
    name: "test",
    source: {
      file: { path: "in.ndjson" },
      format: "json",
      schema: { n: time === undefined ? "float64" : "time", key: keyType },
      ...(time === undefined ? {} : { time }),
    },
    steps: [
      {
        lookup: {
          table: { file: "devices.csv" },
          on: "key",
          add: { site: "string", limit: "float64" },
          ...settings,
        },
      },
      { sink: { stdout: {}, format: "json" } },
    ],
  };
  return JSON.stringify(pipeline);
}

export function harnessOf(keyType: string, missing: string, batchRows: number): Harness {
  return new Harness(planOnce(textOf(keyType, { missing }), catalogue), { batchRows });
}

/** Each key has event time of its own, and therefore steps of its own. */
export function harnessPerKey(): Harness {
  return new Harness(planOnce(textOf("string", {}, { field: "n", per: "key" }), catalogue), { batchRows: 1 });
}

/** What lint says of a lookup with these settings. */
export function mistakesOf(settings: Settings): string {
  const { diagnostics } = loadPipeline({ file: "test.yaml", content: textOf("string", settings), catalogue });
  return diagnostics.map(({ message, hint }) => `${message} ${hint ?? ""}`).join("\n");
}
