// Finding a nats-server on this machine, and the lines that install one. Plain JavaScript, because
// deploy/setup.mjs needs it before anything is installed. Never starts, installs or downloads anything.

import { execFile } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** The image that a container engine runs when there is no binary. */
export const natsImage = "nats:2.12-alpine";

/** An engine without a running daemon may hang instead of failing. */
const engineAnswerMsMax = 5_000;

/** Debian puts it in sbin, which is not in every user's PATH; Homebrew has a prefix for each kind of machine. */
const folders = [
  "/usr/sbin",
  "/usr/bin",
  "/usr/local/bin",
  "/usr/local/sbin",
  "/opt/homebrew/bin",
  "/opt/homebrew/sbin",
  "/home/linuxbrew/.linuxbrew/bin",
];

/** Which command installs nats-server under which package manager. The first manager that is there wins. */
const installers = [
  { manager: "brew", line: "brew install nats-server" },
  {
    manager: "apt-get",
    line: "sudo apt-get update && sudo apt-get install -y --no-install-recommends nats-server",
  },
  { manager: "apk", line: "sudo apk add nats-server" },
  { manager: "pacman", line: "sudo pacman -S nats-server" },
  { manager: "choco", line: "choco install nats-server" },
];

const managersOf = {
  darwin: ["brew"],
  linux: ["apt-get", "apk", "pacman", "brew"],
  win32: ["choco"],
};

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The full path of a program in PATH; null when there is none. */
export function programInPath(name, env) {
  const names = process.platform === "win32" ? [`${name}.exe`, `${name}.cmd`] : [name];
  for (const folder of (env.PATH ?? "").split(delimiter)) {
    if (folder === "") continue;
    for (const each of names) {
      if (isProgram(join(folder, each))) return join(folder, each);
    }
  }
  return null;
}

/** The path of a nats-server binary; null when there is none. Throws when WEIR_NATS_SERVER names none. */
export function findNatsServerBinary(env) {
  const given = env.WEIR_NATS_SERVER;
  if (given) {
    if (isProgram(given)) return given;
    throw new Error(`WEIR_NATS_SERVER is ${JSON.stringify(given)}, which is not a program that can be run`);
  }
  const found = programInPath("nats-server", env);
  if (found !== null) return found;
  return folders.map((folder) => join(folder, "nats-server")).find(isProgram) ?? null;
}

function answers(program, env) {
  return new Promise((resolve) => {
    execFile(program, ["info"], { timeout: engineAnswerMsMax, env }, (error) => resolve(error === null));
  });
}

/** The path of a container engine that answers, Docker before Podman; null when there is none. */
export async function findContainerEngine(env) {
  for (const name of ["docker", "podman"]) {
    const program = programInPath(name, env);
    if (program !== null && (await answers(program, env))) return program;
  }
  return null;
}

/** The lines that give a system a nats-server: one for each manager that may be there, then what works anywhere. */
export function installLines(platform, isThere = () => true) {
  const managers = managersOf[platform] ?? [];
  const possible = installers.filter(({ manager }) => managers.includes(manager));
  const there = possible.filter(({ manager }) => isThere(manager));
  // Better all that might do than none.
  const lines = (there.length > 0 ? there : possible).map(({ line }) => line);
  return [...lines, `docker pull ${natsImage}   (a running Docker or Podman is enough)`];
}
