// What README.md shows is what there is: whole files compile by its tsconfig and run, parts stand in the examples that they are of, and the
// pipelines lint and run.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "..");
const page = readFileSync(join(import.meta.dirname, "README.md"), "utf8");

interface Block {
  readonly language: string;
  readonly text: string;
  /** The example whose file was named last before it; null where none was. */
  readonly example: string | null;
}

const blocks: readonly Block[] = [...page.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].map((match) => {
  const before = page.slice(0, match.index);
  const example = [...before.matchAll(/\(examples\/(\w+)\.ts\)/g)].at(-1)?.[1] ?? null;
  return { language: match[1]!, text: match[2]!, example };
});
const ofLanguage = (language: string): readonly Block[] =>
  blocks.filter((each) => each.language === language);
const isWhole = ({ text }: Block): boolean => text.startsWith("import ");

const folder = mkdtempSync(join(tmpdir(), "weir-readme-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a command in the folder gives, that of somebody who did as the page says. */
function ran(
  command: string,
  ...args: readonly string[]
): { readonly status: number | null; readonly text: string } {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: "utf8" });
  return { status, text: `${stdout}${stderr}` };
}

function weir(...args: readonly string[]): ReturnType<typeof ran> {
  return ran(process.execPath, join(root, "runtime/cli/weir.mjs"), ...args);
}

beforeAll(() => {
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(join(folder, "tsconfig.json"), ofLanguage("json")[0]!.text);
  mkdirSync(join(folder, "node_modules", "@types"), { recursive: true });
  symlinkSync(root, join(folder, "node_modules", "weir"));
  symlinkSync(join(root, "node_modules/@types/node"), join(folder, "node_modules/@types/node"));
  mkdirSync(join(folder, "operators"));
  const [operator, tests] = ofLanguage("ts").filter(isWhole);
  writeFileSync(join(folder, "operators", "plausible.ts"), operator!.text);
  writeFileSync(join(folder, "operators", "plausible.test.ts"), tests!.text);
});

test("all there is of it is looked at here", () => {
  expect(ofLanguage("ts").filter(isWhole)).toHaveLength(2);
  expect(ofLanguage("ts").length + ofLanguage("yaml").length + ofLanguage("json").length).toBe(
    blocks.length - ofLanguage("sh").length,
  );
});

test("whole files keep to the types of the tsconfig that it shows", () => {
  expect(ran(join(root, "node_modules/.bin/tsc"), "-p", ".")).toEqual({ status: 0, text: "" });
});

test("its tests pass as Node runs them, and it is the example that it says", () => {
  const { status, text } = ran(process.execPath, "--test");
  expect(text).toMatch(/^(# |ℹ )pass [1-9]/m);
  expect(status).toBe(0);
  const example = readFileSync(join(import.meta.dirname, "examples/plausible.ts"), "utf8");
  expect(example.replace(/^(\/\/.*\n)+\n/, "")).toBe(ofLanguage("ts").find(isWhole)!.text);
});

test.each(ofLanguage("yaml").map(({ text }) => text))("a pipeline lints: %s", (text) => {
  const source = "source: { file: { path: a.csv }, format: csv, schema: { temp: float64 } }\n";
  writeFileSync(join(folder, "own.yaml"), `name: own\n${source}${text}  - sink: { stdout: {} }\n`);
  expect(weir("lint", "own.yaml")).toEqual({ status: 0, text: "ok own.yaml\n" });
});

test.each(ofLanguage("ts").filter((block) => !isWhole(block)))(
  "a part of $example stands in it",
  ({ text, example }) => {
    const whole = readFileSync(join(import.meta.dirname, `examples/${example}.ts`), "utf8");
    const lines = whole.split("\n").map((line) => line.trim());
    let from = 0;
    for (const line of text.trim().split("\n")) {
      const shown = line.replace(/\s*\/\/.*$/, "").trim();
      if (shown === "…" || shown === "") continue;
      const found = lines.indexOf(shown, from);
      expect(found, `${example} has no line ${shown}`).toBeGreaterThanOrEqual(0);
      from = found + 1;
    }
  },
);

test("what the shell is told to do is done", () => {
  const commands = ofLanguage("sh").flatMap(({ text }) => text.trim().split("\n"));
  expect(commands).toHaveLength(8);
  rmSync(join(folder, "operators", "plausible.ts"));
  expect(weir("init", "operators/plausible.ts").text).toContain("use: [./operators/plausible.ts]");
  expect(weir("init", "boiler.yaml").status).toBe(0);
  for (const command of ["lint", "test"]) expect(weir(command, "boiler.yaml").status).toBe(0);
  expect(ran(join(root, "node_modules/.bin/tsc"), "-p", ".")).toEqual({ status: 0, text: "" });
  expect(ran(process.execPath, "--test").status).toBe(0);
});
