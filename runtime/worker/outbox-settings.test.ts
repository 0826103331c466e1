import { describe, expect, test } from "vitest";
import { limits } from "../limits.ts";
import type { OutboxSpec } from "../pipeline/pipeline.ts";
import { outboxSettings, uplinkBudgets, withinDisk } from "./outbox-settings.ts";
import { defaultSettings, withFile } from "./settings.ts";

const nothing: OutboxSpec = { tiers: [] };
const tiers = [
  { every: 0, keep: 7_200_000 },
  { every: 10_000, keep: 86_400_000 },
];

const MiB = 1_048_576;

describe("what a disk has room for", () => {
  test.each([
    ["nobody can tell", 1024, { free: null, held: 0, folders: 1 }, 1024],
    ["more than is wanted", 1024, { free: 8_000 * MiB, held: 0, folders: 2 }, 1024],
    ["less", 1024, { free: 500 * MiB, held: 64 * MiB, folders: 1 }, 400],
    ["shared by several", 1024, { free: 428 * MiB, held: 300 * MiB, folders: 2 }, 240],
    ["a small one", 1024, { free: 40 * MiB, held: 0, folders: 1 }, 10],
    ["none: as little as may be", 1024, { free: 0, held: 0, folders: 9 }, limits.outbox_bytes_min / MiB],
  ])("%s", (_what, wanted, disk, most) => {
    expect(withinDisk(wanted * MiB, disk)).toBeCloseTo(most * MiB, -1);
  });
});

describe("an outbox", () => {
  test("waits, keeps all and makes backlog after a minute where nobody says anything", () => {
    expect(outboxSettings([nothing])).toStrictEqual({
      limits: { bytes: limits.outbox_bytes_default, age: null, whenFull: "wait" },
      backlogAfter: 60_000,
      tiers: [],
    });
  });

  test("is as the file says, and as the device says for the rest", () => {
    const device: OutboxSpec = { bytes: 100_000, age: 5_000, when_full: "drop_oldest", tiers: [] };
    expect(outboxSettings([{ age: 7_000, backlog_after: "never", tiers: [] }], device)).toStrictEqual({
      limits: { bytes: 100_000, age: 7_000, whenFull: "drop_oldest" },
      backlogAfter: null,
      tiers: [],
    });
  });

  test("that several share gives none of them less than it asked for", () => {
    const drops: OutboxSpec = {
      bytes: 100_000,
      age: 5_000,
      when_full: "drop_oldest",
      backlog_after: 1_000,
      tiers: [],
    };
    const shared = outboxSettings([drops, { ...drops, bytes: 200_000, when_full: "wait" }]);
    expect(shared.limits).toStrictEqual({ bytes: 200_000, age: 5_000, whenFull: "wait" });
    expect(outboxSettings([drops, nothing]).limits.age).toBeNull();
    const condenses: OutboxSpec = { when_full: "condense", tiers };
    expect(outboxSettings([condenses, condenses])).toMatchObject({ limits: { whenFull: "condense" }, tiers });
    const others = { ...condenses, tiers: tiers.with(1, { every: 60_000, keep: 86_400_000 }) };
    expect(outboxSettings([condenses, others])).toMatchObject({ limits: { whenFull: "wait" }, tiers: [] });
    expect(outboxSettings([drops, { ...drops, backlog_after: "never" }]).backlogAfter).toBeNull();
  });
});

describe("a device's file", () => {
  const read = (text: string): ReturnType<typeof withFile> =>
    withFile(defaultSettings({}), "weir.yaml", text, { variables: {}, file: () => null });

  test("has an outbox for pipelines that say nothing, and budgets of connections", () => {
    const { settings, diagnostics } = read(
      "outbox: { bytes: 4GiB }\nnats: { cloud: { url: nats://cloud, uplink: { bytes: 50MiB, every: 1d } } }",
    );
    expect(diagnostics).toStrictEqual([]);
    expect(settings.outbox).toStrictEqual({ bytes: 4_294_967_296, tiers: [] });
    expect([...uplinkBudgets(settings.connections)]).toStrictEqual([
      ["cloud", { bytes: 52_428_800, every: 86_400_000 }],
    ]);
  });

  test.each([
    ["outbox: { bytes: 1KiB }", "an outbox needs 64 KiB at least"],
    ["outbox: { when_full: condense }", "condense needs tiers"],
    ["outbox: { tiers: [{ every: 1s, keep: 1h }, { every: 2s, keep: 2h }] }", "leave every out"],
    [
      "outbox: { tiers: [{ keep: 1h }, { every: 2s, keep: 2h }, { every: 3s, keep: 3h }] }",
      "a multiple of its every",
    ],
    ["outbox: { tiers: [{ keep: 1h }, { every: 2s, keep: 30m }] }", "write a longer keep"],
    ["outbox: { tiers: [{ keep: 1h }, { keep: 2h }] }", "a longer every"],
    ["outbox: { backlog_after: soon }", "expected a duration"],
    ["nats: { cloud: { url: nats://cloud, uplink: { bytes: 0B, every: 1d } } }", "a budget is of some bytes"],
  ])("%s is refused: %s", (text, message) => {
    expect(
      read(text)
        .diagnostics.map((each) => `${each.message} ${each.hint ?? ""}`)
        .join("\n"),
    ).toContain(message);
  });
});
