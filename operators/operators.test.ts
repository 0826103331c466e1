// Every operator is held to what all have to keep to: its examples, and the laws on streams made from them.

import { describe, expect, test } from "vitest";
import { conformanceCases } from "weir/testing";
import { catalog } from "./catalog.ts";
import { dewpoint } from "./examples/dewpoint.ts";
import { operating_hours } from "./examples/operating_hours.ts";
import { plausible } from "./examples/plausible.ts";
import { silence } from "./examples/silence.ts";
import { spike } from "./examples/spike.ts";
import { trials } from "./trials.fixture.ts";

const definitions = [...catalog, dewpoint, operating_hours, plausible, silence, spike];

describe.each(definitions.map((definition) => ({ name: definition.name, definition })))(
  "$name",
  ({ name, definition }) => {
    test("has an example", () => {
      expect(definition.examples.length).toBeGreaterThan(0);
    });
    for (const each of conformanceCases(definition, { trials: trials[name] ?? [], runs: 4 })) {
      test(each.name, each.run);
    }
  },
);

test("trials are of operators that there are", () => {
  expect(Object.keys(trials).filter((name) => !catalog.some((each) => each.name === name))).toEqual([]);
});
