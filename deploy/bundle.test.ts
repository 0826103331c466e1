// The bundle as an image has it: alone in a folder, with no node_modules above it and no TypeScript of weir's
// own. Its commands, its threads and operators of the user's must work from there.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copies, parts } from "../runtime/layout.ts";

const root = join(import.meta.dirname, "..");
let folder = "";

/** Runs a command of the bundle in the folder. */
function weir(parameters: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const program = join(folder, "weir", "weir.js");
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: folder,
    WEIR_RUN_FOLDER: join(folder, "run"),
    ...more,
  };
  const options = { cwd: folder, encoding: "utf8", env, timeout: 30_000 } as const;
  return spawnSync(process.execPath, [program, ...parameters], options);
}

function put(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return name;
}

/** A pipeline from readings.ndjson to standard output with the given lines besides. */
function pipeline(name: string, steps: readonly string[], more: readonly string[] = []): string {
  const source =
    "source: { file: { path: readings.ndjson }, format: json, schema: { n: float64, s: string } }";
  const all = [...steps, "sink: { stdout: {}, format: json }"].map((step) => `  - ${step}`);
  return put(`${name}.yaml`, [`name: ${name}`, source, "steps:", ...all, ...more, ""].join("\n"));
}

function readings(count: number): void {
  const lines = Array.from({ length: count }, (_, n) => JSON.stringify({ n, s: `reading ${n % 97}` }));
  put("readings.ndjson", `${lines.join("\n")}\n`);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "weir-bundle-"));
  const script = join(root, "deploy", "bundle.ts");
  const built = spawnSync(process.execPath, [script, join(folder, "weir")], { encoding: "utf8" });
  expect(built.stderr).toBe("");
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the bundle", () => {
  it("has every part", () => {
    const missing = Object.keys(parts).filter((part) => !existsSync(join(folder, "weir", part)));
    expect(missing).toEqual([]);
    expect(readFileSync(join(folder, "weir", "licences.txt"), "utf8")).toMatch(/^yaml\n\nCopyright/m);
  });

  it("starts what starts many times from few files", () => {
    const [most, each] = [24, Object.entries(copies)];
    const counts = each.map(([copy]) => readdirSync(join(folder, "weir", copy)).length);
    expect(counts.filter((count) => count < 2 || count > most)).toEqual([]);
    for (const command of each.flatMap(([, { commands }]) => commands)) {
      const { status, stdout, stderr } = weir([command, "--help"]);
      expect({ status, says: stdout.includes(`Usage: weir ${command} `) }, stderr).toEqual({
        status: 0,
        says: true,
      });
    }
  });

  it("lists its commands", () => {
    const { status, stdout } = weir(["--help"]);
    expect({ status, lists: /^ {2}lint .*\n(.*\n)* {2}run /m.test(stdout) }).toEqual({
      status: 0,
      lists: true,
    });
  });

  it("keeps compiled code in the user's cache, and does without", () => {
    expect(weir(["--version"]).status).toBe(0);
    expect(existsSync(join(folder, ".cache", "weir"))).toBe(true);
    for (const cache of [{ XDG_CACHE_HOME: join(folder, "weir", "weir.js") }, { HOME: "" }]) {
      const { status, stderr } = weir(["--version"], cache);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    }
  });

  it("tells mistakes where they are", () => {
    const { status, stderr } = weir(["lint", pipeline("wrong", ["fliter: n > 1"])]);
    expect(status).toBe(78);
    expect(stderr).toContain("wrong.yaml:4:5: error: there is no operator fliter");
    expect(stderr).toContain("did you mean filter?");
  });

  it("runs the tests of a pipeline", () => {
    const tests = [
      "tests:",
      "  - name: keeps what is large",
      "    input: [{ n: 1 }, { n: 5 }]",
      "    expect: { main: [{ n: 5 }] }",
    ];
    const { status, stdout, stderr } = weir(["test", pipeline("tested", ["filter: n > 2"], tests)]);
    expect(stdout, stderr).toContain("1 passed, 0 failed");
    expect(status).toBe(0);
  });

  it("brings the pipelines of the house, and the operators that they use", () => {
    const { status, stdout } = weir(["test", "weir/pipelines/dew-point.yaml"]);
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: expect.stringMatching(/^[1-9]\d* passed, 0 failed$/m),
    });
  });

  it("runs operators of the user's, in TypeScript, on its own SDK", () => {
    readings(100);
    put(
      "above.ts",
      `import { defineFilter, field, type OperatorDefinition, z } from "weir/sdk";
      export const above: OperatorDefinition = defineFilter({
        name: "above",
        summary: "Keeps what is above.",
        config: z.strictObject({ value: field.column(["float64"], "What."), than: field.number({}, "Above.") }),
        keep: ({ value, than }) => (record) => record.number(value) > than,
      });\n`,
    );
    const own = pipeline("own", ["above: { value: n, than: 97 }"], ["use: [./above.ts]"]);
    const { status, stdout, stderr } = weir(["run", own]);
    expect({ status, stdout }, stderr).toEqual({
      status: 0,
      stdout: '{"n":98,"s":"reading 1"}\n{"n":99,"s":"reading 2"}\n',
    });
  });

  it("starts its pool where that gains", () => {
    readings(200_000);
    put("threads.yaml", "threads: 2\n");
    const seen = put("seen.txt", "");
    // What the threads of the process say once they have loaded their code, and what ends them.
    const spy = put(
      "spy.mjs",
      `import { appendFileSync } from "node:fs";
      const say = (text) => appendFileSync(${JSON.stringify(join(folder, "seen.txt"))}, text + "\\n");
      process.on("worker", (worker) => worker.on("message", () => say("ready")).on("error", (e) => say(e.stack)));\n`,
    );
    const large = pipeline("large", ['filter: s.matches("^reading (1|2|3)$") && n > 199900']);
    const { status, stdout, stderr } = weir(["run", large, "--config", "threads.yaml"], {
      NODE_OPTIONS: `--import ./${spy}`,
    });
    expect(status, stderr).toBe(0);
    const rows = [1, 2, 3].map((rest) => `{"n":${199_917 + rest},"s":"reading ${rest}"}\n`);
    expect(stdout).toBe(rows.join(""));
    expect(readFileSync(join(folder, seen), "utf8")).toMatch(/^(ready\n)+$/);
  });
});
