#!/usr/bin/env node
// Starts the command line on the Node that weir is pinned to, whatever Node is first in the PATH. Plain
// JavaScript, because an older Node has to read it. Does nothing else.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const wanted = 24;
const main = fileURLToPath(new URL("./main.ts", import.meta.url));
const pinned = fileURLToPath(new URL("../../node_modules/node/bin/node", import.meta.url));

if (Number(process.versions.node.split(".")[0]) >= wanted) {
  await import("./main.ts");
} else if (existsSync(pinned)) {
  const { status, signal } = spawnSync(pinned, [main, ...process.argv.slice(2)], { stdio: "inherit" });
  if (signal !== null) process.kill(process.pid, signal);
  process.exit(status ?? 1);
} else {
  process.stderr.write(
    `weir needs Node ${wanted}; this is ${process.version}\n  to set it up: npm run setup\n`,
  );
  process.exit(1);
}
