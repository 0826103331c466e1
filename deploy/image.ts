// Makes build/image/weir.tar: the image of deploy/Dockerfile out of what this machine has, without a registry and
// without a container engine. Any engine loads it: `podman load -i build/image/weir.tar`. Linux only.
//
//     npm run image [-- FILE]

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { messageOf } from "../runtime/errors.ts";
import { imageUser, makeBase } from "./base.ts";
import { settingsOf } from "./dockerfile.ts";

const root = join(import.meta.dirname, "..");
const work = join(root, "build", "image");

/** What the image is called where it is loaded. */
export const imageName = "localhost/weir:latest";

interface Layer {
  /** Of the plain archive. */
  readonly digest: string;
  readonly packed: Buffer;
}

function sha256(bytes: Buffer | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The same bytes for the same files, whoever owns them here and whenever they were made. `what` is for find. */
function archive(
  output: string,
  folder: string,
  action: "-c" | "-r",
  owner: number,
  what: readonly string[],
): void {
  const settings = ["--format=gnu", "--mtime=@0", "--numeric-owner", "--no-recursion"];
  const found = execFileSync("find", [...what, "-print0"], { cwd: folder, encoding: "utf8" });
  const all = found
    .split("\0")
    .sort()
    .filter((path) => path !== "")
    .join("\0");
  const list = ["--null", "--files-from=-", `--owner=${owner}`, `--group=${owner}`];
  execFileSync("tar", [action, "-f", output, "-C", folder, ...settings, ...list], { input: all });
}

function layerOf(file: string): Layer {
  const plain = readFileSync(file);
  return { digest: sha256(plain), packed: gzipSync(plain, { level: 6 }) };
}

/** The layer of Node and its libraries. It takes seconds to compress, so it is kept. */
function baseLayer(scratch: string): Layer {
  const recipe = sha256(readFileSync(join(import.meta.dirname, "base.ts"))).slice(0, 12);
  const kept = join(work, `base-${process.version}-${process.arch}-${recipe}`);
  if (existsSync(`${kept}.sha256`)) {
    return { digest: readFileSync(`${kept}.sha256`, "utf8"), packed: readFileSync(`${kept}.tar.gz`) };
  }
  const folder = join(scratch, "base");
  if (!makeBase(folder)) process.stderr.write("image: no strip here (binutils), so Node keeps its symbols\n");
  const file = join(scratch, "base.tar");
  archive(file, folder, "-c", 0, [".", "!", "-path", "./var/lib/weir", "!", "-path", "."]);
  archive(file, folder, "-r", imageUser, ["./var/lib/weir"]);
  const layer = layerOf(file);
  writeFileSync(`${kept}.new`, layer.packed);
  renameSync(`${kept}.new`, `${kept}.tar.gz`);
  writeFileSync(`${kept}.sha256`, layer.digest);
  return layer;
}

function bundleLayer(scratch: string): Layer {
  execFileSync(process.execPath, [join(import.meta.dirname, "bundle.ts"), join(scratch, "bundle", "weir")]);
  const file = join(scratch, "bundle.tar");
  archive(file, join(scratch, "bundle"), "-c", 0, ["./weir"]);
  return layerOf(file);
}

function configurationOf(layers: readonly Layer[]): string {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  const text = readFileSync(join(import.meta.dirname, "Dockerfile"), "utf8");
  return JSON.stringify({
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    os: "linux",
    // When is no part of what it is.
    created: new Date(0).toISOString(),
    config: settingsOf(text, { VERSION: version }),
    rootfs: { type: "layers", diff_ids: layers.map(({ digest }) => `sha256:${digest}`) },
  });
}

/** Writes the archive, in the form that `docker save` writes and every engine reads. */
export function makeImage(output: string): { readonly bytes: number } {
  for (const folder of [work, dirname(output)]) mkdirSync(folder, { recursive: true });
  // Beside what it becomes: whoever gives that up gives up this as well.
  const scratch = mkdtempSync(join(dirname(output), "making-"));
  try {
    const layers = [baseLayer(scratch), bundleLayer(scratch)];
    const configuration = configurationOf(layers);
    const name = sha256(configuration);
    const content = join(scratch, "content");
    mkdirSync(content);
    writeFileSync(join(content, `${name}.json`), configuration);
    for (const { digest, packed } of layers) writeFileSync(join(content, `${digest}.tar.gz`), packed);
    const Layers = layers.map(({ digest }) => `${digest}.tar.gz`);
    const manifest = [{ Config: `${name}.json`, RepoTags: [imageName], Layers }];
    writeFileSync(join(content, "manifest.json"), JSON.stringify(manifest));
    archive(join(scratch, "weir.tar"), content, "-c", 0, ["manifest.json", `${name}.json`, ...Layers]);
    renameSync(join(scratch, "weir.tar"), output);
    return { bytes: layers.reduce((sum, { packed }) => sum + packed.length, 0) };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const output = process.argv[2] ?? join(work, "weir.tar");
  try {
    const { bytes } = makeImage(output);
    process.stdout.write(
      `${output}: ${(bytes / 1e6).toFixed(1)} MB compressed, for ${process.arch}\nload it with: podman load -i ${output}   (or docker load)\n`,
    );
  } catch (error) {
    process.stderr.write(`image: ${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}
