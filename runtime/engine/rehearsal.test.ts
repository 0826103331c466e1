// Files of operators that do not come back when they are loaded: told of, and nothing else ends of them.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { wallClock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import { loadInput, readInput } from "./loader.ts";
import { rehearse } from "./rehearsal.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-rehearsal-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fileOf(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

async function told(name: string, text: string, most_ms?: number): Promise<string> {
  return rehearse(fileOf(`${name}.mjs`, text), wallClock, most_ms).then(
    () => "nothing",
    (error: unknown) => messageOf(error).replace(/^.*\.mjs: /, ""),
  );
}

describe("a file that, when it is loaded,", () => {
  test.each([
    ["waits for ever", "await new Promise(() => {});", "by an await at its top level, for what never comes"],
    ["ends the process", "process.exit(3);", "it ends the process when it is loaded, with exit code 3"],
    ["ends it well", "process.exit(0);", "it ends the process when it is loaded, with exit code 0"],
    ["rejects what nobody awaits", "Promise.reject(new Error('away'));", "fails once it is loaded: away"],
  ])("%s", async (name, text, message) => {
    expect(await told(name, text)).toContain(message);
  });

  test("loops", async () => {
    expect(await told("loops", "for (;;);", 1_000)).toBe("it is not loaded after 1 s");
  });

  test("throws, which whoever loads it tells", async () => {
    expect(await told("throws", "throw new Error('no licence');")).toBe("nothing");
  });
});

/** An operator with one setting. */
const operator = (setting: string): string => `import { defineFilter, z } from "weir/sdk";
export const own = defineFilter({
  name: "own", summary: "", config: z.strictObject({ ${setting}: z.number() }), keep: () => () => true,
});
`;

function mistakesOf(steps: readonly unknown[]): Promise<string[]> {
  const text = JSON.stringify({
    name: "own",
    use: ["./own.mjs"],
    source: { file: { path: "in.ndjson" }, format: "json", schema: { n: "float64" } },
    steps: [...steps, { sink: { stdout: {}, format: "json" } }],
  });
  const input = readInput(fileOf("own.yaml", text), {});
  return loadInput(input).then(({ diagnostics }) =>
    diagnostics.map(({ message, hint }) => `${message.replace(folder, "")} | ${hint}`),
  );
}

test("a file that was changed is loaded as it is now", async () => {
  fileOf("own.mjs", operator("least"));
  expect(await mistakesOf([{ own: { least: 1 } }])).toEqual([]);
  fileOf("own.mjs", operator("most"));
  expect(await mistakesOf([{ own: { most: 1 } }])).toEqual([]);
  expect(await mistakesOf([{ own: { least: 1 } }])).toEqual([
    expect.stringContaining("most is missing"),
    expect.stringContaining("unknown setting least"),
  ]);
});

test("an operator of a file that cannot be loaded is not taken for a misspelt one", async () => {
  fileOf("own.mjs", "process.exit(1);");
  expect(await mistakesOf([{ own: { most: 1 } }])).toEqual([
    "cannot load operators from /own.mjs: it ends the process when it is loaded, with exit code 1 | correct that file",
  ]);
});

test.each(["My step", "", "late"])("an operator cannot be called %j", async (name) => {
  fileOf("own.mjs", operator("least").replace('name: "own"', `name: ${JSON.stringify(name)}`));
  expect(await mistakesOf([])).toEqual([
    `an operator cannot be called ${JSON.stringify(name)} | a name is lower-case letters, digits and _, and none of branch, sink, keys, late`,
  ]);
});
