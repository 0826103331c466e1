import { describe, expect, it } from "vitest";
import { loadInput } from "../engine/loader.ts";
import { guaranteeText, promisesOf, sinkGuarantee, sourceGuarantee, weaker } from "./guarantee.ts";
import type { SinkSpec, SourceSpec } from "./pipeline.ts";

function natsSource(stream: string | null, journal: boolean): SourceSpec {
  return {
    kind: "nats",
    to: "default",
    subject: "a",
    stream,
    consumer: null,
    overflow: "drop_oldest",
    partition: null,
    journal: journal ? { bytes: 1, age: 1, sequence: null } : null,
  };
}

function natsSink(stream: string | null, delivery: string | null): SinkSpec {
  return {
    kind: "nats",
    to: "default",
    subject: "a",
    stream,
    delivery,
    batch: null,
    lane: "live",
  } as SinkSpec;
}

const file: SourceSpec = { kind: "file", path: "a", rate: null, speed: null };
const host: SourceSpec = { kind: "host", every: 1, sensors: [] };
const [exactly, least, most] = ["exactly once", "at least once", "at most once"];

describe("end to end: killed, power cut, link down", () => {
  it.each([
    [
      "stream → exclusive",
      natsSource("S", false),
      natsSink("T", "exclusive"),
      true,
      [exactly, exactly, exactly],
    ],
    ["stream → subject", natsSource("S", false), natsSink("T", "subject"), true, [exactly, exactly, exactly]],
    ["stream → lane", natsSource("S", false), natsSink("T", "lane"), true, [exactly, exactly, exactly]],
    ["stream → bucket", natsSource("S", false), natsSink("T", "bucket"), true, [exactly, exactly, exactly]],
    [
      "stream → message_id",
      natsSource("S", false),
      natsSink("T", "message_id"),
      true,
      [exactly, exactly, least],
    ],
    ["stream → core", natsSource("S", false), natsSink(null, null), true, [most, most, most]],
    ["stream → file", natsSource("S", false), { kind: "file", path: "a" }, true, [exactly, exactly, exactly]],
    ["stream → stdout", natsSource("S", false), { kind: "stdout" }, true, [most, most, most]],
    [
      "journal → exclusive",
      natsSource(null, true),
      natsSink("T", "exclusive"),
      true,
      [exactly, exactly, most],
    ],
    ["core → exclusive", natsSource(null, false), natsSink("T", "exclusive"), true, [most, most, most]],
    ["file → exclusive", file, natsSink("T", "exclusive"), true, [exactly, exactly, exactly]],
    ["host → exclusive", host, natsSink("T", "exclusive"), true, [most, most, most]],
    [
      "stream → exclusive, no state",
      natsSource("S", false),
      natsSink("T", "exclusive"),
      false,
      [least, least, least],
    ],
    ["journal, no state", natsSource(null, true), natsSink("T", "exclusive"), false, [most, most, most]],
    ["file → file, no state", file, { kind: "file", path: "a" }, false, [least, least, least]],
  ] as const)("%s", (_what, source, sink, durable, expected) => {
    const { levels } = weaker(sourceGuarantee(source, durable), sinkGuarantee(sink, durable));
    expect([levels.killed, levels["power cut"], levels["link down"]]).toEqual(expected);
  });
});

describe("an outbox that lets rows go", () => {
  const sink = natsSink("T", "exclusive");
  const tiers = [
    { every: 0, keep: 1 },
    { every: 10, keep: 20 },
  ];
  it.each([
    ["nothing said", { tiers: [] }, exactly, 0],
    ["a size alone, where it waits", { bytes: 1, when_full: "wait", tiers: [] }, exactly, 0],
    ["an age", { age: 1, tiers: [] }, most, 1],
    ["drop_oldest", { when_full: "drop_oldest", tiers: [] }, most, 1],
    ["an age and drop_oldest", { age: 1, when_full: "drop_oldest", tiers: [] }, most, 2],
    ["tiers", { tiers }, most, 1],
  ] as const)("%s", (_what, outbox, linkDown, notes) => {
    const guarantee = sinkGuarantee(sink, true, outbox);
    expect(guarantee.levels).toEqual({ killed: exactly, "power cut": exactly, "link down": linkDown });
    expect(guarantee.notes).toHaveLength(notes);
    // Without a state folder there is no outbox.
    expect(sinkGuarantee(sink, false, outbox)).toEqual(sinkGuarantee(sink, false));
  });
});

it("holds by branch and for the dead letter, with what the device says where the file says nothing", async () => {
  const text = `name: promised
source: { nats: { subject: "a.>", stream: A }, format: json, schema: { v: float64 } }
steps:
  - filter: v > 1
  - sink: { nats: { subject: out, stream: OUT } }
dead_letter: { file: { path: refused.ndjson } }
`;
  const { plan, diagnostics } = await loadInput({ file: "promised.yaml", text, environment: {} });
  expect(diagnostics).toEqual([]);
  const noted = "(after a power cut, of what the stream still has: what it lost is noticed and counted";
  expect(promisesOf(plan!, true)).toEqual([
    `main: exactly once: killed, power cut, link down ${noted})`,
    `dead letter: exactly once: killed, power cut, link down ${noted})`,
  ]);
  const [main] = promisesOf(plan!, true, { age: 1, tiers: [] });
  expect(main).toBe(
    `main: exactly once: killed, power cut; at most once: link down ${noted}; what waits longer than the outbox's age is dropped and counted)`,
  );
});

it("is said in one line, the strongest first", () => {
  const text = guaranteeText(
    weaker(sourceGuarantee(natsSource(null, true), true), sinkGuarantee(natsSink("T", "exclusive"), true)),
  );
  expect(text).toBe(
    "exactly once: killed, power cut; at most once: link down (from the journal on; what is published while its ingest process is away, and up to 20 ms before that ended, is lost)",
  );
  expect(guaranteeText(sinkGuarantee({ kind: "file", path: "a" }, true))).toBe(
    "exactly once: killed, power cut, link down",
  );
});
