// The suite finds what it is there to find: operators with planted faults, one for each law.

import { describe, expect, test } from "vitest";
import { defineOperator, field, type OperatorDefinition, type OperatorSpec, table, z } from "weir/sdk";
import { conformanceFaults } from "./conformance.ts";

const examples: OperatorDefinition["examples"] = [
  {
    title: "As they come",
    config: { by: "device" },
    schema: { device: "string", ts: "time", temp: "float64" },
    time: "ts",
    input: [
      { device: "a", ts: 0, temp: 1 },
      { device: "b", ts: 1_000, temp: 2 },
      { device: "a", ts: 2_000, temp: 3 },
    ],
    output: [
      { device: "a", ts: 0, temp: 1 },
      { device: "b", ts: 1_000, temp: 2 },
      { device: "a", ts: 2_000, temp: 3 },
    ],
  },
];

const config = z.strictObject({ by: field.keys("The key.") });
const keyed = ({ by }: z.output<typeof config>) => ({ keys: table.keyed(by, [0]) });
type Planted = OperatorSpec<typeof config, ReturnType<typeof keyed>, Readonly<Record<string, never>>>;

function planted(create: Planted["create"]): OperatorDefinition {
  return defineOperator({
    name: "planted",
    summary: "For tests.",
    rule: "For tests.",
    kind: "keyed",
    config,
    examples,
    state: keyed,
    create,
  });
}

/** The laws that the operator breaks, and the messages that say so. */
function faultsOf(definition: OperatorDefinition): string[] {
  return conformanceFaults(definition, { runs: 30 }).map((fault) => fault.replace(/^planted: /, ""));
}

describe("a planted fault is found", () => {
  test("none where there is none", () => {
    expect(faultsOf(planted(() => ({ onBatch: (batch, out) => out.emit(batch) })))).toEqual([]);
  });

  test("a row that is passed once a batch", () => {
    const once = planted(() => ({
      onBatch: (batch, out) => out.select(batch, batch.selection, Math.min(2, batch.count)),
    }));
    expect(faultsOf(once).join()).toMatch(/batches may be cut anywhere.*something else.*stream: /s);
  });

  test("a number in a closure, which a restart forgets", () => {
    const closure = planted(() => {
      let seen = 0;
      return {
        onBatch(batch, out) {
          const rows = out.scratch(batch);
          let count = 0;
          for (let i = 0; i < batch.count; i++) if (++seen % 7 > 0) rows[count++] = batch.selection[i]!;
          out.select(batch, rows, count);
        },
      };
    });
    const faults = faultsOf(closure);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(
      /a restart anywhere does not show.*a restart shows.*stream, with restarts before/s,
    );
  });

  test("a first row that is expected", () => {
    const first = planted(() => ({
      onBatch(batch, out) {
        if (batch.count === 0) throw new TypeError("no row");
        out.emit(batch);
      },
    }));
    expect(faultsOf(first)).toEqual([expect.stringMatching(/empty batches are harmless.*no row/s)]);
  });

  test("records that are kept for ever", () => {
    const keeping = planted((_config, { state: { keys } }) => ({
      onBatch(batch, out) {
        const ids = new Uint32Array(batch.count);
        keys.keys.identify(batch, ids);
        keys.reserve();
        for (let i = 0; i < batch.count; i++) keys.records.keep(batch, batch.selection[i]!);
        void out;
      },
    }));
    expect(faultsOf(keeping).join()).toMatch(/are still held.*state grows with the stream/s);
  });

  test("records that are left out in silence", () => {
    const silent = planted(() => ({ onBatch: () => undefined }));
    expect(faultsOf(silent).join()).toMatch(/the ledger's law is broken/);
  });
});
