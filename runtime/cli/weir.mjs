#!/usr/bin/env node
// Starts the command line on the Node that weir is pinned to, whatever Node is first in the PATH. Plain
// JavaScript, because an older Node has to read it. Does nothing else.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const wanted = 24;

/** Where the user's programs keep what they can do without; null where there is no such folder. */
function cacheFolder({ XDG_CACHE_HOME, HOME }) {
  if (XDG_CACHE_HOME) return join(XDG_CACHE_HOME, "weir");
  return HOME ? join(HOME, ".cache", "weir") : null;
}

/** Starts the same with the pinned Node. */
function startPinned() {
  const pinned = fileURLToPath(new URL("../../node_modules/node/bin/node", import.meta.url));
  if (!existsSync(pinned)) {
    process.stderr.write(
      `weir needs Node ${wanted}; this is ${process.version}\n  its source folder installs one with: npm run setup\n`,
    );
    process.exit(1);
  }
  const program = fileURLToPath(import.meta.url);
  const { status, signal } = spawnSync(pinned, [program, ...process.argv.slice(2)], { stdio: "inherit" });
  if (signal !== null) process.kill(process.pid, signal);
  process.exit(status ?? 1);
}

if (Number(process.versions.node.split(".")[0]) < wanted) startPinned();
// With compiled code kept, commands start from the sources in half the time: lint in 0.34 s instead of 0.62 s.
const folder = cacheFolder(process.env);
if (folder !== null) module.enableCompileCache(folder);
await import("./main.ts");
