// What lies under weir in its image: this very Node, the libraries that it has loaded, and the few files that
// the C library looks for. Runs with nothing installed, also inside of an image's build. Never downloads.
//
//     node deploy/base.ts FOLDER

import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Who weir runs as. No name is needed for it, but programs ask for one. */
export const imageUser = 65_532;

const files: Readonly<Record<string, string>> = {
  "etc/passwd": `weir:x:${imageUser}:${imageUser}:weir:/var/lib/weir:/sbin/nologin\n`,
  "etc/group": `weir:x:${imageUser}:\n`,
  // Without it the C library asks name servers before the hosts file.
  "etc/nsswitch.conf": "hosts: files dns\n",
};

/** The shared libraries of a process, by what its report says: its own file, them, and what the kernel maps. */
export function librariesOf(objects: readonly string[], program: string): string[] {
  return objects.filter((path) => path.startsWith("/") && path !== program);
}

/** Copies a file to its own place under the folder. */
function copyInto(folder: string, path: string): void {
  const target = join(folder, path);
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(realpathSync(path), target);
  chmodSync(target, 0o755);
}

/** What a Node that runs nothing else has loaded: the process that asks may have native modules besides. */
function sharedObjectsOf(program: string): readonly string[] {
  const script = "process.stdout.write(JSON.stringify(process.report.getReport().sharedObjects))";
  return JSON.parse(execFileSync(program, ["-e", script]).toString()) as readonly string[];
}

/** Makes the folder; true when symbols could be left out. */
export function makeBase(folder: string): boolean {
  const program = realpathSync(process.execPath);
  const node = join(folder, "usr/bin/node");
  mkdirSync(dirname(node), { recursive: true });
  const { status } = spawnSync("strip", ["-s", "-o", node, program]);
  if (status !== 0) copyFileSync(program, node);
  chmodSync(node, 0o755);
  for (const library of librariesOf(sharedObjectsOf(program), program)) copyInto(folder, library);
  mkdirSync(join(folder, "etc/weir/pipelines"), { recursive: true });
  for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
  mkdirSync(join(folder, "var/lib/weir"), { recursive: true });
  mkdirSync(join(folder, "tmp"), { recursive: true });
  chmodSync(join(folder, "tmp"), 0o1777);
  return status === 0;
}

if (import.meta.main) {
  const folder = process.argv[2];
  if (folder === undefined) throw new Error("usage: node deploy/base.ts FOLDER");
  makeBase(folder);
}
