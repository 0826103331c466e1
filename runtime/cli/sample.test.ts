// weir init --from: files and a real nats-server's subjects in, pipelines that lint and run out.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { wallClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { type RunningNatsServer, startNatsServer } from "../connect/nats-server.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { init } from "./init.ts";
import { loadFiles } from "./load.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-sample-test-"));
const said = vi.spyOn(process.stdout, "write").mockReturnValue(true);
afterAll(() => {
  said.mockRestore();
  rmSync(folder, { recursive: true });
});

function write(name: string, ...lines: readonly string[]): string {
  const path = join(folder, name);
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
}

async function planOf(file: string): Promise<PipelinePlan> {
  const [loaded] = await loadFiles([file]);
  expect(loaded!.diagnostics).toEqual([]);
  return loaded!.plan!;
}

describe("a file", () => {
  it("of NDJSON, by its path from the pipeline's", async () => {
    const from = write("r.ndjson", '{"ts":1769860800000,"temp":20.5}', '{"ts":1769860801000,"temp":21}');
    mkdirSync(join(folder, "p"));
    const file = join(folder, "p", "Boiler 2.yaml");
    expect(await init(file, { from })).toBe(0);
    const { name, inputs } = await planOf(file);
    expect({ name, source: inputs[0]!.spec.source }).toMatchObject({
      name: "boiler-2",
      source: { kind: "file", path: "../r.ndjson" },
    });
    await expect(init(file, { from })).rejects.toThrow(/exists/);
  });

  it("of CSV, whose fields are printed for machines and written nowhere", async () => {
    said.mockClear();
    const from = write("r.csv", "device,temp", "a,20", "a,", "a,x");
    const file = join(folder, "none.yaml");
    expect(await init(file, { from, json: true })).toBe(0);
    const printed: unknown = JSON.parse(said.mock.calls.join(""));
    expect(printed).toMatchObject({
      records: 3,
      fields: [{ name: "device", type: "string" }, { name: "temp" }],
    });
    expect(() => readFileSync(file)).toThrow(/ENOENT/);
  });

  it.each([
    ["that is not there", () => join(folder, "no.ndjson"), "WEIR_FILE", /there is no/],
    ["that is a topic", () => "sensors/t1", "WEIR_FILE", /there is no sensors\/t1/],
    ["that is empty", () => write("e.ndjson"), "WEIR_USAGE", /has no record$/],
    ["of something else", () => write("x.json", "[", "1", "]"), "WEIR_USAGE", /no record that can be read: /],
    [
      "whose columns stand between semicolons",
      () => write("s.csv", "a;b", "1,5;2"),
      "WEIR_FILE",
      /by semicolons$/,
    ],
    ["that is a folder", () => folder, "WEIR_USAGE", /is a folder/],
  ])("%s is refused", async (_name, from, code, message) => {
    const told = init(join(folder, "x.yaml"), { from: from() });
    await expect(told).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });
});

describe("a subject", () => {
  let server: RunningNatsServer;
  let link: NatsLink;
  beforeAll(async () => {
    server = await startNatsServer({ name: "weir-sample" }, process.env);
    link = await connectNats({ name: "sensors", servers: server.url }, silentLog);
  });
  afterAll(async () => {
    await link.close();
    await server.stop();
  });

  /** Begins a pipeline while sensors publish. */
  async function sampled(name: string, from: string, payload: string): Promise<string> {
    const file = join(folder, name);
    const stop = wallClock.every(1, () => {
      for (const device of ["a", "b"]) link.nats.publish(`sensors.${device}.temp`, payload);
    });
    await init(file, { from, nats: [server.url] }).finally(stop);
    return file;
  }

  it("has its tokens as columns and its means as rows", async () => {
    const file = await sampled("s.yaml", "sensors.>", '{"ts":"2026-01-31T12:00:00Z","v":{"c":21.5}}');
    const { inputs, branches } = await planOf(file);
    expect(inputs[0]!.spec).toMatchObject({
      source: { kind: "nats", subject: "sensors.{device}.temp" },
      time: { field: "ts", unit: "iso" },
    });
    expect(branches[0]!.rows.fields.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["device", "v_c", "n"]),
    );
  });

  it("may have many records in a message", async () => {
    const { inputs } = await planOf(await sampled("m.yaml", "sensors.*.temp", '[{"v":1},{"v":2}]'));
    expect(inputs[0]!.spec).toMatchObject({ framing: "array", schema: { v: "float64" } });
  });

  it("of bare values is refused, as is a silent one, with what to do", async () => {
    await expect(sampled("b.yaml", "sensors.*.temp", "21.5")).rejects.toMatchObject({
      message: expect.stringMatching(/^what comes on sensors\.\*\.temp has no record that can be read: /),
      remedy: expect.stringContaining("JSON objects"),
    });
    const silent = init(join(folder, "q.yaml"), { from: "rooms.*", nats: [server.url], for: "1ms" });
    await expect(silent).rejects.toMatchObject({
      message: "no record came on rooms.* within 1ms",
      remedy: expect.stringContaining("'rooms.>'"),
    });
    await expect(init(join(folder, "q.yaml"), { from: "sensors/+/t" })).rejects.toMatchObject({
      remedy: "as a subject it is sensors.*.t",
    });
  });
});
