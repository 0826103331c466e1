// Tables of the reference page: settings as JSON Schema has them, in Markdown. Makes text only.

import type { JsonSchema } from "./json-schema.ts";

/** A table of the settings under one word. */
export function settingsTable(schema: JsonSchema): string {
  const properties = schema["properties"] as Readonly<Record<string, JsonSchema>> | undefined;
  if (properties === undefined) {
    const about = typeof schema["description"] === "string" ? `: ${schema["description"]}` : ".";
    return `Its setting is ${typeOf(schema)}${about}\n`;
  }
  const required = (schema["required"] ?? []) as readonly string[];
  const rows = Object.entries(properties).map(([name, setting]) => [
    `\`${name}\``,
    typeOf(setting),
    defaultOf(setting, required.includes(name)),
    textOf(setting["description"]),
  ]);
  return table(["setting", "type", "default", "meaning"], rows);
}

function defaultOf(setting: JsonSchema, isRequired: boolean): string {
  if (setting["default"] !== undefined) return `\`${JSON.stringify(setting["default"])}\``;
  return isRequired ? "required" : "";
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** A JSON Schema's type in a few words. */
function typeOf(schema: JsonSchema): string {
  const choices = (schema["anyOf"] ?? schema["oneOf"]) as readonly JsonSchema[] | undefined;
  if (choices !== undefined) return choiceOfTypes([...new Set(choices.map(typeOf))]);
  if (Array.isArray(schema["enum"]))
    return (schema["enum"] as unknown[]).map((each) => `\`${String(each)}\``).join(", ");
  if (schema["const"] !== undefined) return `\`${JSON.stringify(schema["const"])}\``;
  switch (schema["type"]) {
    case "string":
      return durationOrSize(textOf(schema["pattern"])) ?? "text";
    case "array":
      return `a list of ${typeOf((schema["items"] ?? {}) as JsonSchema)}`;
    case "object": {
      const values = schema["additionalProperties"];
      return typeof values === "object" && values !== null
        ? `a map of ${typeOf(values as JsonSchema)}`
        : "a map";
    }
    case undefined:
      return "any value";
    default:
      return String(schema["type"]);
  }
}

/** With a comma behind a map or a list, so that what follows is not taken for what it holds. */
function choiceOfTypes(types: readonly string[]): string {
  return types.reduce(
    (before, type) => `${before}${/^a (?:map|list) of /.test(before) ? "," : ""} or ${type}`,
  );
}

function durationOrSize(pattern: string): string | null {
  if (pattern.includes("(ms|s|m|h|d)")) return "a duration";
  return pattern.includes("KiB") ? "a size" : null;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escape).join(" | ")} |`;
  return `${[line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n")}\n`;
}

/** A bar would end the cell, a line break the row. */
function escape(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
