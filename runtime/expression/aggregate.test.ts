// Calls of aggregates: the argument is compiled, the literals are checked against their declaration.

import { expect, test } from "vitest";
import { type AggregateDefinition, valueAt } from "../../operators/sdk/index.ts";
import { aggregates as catalogued } from "../../operators/window/aggregates/catalog.ts";
import { batchFromRows, schemaOf, type Types } from "./batch-from-rows.ts";
import { aggregateFieldsOf, compileAggregate } from "./compile.ts";

const types: Types = { temp: "float64", n: "int64", device: "string" };
const schema = schemaOf(types);

/** Declarations with an aggregate that only remembers what it was made of. */
function declare(parts: Omit<AggregateDefinition, "create" | "summary">): AggregateDefinition {
  return {
    ...parts,
    summary: "For tests.",
    create: (input, parameters, second) => ({
      initial: [input === null ? 0 : 1, ...parameters, ...(second === undefined ? [] : [second.text.length])],
      add: () => undefined,
      merge: () => undefined,
      finish: () => undefined,
    }),
  };
}

const aggregates: readonly AggregateDefinition[] = [
  declare({
    name: "mean",
    input: ["float64", "time"],
    parameters: [],
    output: (input) => input ?? "float64",
  }),
  declare({
    name: "count",
    input: ["float64", "int64", "bool", "string", "time", "json"],
    inputOptional: true,
    parameters: [],
    output: () => "float64",
  }),
  declare({
    name: "quantile",
    input: ["float64"],
    parameters: [
      { name: "q", min: 0, max: 1 },
      { name: "error", min: 0.001, max: 0.1, default: 0.01 },
    ],
    output: () => "float64",
  }),
  declare({ name: "rows", input: [], parameters: [{ name: "n", min: 1, max: 9 }], output: () => "float64" }),
  declare({
    name: "arg_max",
    input: ["float64", "string"],
    second: { name: "y", input: ["float64", "time"] },
    parameters: [],
    output: (input) => input ?? "json",
  }),
  declare({
    name: "first",
    input: ["float64", "string"],
    assumed: "float64",
    parameters: [],
    output: (input) => input ?? "float64",
  }),
  declare({
    name: "histogram",
    input: ["float64"],
    parameters: [{ name: "bound", min: -100, max: 100, repeats: true }],
    output: () => "json",
  }),
];

function compiled(text: string): Extract<ReturnType<typeof compileAggregate>, { ok: true }>["value"] {
  const result = compileAggregate(text, aggregates, schema, { types: [] });
  if (!result.ok) throw new Error(result.faults[0]?.message);
  return result.value;
}

test("the argument is an expression over the batch", () => {
  const call = compiled("mean(temp * 2)");
  expect(call).toMatchObject({ text: "mean(temp * 2)", name: "mean", type: "float64" });
  expect(call.input?.text).toBe("temp * 2");
  expect(valueAt(call.input!.evaluate(batchFromRows(types, [{ temp: 4 }])), 0)).toBe(8);
});

test("every built-in aggregate can be called, those too whose name the language reserves", () => {
  for (const { name } of catalogued) {
    const answer = aggregateFieldsOf(`${name}(temp, 1, 1)`, catalogued);
    const said = answer.ok ? [] : answer.faults.map(({ message }) => message);
    expect(said.filter((message) => /reserved|no aggregate/.test(message))).toEqual([]);
  }
  const variance = compileAggregate(" var ( temp - 1.0 )", catalogued, schema, { types: [] });
  expect(variance).toMatchObject({ ok: true, value: { name: "var", type: "float64" } });
  expect(compileAggregate("var(temp", catalogued, schema, { types: [] }).ok).toBe(false);
});

test("the argument may be left out where the aggregate says so", () => {
  expect(compiled("count()").input).toBeNull();
  expect(compiled("count()").aggregate.initial).toEqual([0]);
  expect(compiled("count(device)").input?.type).toBe("string");
});

test("literals follow the argument, with their defaults", () => {
  expect(compiled("quantile(temp, 0.99)").aggregate.initial).toEqual([1, 0.99, 0.01]);
  expect(compiled("quantile(temp, 0.5, 0.05)").aggregate.initial).toEqual([1, 0.5, 0.05]);
  expect(compiled("rows(3)").aggregate.initial).toEqual([0, 3]);
});

test("a second argument is an expression of its own", () => {
  const call = compiled("arg_max(device, temp * 2.0)");
  expect(call).toMatchObject({ name: "arg_max", type: "string" });
  expect(call.input?.text).toBe("device");
  expect(call.aggregate.initial).toEqual([1, "temp * 2.0".length]);
});

test("the last literal may be given again and again where it repeats", () => {
  expect(compiled("histogram(temp, 0)").aggregate.initial).toEqual([1, 0]);
  expect(compiled("histogram(temp, -10, 0, 10.5)").aggregate.initial).toEqual([1, -10, 0, 10.5]);
});

test("mistakes in both arguments are told at once", () => {
  const result = compileAggregate("arg_max(devise, n)", aggregates, schema, { types: [] });
  expect(!result.ok && result.faults.map(({ message }) => message)).toEqual([
    expect.stringMatching(/did you mean device/),
    expect.stringMatching(/^arg_max expected float64 or time, got int64/),
  ]);
});

test.each<[text: string, at: string, message: RegExp]>([
  [
    "arg_max(device)",
    "arg_max(device)",
    /arg_max expected a second argument y \(float64 or time\), got none/,
  ],
  ["arg_max(device, temp, 3)", "3", /arg_max expected at most 2 arguments, got 3/],
  ["histogram(temp)", "histogram(temp)", /expected a number for bound from -100 to 100, got none/],
  ["histogram(temp, 1, 2, 300)", "300", /expected bound from -100 to 100, got 300/],
  ["histogram(temp, 1, n)", "n", /literal number/],
  ["count_if(door)", "count_if", /no aggregate count_if; write sum\(double\(x\)\) for how often x is true$/],
  ["maen(temp)", "maen", /no aggregate maen; did you mean mean\?/],
  ["abs(temp)", "abs", /abs goes inside, as in mean\(abs\(x\)\)/],
  ["temp", "temp", /expected one call of an aggregate/],
  [
    "mean(temp) + 1",
    "mean(temp) + 1",
    /expected one call of an aggregate and nothing around it; .* step behind/,
  ],
  ["2 * -mean(temp)", "2 * -mean(temp)", /expected one call of an aggregate and nothing around it/],
  ["mean", "mean", /expected one call of an aggregate; write mean\(x\)/],
  ["temp + 1", "temp + 1", /expected one call of an aggregate, such as mean\(x\)/],
  ["mean()", "mean()", /mean expected an argument \(float64 or time\), got none/],
  ["mean(n)", "n", /mean expected float64 or time, got int64; write double\(n\)/],
  ["mean(tmep)", "tmep", /did you mean temp\?/],
  ["mean(temp, 2)", "2", /at most 1 argument, got 2/],
  ["quantile(temp)", "quantile(temp)", /expected a number for q from 0 to 1, got none/],
  ["quantile(temp, 2)", "2", /expected q from 0 to 1, got 2/],
  ["quantile(temp, temp)", "temp", /literal number/],
  ["mean(temp", "", /expected \), got the end/],
])("%s", (text, at, message) => {
  const result = compileAggregate(text, aggregates, schema, { types: [] });
  const [fault] = result.ok ? [] : result.faults;
  expect(fault?.message).toMatch(message);
  expect(text.slice(fault?.start, fault?.end)).toBe(at);
});

test("the accepted results are asked for", () => {
  const result = compileAggregate("mean(temp)", aggregates, schema, { types: ["string"] });
  expect(!result.ok && result.faults[0]?.message).toMatch(/^expected string, got float64/);
});

test("what an aggregate refuses by itself is a fault, not an exception", () => {
  const picky: AggregateDefinition = {
    ...aggregates[0]!,
    create: () => {
      throw new RangeError("not today");
    },
  };
  const result = compileAggregate("mean(temp)", [picky], schema, { types: [] });
  expect(result).toEqual({ ok: false, faults: [{ start: 0, end: 10, message: "mean: not today" }] });
});

test("the argument is demanded to be what the aggregate takes", () => {
  const uses = (text: string): unknown => {
    const result = aggregateFieldsOf(text, aggregates);
    return result.ok ? result.value.map((use) => [use.name, use.type]) : result.faults;
  };
  expect(uses("mean(x)")).toEqual([["x", "float64"]]);
  expect(uses("count(x)")).toEqual([["x", null]]);
  expect(uses("count()")).toEqual([]);
  expect(uses("arg_max(x, y)")).toEqual([
    ["x", null],
    ["y", "float64"],
  ]);
  expect(uses("first(x)")).toEqual([["x", "float64"]]);
  expect(uses("quantile(a - b, 0.5)")).toEqual([
    ["a", "float64"],
    ["b", "float64"],
  ]);
});
