// Every operator's examples, as the reference shows them: run as pipelines, one record a batch and all
// at once, with the ledger's law checked.

import { describe, expect, test } from "vitest";
import { runExample } from "weir/testing";
import { catalog } from "./catalog.ts";
import { dewpoint } from "./examples/dewpoint.ts";
import { plausible } from "./examples/plausible.ts";
import { spike } from "./examples/spike.ts";

const definitions = [...catalog, dewpoint, plausible, spike];

describe.each(definitions.map((definition) => ({ name: definition.name, definition })))(
  "$name",
  ({ definition }) => {
    test("has an example", () => {
      expect(definition.examples.length).toBeGreaterThan(0);
    });

    for (const example of definition.examples) {
      test.each([1, 2, 1000])(`${example.title}, %i records a batch`, (batchRows) => {
        const { rows, faults } = runExample(definition, example, batchRows);
        expect(rows).toEqual(example.output);
        expect(faults).toEqual([]);
      });
    }
  },
);
