// Pseudonyms through whole pipelines: the same ones wherever the text stands, nothing of the name beside them, and keys that
// are none.

import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { Harness, lawFaults } from "weir/testing";
import { loadPipeline } from "../../runtime/pipeline/load.ts";
import { catalog } from "../catalog.ts";

const key = "0123456789abcdef";
const nameOf = (text: string): string => createHmac("sha256", key).update(text).digest("hex").slice(0, 32);

type Fields = Readonly<Record<string, unknown>>;

function loaded(
  config: Fields,
  steps: readonly Fields[] = [],
  more: Fields = {},
): ReturnType<typeof loadPipeline> {
  const content = JSON.stringify({
    name: "private",
    source: {
      file: { path: "in.ndjson" },
      format: "json",
      schema: { badge: "string", host: "string", floor: "int64" },
    },
    limits: { keys: { max: 1_000 } },
    steps: [{ pseudonym: config }, ...steps, { sink: { stdout: {}, format: "json" } }],
    ...more,
  });
  return loadPipeline({ file: "private.yaml", content, catalogue: catalog });
}

function runOf(config: Fields, records: readonly Fields[], steps: readonly Fields[] = []): Harness {
  const { plan, diagnostics } = loaded(config, steps);
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const harness = new Harness(plan!, { batchRows: 2 });
  for (const record of records) harness.record(record);
  harness.finish();
  expect(lawFaults(harness.counts())).toEqual([]);
  return harness;
}

test("the same text is the same pseudonym in every column and batch, and the rest of the record stays", () => {
  const records = ["ann", "bob", "ann", "zoë", ""].map((badge, floor) => ({
    badge,
    host: "ann",
    floor,
    more: [1],
  }));
  const rows = runOf({ columns: ["badge", "host"], key }, records).rows(0);
  expect(rows).toEqual(
    records.map(({ badge, floor }) => ({ badge: nameOf(badge), host: nameOf("ann"), floor, more: [1] })),
  );
});

test("steps behind it group by it, and no payload holds a name", () => {
  const records = Array.from({ length: 60 }, (_, place) => ({
    badge: `person-${place % 3}`,
    host: null,
    floor: place,
  }));
  const counted = { window: { count: { n: 20 }, by: "badge", select: { n: "count()" } } };
  const harness = runOf({ columns: "badge", key }, records, [counted]);
  expect(harness.rows(0).map(({ badge, n }) => [badge, n])).toEqual(
    [0, 1, 2].map((person) => [nameOf(`person-${person}`), 20]),
  );
  const kept = runOf({ columns: "badge", key }, records, [{ throttle: { every: "1s", keep: "last" } }]);
  for (const { payload } of [...harness.sent(0), ...kept.sent(0)])
    expect(Buffer.from(payload).toString()).not.toContain("person");
});

test.each<[Fields, string]>([
  [
    { columns: "badge", key: "short" },
    "a key has at least 16 characters: openssl rand -hex 32 > pseudonym.key makes one",
  ],
  [{ columns: "bagde", key }, "there is no column bagde"],
  [{ columns: ["badge", "floor"], key }, "floor is of type int64; expected string"],
  [{ columns: "badge" }, "key is missing"],
])("%j is refused", (config, message) => {
  expect(loaded(config).diagnostics.map((each) => each.message)).toContain(message);
});

test.each([
  [
    { subject: "dlq", to: "cloud" },
    ["dead letters go to cloud as the records came, with what pseudonym conceals"],
  ],
  [{ subject: "dlq" }, []],
])("of dead letters that go to %j is warned: %j", (nats, messages) => {
  const { diagnostics } = loaded({ columns: "badge", key }, [], { dead_letter: { nats } });
  expect(diagnostics.map(({ severity, message }) => [severity, message])).toEqual(
    messages.map((message) => ["warning", message]),
  );
});
