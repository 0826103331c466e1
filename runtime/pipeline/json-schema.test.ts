// The editors' schema and the reference page: every operator stands in both, and what they say is what the parser does.

import { describe, expect, it } from "vitest";
import { aggregates } from "../../operators/window/window.ts";
import { functionTable } from "../expression/functions.ts";
import { operators } from "./cold-chain.fixture.ts";
import { type JsonSchema, pipelineJsonSchema } from "./json-schema.ts";
import { operatorReference } from "./reference.ts";

const schema = pipelineJsonSchema(operators);
const definitions = schema["definitions"] as Readonly<Record<string, JsonSchema>>;

function referencesIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === "$ref" ? [String(inner)] : referencesIn(inner),
  );
}

describe("the schema", () => {
  it("is plain data of draft 7", () => {
    expect(schema["$schema"]).toBe("http://json-schema.org/draft-07/schema#");
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
  });

  it("has every operator, with its words", () => {
    expect(operators.length).toBeGreaterThan(3);
    for (const { name, summary } of operators) {
      expect(definitions[`operator_${name}`]!["description"]).toContain(summary);
      expect(definitions["step"]!["properties"]).toHaveProperty(name);
      expect(definitions["branch_step"]!["properties"]).toHaveProperty(name);
    }
    expect(definitions["branch_step"]!["properties"]).not.toHaveProperty("branch");
  });

  it("refers only to what it defines", () => {
    const references = referencesIn(schema);
    expect(references.length).toBeGreaterThan(operators.length);
    for (const reference of references)
      expect(definitions).toHaveProperty(reference.replace("#/definitions/", ""));
  });

  it("describes settings as they are written, with their defaults", () => {
    expect(definitions["source"]).toMatchObject({
      additionalProperties: false,
      properties: {
        nats: {
          properties: { subject: { type: "string" }, to: { default: "default" } },
          required: ["subject"],
        },
        time: {
          properties: { lateness: { type: "string", pattern: expect.stringContaining("ms|s|m|h|d") } },
        },
      },
    });
  });
});

describe("the reference", () => {
  const page = operatorReference(operators, functionTable, aggregates);

  it("has a section, a rule and the examples of every operator", () => {
    for (const { name, rule, examples } of operators) {
      expect(page).toContain(`### ${name}\n`);
      expect(page).toContain(rule);
      for (const { title } of examples) expect(page).toContain(`**${title}**`);
    }
  });

  it("has every setting with its type and whether it must be there", () => {
    expect(page).toContain("| `tumbling` | a duration |  | Length of the windows;");
    expect(page).toContain("| `select` | a map of text | required |");
    expect(page).toContain("| `by` | text or a list of text |  | The key");
  });

  it("has every aggregate and every function", () => {
    for (const { name } of aggregates) expect(page).toContain(`\`${name}(`);
    for (const { summary } of functionTable) expect(page).toContain(summary.replaceAll("|", "\\|"));
  });

  it("has tables that hold together", () => {
    let columns = 0;
    let rows = 0;
    for (const line of page.split("\n")) {
      if (!line.startsWith("|")) columns = 0;
      else {
        const cells = line.split(/(?<!\\)\|/).length;
        if (columns > 0) expect(cells).toBe(columns);
        columns = cells;
        rows++;
      }
    }
    expect(rows).toBeGreaterThan(20);
  });
});
