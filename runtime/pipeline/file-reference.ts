// The part of the reference page about the sections of a pipeline file: source, sink, dead letter and tests, from the specs
// that read them. Makes text only.

import type { z } from "zod";
import { type JsonSchema, settingSchema } from "./json-schema.ts";
import { settingsTable } from "./reference-tables.ts";
import { deadLetterSetting, sinkSetting } from "./sink-spec.ts";
import { sourceSetting } from "./source-spec.ts";
import { testSetting } from "./test-spec.ts";

const fileExample = `name: boiler
source:
  nats: { subject: "sensors.{device}.boiler", stream: SENSORS }
  format: json
  schema: { ts: time, state.temperature: float64, battery: string }
  time: { field: ts, unit: iso, lateness: 10s, idle: 30s }
steps:
  - set: { charge: double(battery) }
  - window:
      tumbling: 1m
      by: device
      select: { temperature: mean(state.temperature), charge: last(charge), n: count() }
  - sink: { nats: { to: cloud, subject: "site.boiler.{device}", stream: BOILERS } }
dead_letter: { file: { path: dead-letter.ndjson } }
tests:
  - name: a row per device and minute
    input:
      - { subject: sensors.b1.boiler, record: { ts: 0s, state: { temperature: 60 }, battery: "97" } }
      - { subject: sensors.b1.boiler, record: { ts: 30s, state: { temperature: 62 }, battery: "96" } }
    expect: { main: [{ device: b1, temperature: 61, charge: 96, n: 2 }] }`;

/** The schema of what stands under a setting of `schema`. */
function under(schema: JsonSchema, name: string): JsonSchema {
  const settings = schema["properties"] as Readonly<Record<string, JsonSchema>> | undefined;
  const found = settings?.[name];
  if (found === undefined) throw new RangeError(`the reference names a setting ${name} that there is not`);
  return found;
}

/** A section with its settings, and those of each of `parts`, which stand under settings of it. */
function section(
  title: string,
  about: string,
  setting: z.ZodType,
  parts: readonly string[],
): readonly string[] {
  const schema = settingSchema(setting);
  return [
    `### ${title}`,
    "",
    about,
    "",
    settingsTable(schema),
    ...parts.flatMap((part) => [`\`${part}\` in \`${title}\`:`, "", settingsTable(under(schema, part))]),
  ];
}

export function fileSection(): readonly string[] {
  return [
    "## The pipeline file",
    "",
    "Lengths of time are written with their unit, `500ms`, `10s`, `1m30s`, `2h`, `1d`, and so are sizes, `64KiB`, `1GB`. A field within a field is `state.temperature`. `${NAME}`, `${NAME:-otherwise}` and `${file:path}` are replaced in values.",
    "",
    "```yaml",
    fileExample,
    "```",
    "",
    ...section(
      "source",
      "One of `nats`, `file` and `host`. What devices publish over MQTT to the topic `sensors/b1/boiler` comes as the subject `sensors.b1.boiler`: nats-server takes MQTT itself. In place of `source`, `sources` names several, `sources: { temp: { nats: { subject: cold.temp } }, door: { nats: { subject: cold.door } } }`: `align`, `join` and the column `source` tell their records apart.",
      sourceSetting,
      ["nats", "file", "host", "proto", "time"],
    ),
    "### use",
    "",
    "Files of operators of your own, each relative to the pipeline's: `use: [./operators/plausible.ts]`. What they export is a step like any other, by its `name` ([how](README.md)).",
    "",
    ...section(
      "sink",
      "The last of the steps: one of `nats`, `file`, `stdout` and `nothing`. `to` is a connection of the device's `weir.yaml`, `nats: { cloud: nats://cloud.example:4222 }`, or of `--nats cloud=nats://…`.",
      sinkSetting,
      ["nats", "file", "batch"],
    ),
    ...section(
      "dead_letter",
      "A section of the file. Without it, what cannot be used is counted, and the log tells of the first.",
      deadLetterSetting,
      [],
    ),
    ...section(
      "tests",
      "A list; `weir test` runs them. A record of `input` may stand as it is, `{ ts: 0s, temp: 20 }`, or beside the subject that it came by, `{ subject: …, record: … }`. Times are lengths of time since the test began.",
      testSetting,
      [],
    ),
  ];
}
