// The part of the reference page about a device's weir.yaml, from the declarations that it is read by. Makes text only.

import { type JsonSchema, settingSchema } from "../pipeline/json-schema.ts";
import { settingsTable } from "../pipeline/reference-tables.ts";
import { deviceSetting } from "./settings-spec.ts";

const example = `nats:
  default: nats://127.0.0.1:4222
  cloud:
    url: tls://cloud.example:4222
    credentials: \${file:cloud.creds}
    uplink: { bytes: 50MiB, every: 1d }
state: /var/lib/weir`;

/** What stands under a setting; of one that may be written in several ways, as the map. */
function under(schema: JsonSchema, ...names: readonly string[]): JsonSchema {
  return names.reduce((reached, name) => {
    const ways = [reached, ...((reached["anyOf"] ?? []) as readonly JsonSchema[])];
    const map = ways.find((each) => each["properties"] !== undefined || each["additionalProperties"]) ?? {};
    const settings = (map["properties"] ?? {}) as Readonly<Record<string, JsonSchema>>;
    const found = name === "*" ? (map["additionalProperties"] as JsonSchema | undefined) : settings[name];
    if (found === undefined) throw new RangeError(`the reference names a setting ${name} that there is not`);
    return found;
  }, schema);
}

/** The map of those ways in which a setting may be written. */
function mapOf(schema: JsonSchema): JsonSchema {
  const ways = (schema["anyOf"] ?? [schema]) as readonly JsonSchema[];
  return ways.find((each) => each["properties"] !== undefined) ?? schema;
}

/** Markdown. */
export function deviceReference(): string {
  const schema = settingSchema(deviceSetting);
  const connection = under(schema, "nats", "*");
  return [
    "## The device's weir.yaml",
    "",
    "What belongs to the device and not to a pipeline. `weir run` and the other commands read it in the folder that they are called in, or where `--config` says; `weir lint` checks it with the pipelines of its folder.",
    "",
    "```yaml",
    example,
    "```",
    "",
    settingsTable(schema),
    "A connection of `nats`, where it is a map:",
    "",
    settingsTable(mapOf(connection)),
    "`uplink` of a connection:",
    "",
    settingsTable(under(connection, "uplink")),
    "`tls` of a connection:",
    "",
    settingsTable(under(connection, "tls")),
    "`device`:",
    "",
    settingsTable(under(schema, "device")),
    "`capacity` in `device`:",
    "",
    settingsTable(under(schema, "device", "capacity")),
  ].join("\n");
}
