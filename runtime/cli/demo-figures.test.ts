// The verdict: every way in which a run can be wrong is said, and nothing else is.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { limits } from "../limits.ts";
import type { WorkerStatus } from "../worker/worker.ts";
import { Arrivals, Latencies, parseRowId } from "./demo-arrivals.ts";
import { chaosFaultsOf, faultsOf, figuresOf, type ReadBack, unreadFaults } from "./demo-figures.ts";

function status(name = "climate"): WorkerStatus {
  const ledger = [
    { step: "filter", reason: "filtered" as const, records: 3 },
    { step: "decode", reason: "decode" as const, records: 1 },
    { step: "window", reason: "filtered" as const, records: 2 },
  ];
  return {
    name,
    pipeline: {
      name,
      watermark: 0,
      steps: [],
      references: [],
      branches: [
        { name: "main", in: 20, out: 10, held: 4, ledger, rows: 3 },
        { name: "risk", in: 20, out: 14, held: 0, ledger, rows: 2 },
      ],
      inputs: [],
      metrics: [],
    },
    sources: [{ name: "source", records: 20, bytes: 2000, dropped: {}, lag: 0 }],
    sinks: [
      { branch: "main", rows: 3, bytes: 90, pending: 0, dropped: {} },
      { branch: "risk", rows: 2, bytes: 30, pending: 0, dropped: {} },
    ],
    deadLetter: null,
  };
}

interface Came {
  readonly read: number;
  readonly repeated: number;
  readonly missing: number;
}

function cloud(main: Partial<Came> = {}, parts: Partial<ReadBack> = {}): ReadBack {
  const nothing: Came = { read: 0, repeated: 0, missing: 0 };
  return {
    rowsByStream: { CLIMATE: 3, ALARMS: 2 },
    foreign: 0,
    arrivals: (_pipeline, branch) =>
      branch === "main" ? { ...nothing, read: 3, ...main } : { ...nothing, read: 2 },
    percentile: (_pipeline, share) => share * 10.04,
    ...parts,
  };
}

describe("figures", () => {
  it("are those of the first branch and of all branches, as each is meant", () => {
    expect(figuresOf(status(), cloud())).toMatchObject({
      name: "climate",
      in: 20,
      out: 10,
      held: 4,
      ledger: { filtered: 5, decode: 1 },
      rows: 5,
      read: 5,
      bytes_in: 2000,
      bytes_out: 120,
      p50_ms: 5,
      p99_ms: 9.9,
    });
    expect(figuresOf(status(), cloud()).branches[1]).toEqual({
      name: "risk",
      in: 20,
      out: 14,
      held: 0,
      ledger: { filtered: 5, decode: 1 },
      rows: 2,
      confirmed: 2,
      read: 2,
    });
  });
});

describe("faults", () => {
  it("are none where all agrees", () => {
    expect(faultsOf([status()], cloud(), 20_000)).toEqual([]);
  });

  it.each([
    [{ read: 2 }, "climate, branch main: 3 rows made, 2 read back from the cloud"],
    [{ repeated: 1 }, "climate, branch main: 1 rows are in the cloud twice"],
    [{ missing: 1 }, "climate, branch main: 1 rows are missing before later ones"],
  ])("name what came back: %j", (came, fault) => {
    expect(faultsOf([status()], cloud(came), 20_000)).toEqual([fault]);
  });

  it("name rows that the cloud did not confirm, and records that nothing accounts for", () => {
    const { sinks, pipeline, ...rest } = status();
    const unconfirmed = { ...rest, pipeline, sinks: [{ ...sinks[0]!, rows: 1 }, sinks[1]!] };
    expect(faultsOf([unconfirmed], cloud(), 20_000)).toEqual([
      "climate, branch main: 3 rows made, 1 confirmed by the cloud",
    ]);
    const [main, risk] = pipeline.branches;
    const lost = { ...rest, sinks, pipeline: { ...pipeline, branches: [{ ...main!, in: 21 }, risk!] } };
    expect(faultsOf([lost], cloud(), 20_000)).toEqual([
      "climate: branch main: in 21 ≠ out 10 + held 4 + ledger 6",
    ]);
  });

  it("name messages of others", () => {
    expect(faultsOf([status()], cloud({}, { foreign: 2 }), 20_000)).toEqual([
      "2 messages in the cloud are no rows of this run",
    ]);
  });

  it("name pipelines that have not read what is stored for them", () => {
    const statuses = [status("climate"), status("gateway-health")];
    expect(unreadFaults(statuses, ["climate"], 20)).toEqual([]);
    expect(unreadFaults(statuses, ["climate"], 21)).toEqual([
      "climate: 21 records are stored at the edge, 20 were read",
    ]);
  });

  it("want a row of every pipeline, and alarms once they are due", () => {
    const silent = (name: string): WorkerStatus => {
      const { pipeline, sinks, ...rest } = status(name);
      const [main] = pipeline.branches;
      return {
        ...rest,
        pipeline: { ...pipeline, branches: [{ ...main!, rows: 0 }] },
        sinks: [{ ...sinks[0]!, rows: 0 }],
      };
    };
    const empty = cloud({}, { arrivals: () => ({ read: 0, repeated: 0, missing: 0 }) });
    expect(faultsOf([silent("climate"), silent("provoked-events")], empty, 8_000)).toEqual([
      "climate: no row reached the cloud in 8000 ms",
    ]);
    expect(faultsOf([silent("provoked-events")], empty, 15_000)).toHaveLength(1);
    expect(faultsOf([silent("climate")], empty, 1_000)).toEqual([]);
  });
});

describe("arrivals", () => {
  it("count each number once in any order, and see repeats and gaps", () => {
    const numbers = fc.uniqueArray(fc.nat(60), { minLength: 1 });
    fc.assert(
      fc.property(numbers, fc.array(fc.nat(59)), (numbers, again) => {
        const arrivals = new Arrivals();
        for (const number of numbers) arrivals.note(number);
        const repeated = again.map((place) => numbers[place % numbers.length]!);
        for (const number of repeated) arrivals.note(number);
        expect(arrivals.read).toBe(numbers.length);
        expect(arrivals.repeated).toBe(repeated.length);
        expect(arrivals.missing).toBe(Math.max(...numbers) + 1 - numbers.length);
      }),
    );
  });

  it("remember no more than the limit, and still count what is missing", () => {
    const arrivals = new Arrivals();
    const rows = limits.demo_rows_ahead_max * 2;
    for (let number = 3; number < rows; number++) arrivals.note(number);
    expect(arrivals.read).toBe(rows - 3);
    expect(arrivals.missing).toBe(3);
  });
});

describe("the verdict on a run with kills", () => {
  const kills = { worker: 3, edge: 1, cloud: 2 };

  it("is that every row is there once, whatever the last worker knows of confirmations", () => {
    expect(chaosFaultsOf([status()], cloud(), kills)).toEqual([]);
    const fresh = { ...status(), sinks: status().sinks.map((sink) => ({ ...sink, rows: 0 })) };
    expect(chaosFaultsOf([fresh], cloud(), kills)).toEqual([]);
  });

  it("says what is lost, twice or foreign, and when nothing was killed or known", () => {
    const faults = chaosFaultsOf(
      [status()],
      cloud({ read: 2, repeated: 1, missing: 1 }, { foreign: 4 }),
      kills,
    );
    expect(faults).toHaveLength(4);
    expect(chaosFaultsOf([status()], cloud(), { worker: 0, edge: 0, cloud: 0 })).toEqual([
      "nothing was killed",
    ]);
    expect(chaosFaultsOf([], cloud(), kills)).toEqual(["the worker never said what it did"]);
  });
});

describe("latencies", () => {
  it("have the percentile that a sorted list has", () => {
    const values = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1 });
    fc.assert(
      fc.property(values, (values) => {
        const latencies = new Latencies();
        for (const value of values) latencies.add(value);
        const sorted = values.toSorted((a, b) => a - b);
        expect(latencies.percentile(0.5)).toBe(sorted[Math.ceil(values.length / 2) - 1]);
        expect(latencies.percentile(1)).toBe(sorted.at(-1));
      }),
    );
  });

  it("are the latest ones, and none beforehand", () => {
    const latencies = new Latencies();
    expect(latencies.percentile(0.5)).toBeNull();
    for (let i = 0; i < limits.demo_latencies_max; i++) latencies.add(1000);
    for (let i = 0; i < limits.demo_latencies_max; i++) latencies.add(1);
    expect(latencies.percentile(1)).toBe(1);
  });
});

it("a row's id tells its branch and number, and whose run it is of", () => {
  expect(parseRowId("dew-point.risk.1a2b3c4d.17", "1a2b3c4d")).toEqual({
    branch: "dew-point.risk",
    number: 17,
  });
  for (const id of ["dew-point.risk.other.17", "", "17", "dew-point.risk.1a2b3c4d.x"]) {
    expect(parseRowId(id, "1a2b3c4d")).toBeNull();
  }
});
