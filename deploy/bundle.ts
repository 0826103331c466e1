// Makes build/bundle: weir as one folder of plain JavaScript that needs no node_modules, for images. What is
// loaded only now and then stays in files of its own. Never changes what weir does.

import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { parts } from "../runtime/layout.ts";

const root = join(import.meta.dirname, "..");
const output = process.argv[2] ?? join(root, "build", "bundle");

/** By file in the bundle, the module that it begins with. */
const entryPoints: Record<string, string> = {
  // Piscina starts its threads with this file, which it expects beside itself.
  worker: "node_modules/piscina/dist/worker.js",
};

function copyPart(part: string, from: string): void {
  cpSync(join(root, from), join(output, part), { recursive: true });
}

/** zod's messages in forty languages are a third of it, and weir speaks one. */
const oneLanguage: Plugin = {
  name: "one-language",
  setup({ onLoad }) {
    onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({
      contents: 'export { default as en } from "./en.js";',
    }));
  },
};

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
for (const [part, from] of Object.entries(parts)) {
  if (part.endsWith(".js")) entryPoints[part.slice(0, -".js".length)] = from;
  else copyPart(part, from);
}
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints,
  outdir: output,
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node24",
  // Shorter names as well: 1.4 MB of each worker's memory.
  minify: true,
  legalComments: "none",
  metafile: true,
  plugins: [oneLanguage],
  // Native, and loaded only by an option of Piscina's that weir does not set.
  external: ["@napi-rs/nice"],
  // Its form for Node is CommonJS, of which nothing can be left out.
  alias: { rxjs: join(root, "node_modules/rxjs/dist/esm/index.js") },
  // What packages in CommonJS take for granted.
  define: { __dirname: "import.meta.dirname", __filename: "import.meta.filename" },
  banner: {
    js: 'import{createRequire as $createRequire}from"node:module";const require=$createRequire(import.meta.url);',
  },
});
writeFileSync(
  join(output, "package.json"),
  `${JSON.stringify({ name: "weir", type: "module", bin: "./weir.js", exports: { "./sdk": "./sdk.js" } })}\n`,
);
writeFileSync(join(output, "licences.txt"), licencesOf(Object.keys(metafile.inputs)));
