// Makes this folder ready to run, and runs a command in it: dependencies, the pinned Node, the compiled
// kernel, a nats-server. Plain JavaScript for Node 20 or later with nothing installed. Does only what is
// missing, says what takes long, and never fetches a program that the lock file or the system's own package
// manager does not name.
//
//     node deploy/setup.mjs [--quiet] [--caller] [-- command arguments…]
//
// With --caller the command is node and a program of this folder, and runs in the folder where npm was called, so that the
// files it is given are found from there.

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  findContainerEngine,
  findNatsServerBinary,
  installLines,
  programInPath,
} from "../runtime/connect/nats-server-search.mjs";
import { prepareTestTools } from "./setup-tests.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, "node_modules");
const stampFile = join(modules, ".weir-lock-sha256");
const lockFolder = join(root, ".weir", "setup.lock");
const exitMissing = 2;
const lockWaitMs = 200;
const lockWaitMsMax = 900_000;

/** A failure that says what to do; anything else that is thrown is a fault of this file. */
class SetupError extends Error {
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

function parseArguments(list) {
  const end = list.indexOf("--");
  const options = end < 0 ? list : list.slice(0, end);
  const unknown = options.find((option) => option !== "--quiet" && option !== "--caller");
  if (unknown !== undefined) {
    throw new SetupError(
      `unknown option ${unknown}\nUsage: node deploy/setup.mjs [--quiet] [--caller] [-- command arguments…]`,
      64,
    );
  }
  const command = end < 0 ? [] : list.slice(end + 1);
  return { quiet: options.includes("--quiet"), ...placeOf(command, options.includes("--caller")) };
}

/** Where a command runs: here, or where npm was called. npm itself goes into this folder and keeps that one in INIT_CWD. */
function placeOf(command, byCaller) {
  if (!byCaller) return { command, folder: process.cwd() };
  const [node, program, ...rest] = command;
  return {
    command: [node, join(root, program), ...rest],
    folder: process.env.INIT_CWD ?? process.cwd(),
  };
}

const { say, run } = (() => {
  let quiet = false;
  return {
    /** What is done is always said: some of it takes a minute. Quiet are the programs that do it. */
    say: Object.assign((message) => void process.stderr.write(`set-up: ${message}\n`), {
      setQuiet: (value) => (quiet = value),
    }),
    /** Runs a program to its end; its output is shown at once, or when it fails. */
    run(program, parameters, options = {}) {
      const result = spawnSync(program, parameters, {
        cwd: root,
        stdio: quiet ? ["ignore", "pipe", "pipe"] : ["ignore", 2, 2],
        // npm is a script there, which only a shell runs.
        shell: process.platform === "win32",
        ...options,
      });
      if (result.status === 0) return;
      const output = quiet ? `\n${String(result.stdout ?? "")}${String(result.stderr ?? "")}` : "";
      const reason = result.error?.message ?? `it ended with ${result.status ?? result.signal}`;
      throw new SetupError(`${program} ${parameters.join(" ")} failed: ${reason}${output}`);
    },
  };
})();

function pause(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (fault) {
    return fault.code === "EPERM";
  }
}

/** True once whoever held the lock is gone without having released it. */
function isAbandoned() {
  try {
    return !isAlive(Number(readFileSync(join(lockFolder, "pid"), "utf8")));
  } catch {
    // Being made or being removed this moment.
    return false;
  }
}

/** Two set-ups at once wait for each other: making a folder is the one thing that only one of them can do. */
function withLock(task) {
  mkdirSync(dirname(lockFolder), { recursive: true });
  let waited = 0;
  for (;;) {
    try {
      mkdirSync(lockFolder);
      break;
    } catch (fault) {
      if (fault.code !== "EEXIST") throw fault;
    }
    if (isAbandoned()) rmSync(lockFolder, { recursive: true, force: true });
    if (waited === 0) say("another set-up is running here; waiting for it");
    if (waited > lockWaitMsMax) {
      throw new SetupError(`another set-up does not end; remove ${lockFolder} if there is none`);
    }
    pause(lockWaitMs);
    waited += lockWaitMs;
  }
  writeFileSync(join(lockFolder, "pid"), String(process.pid));
  const release = () => rmSync(lockFolder, { recursive: true, force: true });
  process.once("exit", release);
  return task().finally(release);
}

function readJson(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}

/** True when what npm noted as installed is what the lock file asks for. */
function matchesLock() {
  const noted = join(modules, ".package-lock.json");
  if (!existsSync(noted)) return false;
  const installed = readJson(noted).packages;
  const wanted = readJson(join(root, "package-lock.json")).packages;
  return Object.entries(wanted).every(
    ([path, entry]) => path === "" || entry.optional === true || installed[path]?.version === entry.version,
  );
}

/**
 * The npm command that installs what the lock file names. `npm ci` refuses a lock file that was made where
 * the packages for other systems could not be seen; `npm install` takes the same versions from it, with
 * their checksums, and finds this system's.
 */
function installCommand() {
  const { packages } = readJson(join(root, "package-lock.json"));
  const paths = Object.keys(packages);
  const optional = Object.values(packages).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}));
  const isComplete = optional.every((name) => paths.some((path) => path.endsWith(`node_modules/${name}`)));
  return isComplete ? ["ci"] : ["install", "--no-save"];
}

function installDependencies() {
  const hash = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === hash) return;
  if (matchesLock()) {
    // Somebody else installed them.
    writeFileSync(stampFile, hash);
    return;
  }
  const npm = programInPath("npm", process.env);
  if (npm === null) {
    throw new SetupError(
      "npm is not in PATH; it comes with Node: https://nodejs.org or your package manager",
      exitMissing,
    );
  }
  const command = installCommand();
  say(`installing the dependencies of package-lock.json with npm ${command[0]} (a minute or so, once)`);
  run(npm, [...command, "--no-audit", "--no-fund"]);
  writeFileSync(stampFile, hash);
}

/** The version that a Node binary says it is; null when it does not run. */
function versionOf(node) {
  if (!existsSync(node)) return null;
  const result = spawnSync(node, ["--version"], { encoding: "utf8" });
  return result.status === 0 ? result.stdout.trim().slice(1) : null;
}

/** Makes sure that the Node of package.json is there; npm 12 leaves out the install script that fetches it. */
function preparePinnedNode() {
  const wanted = readJson(join(root, "package.json")).devDependencies.node;
  const binary = join(modules, "node", "bin", process.platform === "win32" ? "node.exe" : "node");
  if (versionOf(binary) === wanted) return binary;
  const system = process.platform === "win32" ? "win" : process.platform;
  const prefix = process.platform === "darwin" && process.arch === "arm64" ? "node-bin" : "node";
  const name = `${prefix}-${system}-${process.arch}`;
  const places = [join(modules, name), join(modules, "node", "node_modules", name)].map((folder) =>
    join(folder, "bin", "node"),
  );
  const find = () => [binary, ...places].find((place) => versionOf(place) === wanted);
  if (find() === undefined) {
    say(`installing Node ${wanted}, the version that package.json pins`);
    run(process.execPath, ["installArchSpecificPackage"], { cwd: join(modules, "node") });
  }
  const found = find();
  if (found === undefined) {
    throw new SetupError(
      `Node ${wanted} could not be installed as a dependency; run: npm install --no-save ${name}@${wanted}`,
      exitMissing,
    );
  }
  if (found !== binary) {
    mkdirSync(dirname(binary), { recursive: true });
    rmSync(binary, { force: true });
    symlinkSync(found, binary);
  }
  return binary;
}

function buildKernel(node) {
  const script = join(root, "runtime", "codec", "kernel", "build.mjs");
  if (!existsSync(script)) return;
  if (!existsSync(join(root, "build", "kernel.wasm"))) say("compiling the decoding kernel");
  // It does nothing when its sources are those that it compiled last.
  run(node, [script]);
}

async function prepareNatsServer() {
  if (process.env.WEIR_NATS_URL) return;
  if (findNatsServerBinary(process.env) !== null) return;
  const isThere = (manager) => programInPath(manager, process.env) !== null;
  if (process.getuid?.() === 0 && isThere("apt-get")) {
    say("installing nats-server from this system's packages with apt-get");
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    try {
      run("apt-get", ["update", "-q"], { env });
      run("apt-get", ["install", "-y", "-q", "--no-install-recommends", "nats-server"], { env });
      return;
    } catch (fault) {
      say(fault.message);
    }
  }
  const engine = await findContainerEngine(process.env);
  if (engine !== null) {
    say(`no nats-server here; ${engine} will run it as a container`);
    return;
  }
  const lines = installLines(process.platform, isThere).map((line) => `    ${line}`);
  throw new SetupError(
    [
      "no nats-server on this machine. Install one:",
      ...lines,
      "or set WEIR_NATS_URL to one that runs already, then start again.",
    ].join("\n"),
    exitMissing,
  );
}

/** Runs the command with the pinned Node first in PATH, hands signals on, and ends as it ends. */
function runCommand(node, [program, ...parameters], cwd) {
  const path = [dirname(node), join(modules, ".bin"), process.env.PATH ?? ""].join(delimiter);
  const child = spawn(program, parameters, { cwd, stdio: "inherit", env: { ...process.env, PATH: path } });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]) {
    // From a terminal the child gets SIGINT and SIGQUIT itself; to be alive still is all that is needed then.
    process.on(signal, () => {
      if (!(process.stdin.isTTY && (signal === "SIGINT" || signal === "SIGQUIT"))) child.kill(signal);
    });
  }
  child.on("error", (fault) => {
    process.stderr.write(`set-up: cannot run ${program}: ${fault.message}\n`);
    process.exitCode = 127;
  });
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
  });
}

async function main() {
  const { quiet, command, folder } = parseArguments(process.argv.slice(2));
  say.setQuiet(quiet);
  if (Number(process.versions.node.split(".")[0]) < 20) {
    throw new SetupError(
      `Node 20 or later is needed to begin, this is ${process.versions.node}`,
      exitMissing,
    );
  }
  const node = await withLock(async () => {
    installDependencies();
    const pinned = preparePinnedNode();
    buildKernel(pinned);
    await prepareNatsServer();
    prepareTestTools(process.env, { say, run }, join(root, "build"));
    return pinned;
  });
  if (command.length === 0) say("ready");
  else runCommand(node, command, folder);
}

main().catch((fault) => {
  if (!(fault instanceof SetupError)) throw fault;
  process.stderr.write(`set-up: ${fault.message}\n`);
  process.exitCode = fault.exitCode;
});
