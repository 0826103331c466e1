// The house's floors: which room may import which. Nothing imports upward, and rooms of one floor do
// not know each other. Also the size of files and the words that no file is named by.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "..");

/** What the top floors may import. */
const everything = [
  "runtime/foundation",
  "runtime/batch",
  "runtime/expression",
  "runtime/codec",
  "runtime/pipeline",
  "runtime/connect",
  "runtime/state",
  "runtime/engine",
  "runtime/worker",
  "runtime/supervisor",
  "runtime/testing",
  "operators",
  "operators/sdk",
];

/** By room, the rooms that it may import, besides itself. `packages` are the npm packages it may use; null for any. */
const rooms: Readonly<
  Record<string, { readonly rooms: readonly string[]; readonly packages: readonly string[] | null }>
> = {
  "operators/sdk": { rooms: [], packages: ["zod"] },
  operators: { rooms: ["operators/sdk"], packages: ["weir/sdk"] },
  "runtime/foundation": { rooms: [], packages: ["pino"] },
  "runtime/batch": { rooms: ["runtime/foundation", "operators/sdk"], packages: [] },
  "runtime/expression": { rooms: ["runtime/foundation", "runtime/batch", "operators/sdk"], packages: null },
  "runtime/codec": { rooms: ["runtime/foundation", "runtime/batch", "operators/sdk"], packages: null },
  "runtime/state": { rooms: ["runtime/foundation", "runtime/batch", "operators/sdk"], packages: null },
  "runtime/pipeline": {
    rooms: ["runtime/foundation", "runtime/batch", "runtime/expression", "runtime/codec", "operators/sdk"],
    packages: ["yaml", "zod"],
  },
  "runtime/connect": {
    rooms: ["runtime/foundation", "runtime/batch", "runtime/codec", "runtime/state"],
    packages: null,
  },
  "runtime/engine": {
    rooms: [
      "runtime/foundation",
      "runtime/batch",
      "runtime/expression",
      "runtime/codec",
      "runtime/state",
      "runtime/pipeline",
      "runtime/connect",
      "operators/sdk",
    ],
    packages: ["piscina"],
  },
  "runtime/worker": {
    rooms: [
      "runtime/foundation",
      "runtime/batch",
      "runtime/codec",
      "runtime/state",
      "runtime/pipeline",
      "runtime/connect",
      "runtime/engine",
      "operators/sdk",
    ],
    packages: null,
  },
  "runtime/supervisor": {
    rooms: ["runtime/foundation", "runtime/pipeline", "runtime/connect"],
    packages: null,
  },
  "runtime/testing": {
    rooms: [
      "runtime/foundation",
      "runtime/batch",
      "runtime/codec",
      "runtime/state",
      "runtime/pipeline",
      "runtime/connect",
      "runtime/engine",
      "runtime/worker",
      "runtime/supervisor",
      "operators/sdk",
    ],
    packages: null,
  },
  "runtime/cli": { rooms: everything, packages: null },
  bench: { rooms: everything, packages: null },
  deploy: { rooms: ["runtime/foundation", "runtime/connect", "runtime/codec"], packages: null },
};

/** What one file may import beyond its room. */
const exceptions: Readonly<Record<string, readonly string[]>> = {
  "runtime/engine/loader.ts": ["operators"],
  "runtime/testing/fuzz/text-targets.ts": ["operators", "runtime/expression"],
};

function roomOf(file: string): string {
  const [first, second] = file.split("/");
  if (first === "runtime") return file.split("/").length === 2 ? "runtime/foundation" : `runtime/${second}`;
  if (first === "operators" && second === "sdk") return "operators/sdk";
  return first!;
}

function sourceFiles(): string[] {
  const found: string[] = [];
  for (const top of ["runtime", "operators", "bench", "deploy"]) {
    for (const entry of readdirSync(join(root, top), { recursive: true, withFileTypes: true })) {
      if (entry.isFile() && /\.(ts|mjs)$/.test(entry.name) && !entry.parentPath.includes("assembly")) {
        found.push(relative(root, join(entry.parentPath, entry.name)));
      }
    }
  }
  return found;
}

function importsOf(text: string): string[] {
  const code = text.replace(/^\s*\/\/.*$/gm, "").replace(/\/\*[\s\S]*?\*\//g, "");
  const patterns = [
    /\bfrom\s+"([^"]+)"/g,
    /\bimport\s+"([^"]+)"/g,
    /\bimport\(\s*"([^"]+)"/g,
    /new URL\(\s*"(\.[^"]+)"/g,
  ];
  return patterns.flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[1]!));
}

/** Why an import is not allowed; null when it is. */
export function importFault(file: string, specifier: string): string | null {
  const room = roomOf(file);
  const allowed = rooms[room];
  if (allowed === undefined) return `${file}: its room ${room} has no floor`;
  if (specifier.startsWith("node:")) return room === "operators/sdk" ? `${file} imports ${specifier}` : null;
  if (!specifier.startsWith(".")) {
    const fine = allowed.packages === null || allowed.packages.includes(specifier);
    return fine ? null : `${file} imports the package ${specifier}`;
  }
  const target = relative(root, resolve(root, dirname(file), specifier));
  // What is read, built or installed is no room.
  if (!/\.(ts|mjs)$/.test(target)) return null;
  const into = roomOf(target);
  const fine = into === room || allowed.rooms.includes(into) || exceptions[file]?.includes(into) === true;
  return fine ? null : `${file} (${room}) imports ${target} (${into})`;
}

const files = sourceFiles();
const sources = files.filter((file) => !/\.(test|fixture)\.ts$|generators\.ts$/.test(file));

test("no room imports what its floor does not allow", () => {
  let checked = 0;
  const faults: string[] = [];
  for (const file of sources) {
    for (const specifier of importsOf(readFileSync(join(root, file), "utf8"))) {
      checked++;
      const fault = importFault(file, specifier);
      if (fault !== null) faults.push(fault);
    }
  }
  expect(faults).toEqual([]);
  expect(sources.length).toBeGreaterThan(50);
  expect(checked).toBeGreaterThan(200);
});

/** The files that are in a circle, or between two: what leads to none, or is led to by none, goes until nothing goes any more. */
function circlesIn(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const left = new Map(graph);
  for (let before = -1; before !== left.size; ) {
    before = left.size;
    const targets = new Set([...left.values()].flat());
    for (const [file, imported] of left)
      if (!targets.has(file) || !imported.some((target) => left.has(target))) left.delete(file);
  }
  return [...left.keys()];
}

test("no files import each other in a circle, not even for a type", () => {
  const graph = new Map(
    sources.map((file) => [
      file,
      importsOf(readFileSync(join(root, file), "utf8"))
        .filter((specifier) => specifier.startsWith("."))
        .map((specifier) => relative(root, resolve(root, dirname(file), specifier))),
    ]),
  );
  expect(circlesIn(graph)).toEqual([]);
  graph.set("runtime/clock.ts", ["runtime/cli/main.ts"]);
  expect(circlesIn(graph)).toContain("runtime/cli/main.ts");
});

test("a planted import upward is found", () => {
  expect(importFault("operators/filter/filter.ts", "../../runtime/engine/stage.ts")).not.toBeNull();
  expect(importFault("runtime/batch/batch.ts", "../engine/stage.ts")).not.toBeNull();
  expect(importFault("runtime/expression/parse.ts", "../codec/codec.ts")).not.toBeNull();
  expect(importFault("operators/sdk/batch.ts", "node:fs")).not.toBeNull();
  expect(importFault("runtime/engine/stage.ts", "../batch/batch.ts")).toBeNull();
});

test("files are small and named by what they hold", () => {
  const long = files.filter((file) => {
    const lines = readFileSync(join(root, file), "utf8").split("\n").length;
    return lines > (file.endsWith(".test.ts") ? 600 : 400);
  });
  expect(long).toEqual([]);
  expect(files.filter((file) => /(^|\/)(utils?|helpers?|common|misc|types|models)\b/.test(file))).toEqual([]);
});

test("only the clock reads the clock, and only command lines end the process", () => {
  const faults: string[] = [];
  // The scripts that prove weir are command lines as well, and end in one place.
  const endsProcess = (file: string): boolean =>
    file.startsWith("runtime/cli/") || file === "runtime/testing/script.ts";
  for (const file of sources.filter((each) => each.startsWith("runtime/") && each.endsWith(".ts"))) {
    const text = readFileSync(join(root, file), "utf8").replace(/^\s*(\/\/|\*).*$/gm, "");
    if (file !== "runtime/clock.ts" && /(?<![.\w])(Date\.now|setTimeout|setInterval)\(/.test(text))
      faults.push(`${file}: clock`);
    if (!endsProcess(file) && /\bprocess\.exit\(/.test(text)) faults.push(`${file}: exit`);
  }
  expect(faults).toEqual([]);
});

test("every file opens with what it is for", () => {
  const bare = sources.filter((file) => !/^(#!.*\n)?\/[/*]/.test(readFileSync(join(root, file), "utf8")));
  expect(bare).toEqual([]);
});
