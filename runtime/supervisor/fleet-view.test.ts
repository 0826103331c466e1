// A fleet as its buckets show it: what is to be placed, and what waits for a device.

import { expect, test } from "vitest";
import type { AllDesired } from "./desired-bucket.ts";
import { plainDevice } from "./device.fixture.ts";
import { isNamed, placeables, placedOf, waitingLines, waitingPipelines } from "./fleet-view.ts";
import { type WantedPipeline, wantedPipeline } from "./wanted.ts";

function desired(hosts: Readonly<Record<string, readonly WantedPipeline[]>>): AllDesired {
  const entries = Object.entries(hosts).map(([host, all]) => {
    const pipelines = new Map(all.map((pipeline) => [pipeline.name, { pipeline, sequence: 1, back: false }]));
    return [host, { state: null, pipelines }] as const;
  });
  return { hosts: new Map(entries), owners: new Map() };
}

const whole = wantedPipeline("/p/whole.yaml", "name: whole\nplacement: { memory: 8MiB }\n");
const cutText = "name: cut\nplacement: { partitions: 4, memory: 8MiB, labels: { site: north } }\n";
const cut = wantedPipeline("/p/cut.yaml", cutText);

test("each partition is placed by itself, with its share of what the pipeline takes", () => {
  const all = desired({ fleet: [whole, cut] });
  expect(placeables(all).map(({ name, demand }) => [name, demand.memory_bytes / 2 ** 20])).toEqual([
    ["whole", 8],
    ["cut~0", 2],
    ["cut~1", 2],
    ["cut~2", 2],
    ["cut~3", 2],
  ]);
});

test("partitions that wait for the same reason are told in one line", () => {
  const all = desired({ fleet: [whole, cut] });
  const device = { ...plainDevice, id: "a", capacity: { cpu: 1, memory: 2 ** 30, workers: 1 } };
  const lines = waitingLines(waitingPipelines([{ device, sequence: 1, silent_ms: 0 }], all));
  expect(lines).toEqual([
    {
      pipeline: "cut",
      fits: false,
      text: "cut (partitions 0, 1, 2, 3) waits for a device: no host has the labels site=north",
    },
    {
      pipeline: "whole",
      fits: true,
      text: "whole waits for a device: weir control, if one runs, gives it to a",
    },
  ]);
});

test("a partition stands in the way of its pipeline on a device, and the other way round", () => {
  const placed = wantedPipeline("/p/cut.yaml", cutText, { partition: 2, term: 3 });
  const all = desired({ a: [placed], b: [cut] });
  expect(placedOf(all.hosts.get("a")!, "cut")?.pipeline.name).toBe("cut~2");
  expect(placedOf(all.hosts.get("b")!, "cut")).toBeUndefined();
  expect([isNamed(all, "a", "cut~1"), isNamed(all, "b", "cut~1")]).toEqual([false, true]);
});
