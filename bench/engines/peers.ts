// The peers that npm provides. They are far larger than weir and only the benchmark wants them, so they have a
// package file of their own and are installed beside the streams when they are first needed.

import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

const declared: URL = new URL("../peers/", import.meta.url);
const installed: URL = new URL("../../.weir/bench/peers/", import.meta.url);
const files = ["package.json", "package-lock.json"] as const;
const { resolve } = createRequire(new URL(files[0], installed));

/** Why a package cannot be used here, or null. */
export function peerMissing(name: string): string | null {
  try {
    resolve(name);
    return null;
  } catch {
    return `${name} is not installed`;
  }
}

export async function importPeer<M>(name: string): Promise<M> {
  return (await import(pathToFileURL(resolve(name)).href)) as M;
}

/** Installs the peers if they are not there; says so, as it takes a while. What cannot be had is reported as missing later. */
export function installPeers(say: (text: string) => void): void {
  if (existsSync(new URL("node_modules/.package-lock.json", installed))) return;
  say("installing the engines to compare with, once: about 190 MB");
  mkdirSync(installed, { recursive: true });
  for (const file of files) copyFileSync(new URL(file, declared), new URL(file, installed));
  const { status, stderr } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: fileURLToPath(installed),
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  if (status !== 0) say(`they could not be installed; those of npm are left out\n${stderr}`);
}
