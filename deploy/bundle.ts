// Makes build/bundle: weir as one folder of plain JavaScript that needs no node_modules, for images. What is
// loaded only now and then stays in files of its own. Never changes what weir does.

import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { copies, type Part, parts } from "../runtime/layout.ts";

const root = join(import.meta.dirname, "..");
const output = process.argv[2] ?? join(root, "build", "bundle");

/** By file in the bundle, the module that it begins with. */
type EntryPoints = Readonly<Record<string, string>>;

// Piscina starts its threads with this file, which it expects beside itself.
const piscinaThread: EntryPoints = { worker: "node_modules/piscina/dist/worker.js" };

/** zod's messages in forty languages are a third of it, and weir speaks one. */
const oneLanguage: Plugin = {
  name: "one-language",
  setup({ onLoad }) {
    onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({
      contents: 'export { default as en } from "./en.js";',
    }));
  },
};

/** Commands that have a copy of their own start from there. */
const startsCopies: Plugin = {
  name: "starts-copies",
  setup({ onLoad }) {
    const mains = Object.entries(copies).flatMap(([copy, { commands }]) =>
      commands.map((command) => [command, `./${copy}main.js`]),
    );
    onLoad({ filter: /runtime\/cli\/weir\.mjs$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      const start = 'await import("./main.ts");';
      if (!text.includes(start)) throw new Error(`${path}: expected ${start}`);
      const choose = `const main = new Map(${JSON.stringify(mains)}).get(process.argv[2]);
        await (main === undefined ? import("./main.ts") : import(main));`;
      return { contents: text.replace(start, choose) };
    });
  },
};

/** A copy has these commands and no others, of which nobody asks it. */
function hasOnly(commands: readonly string[]): Plugin {
  return {
    name: "has-only",
    setup({ onResolve }) {
      onResolve({ filter: /^\.\/[a-z-]+\.ts$/ }, ({ path, kind, importer }) => {
        const isCommand = kind === "dynamic-import" && /cli\/(program|fleet-commands)\.ts$/.test(importer);
        if (!isCommand || commands.includes(path.slice("./".length, -".ts".length))) return null;
        return { path: "../weir.js", external: true };
      });
    },
  };
}

/** Makes modules into files in a folder of the bundle, and returns what they are made of. */
async function make(copy: string, entryPoints: EntryPoints, plugins: readonly Plugin[]): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints,
    outdir: join(output, copy),
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    // Shorter names as well: 1.4 MB of each worker's memory.
    minify: true,
    legalComments: "none",
    metafile: true,
    plugins: [oneLanguage, ...plugins],
    // Native, and loaded only by an option of Piscina's that weir does not set.
    external: ["@napi-rs/nice"],
    // Its form for Node is CommonJS, of which nothing can be left out.
    alias: { rxjs: join(root, "node_modules/rxjs/dist/esm/index.js") },
    define: {
      // What packages in CommonJS take for granted.
      __dirname: "import.meta.dirname",
      __filename: "import.meta.filename",
      BUNDLE_COPY: JSON.stringify(copy),
      // It is not in a bundle, and looking for it takes time.
      "process.env.MSGPACKR_NATIVE_ACCELERATION_DISABLED": '"true"',
    },
    banner: {
      js: 'import{createRequire as $createRequire}from"node:module";const require=$createRequire(import.meta.url);',
    },
  });
  return Object.keys(metafile.inputs);
}

function entryPointsOf(names: readonly Part[]): EntryPoints {
  return Object.fromEntries(names.map((part) => [part.slice(0, -".js".length), parts[part]]));
}

/** The licences of the packages that modules come from: they ask to be in every copy. */
function licencesOf(modules: readonly string[]): string {
  const folders = modules.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []);
  const texts = [...new Set(folders)].sort().map((folder) => {
    const file = readdirSync(join(root, folder)).find((name) => /^licen[cs]e/i.test(name));
    const text = file === undefined ? "(it brings no text)" : readFileSync(join(root, folder, file), "utf8");
    return `${folder.slice(folder.lastIndexOf("node_modules/") + "node_modules/".length)}\n\n${text.trim()}\n`;
  });
  return texts.join("\n\n");
}

rmSync(output, { recursive: true, force: true });
mkdirSync(output, { recursive: true });
const names = Object.keys(parts) as Part[];
const isProgram = (part: string): boolean => part.endsWith(".js");
for (const part of names.filter((each) => !isProgram(each)))
  cpSync(join(root, parts[part]), join(output, part), { recursive: true });
const modules = await make("", { ...entryPointsOf(names.filter(isProgram)), ...piscinaThread }, [
  startsCopies,
]);
for (const [copy, { commands, parts: own }] of Object.entries(copies)) {
  const threads = own.length === 0 ? {} : { ...entryPointsOf(own), ...piscinaThread };
  modules.push(...(await make(copy, { main: "runtime/cli/main.ts", ...threads }, [hasOnly(commands)])));
}
writeFileSync(
  join(output, "package.json"),
  `${JSON.stringify({ name: "weir", type: "module", bin: "./weir.js", exports: { "./sdk": "./sdk.js" } })}\n`,
);
writeFileSync(join(output, "licences.txt"), licencesOf(modules));
