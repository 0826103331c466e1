// Makes build/machine: the system that workers in virtual machines start from, out of what this machine has and a
// kernel's folder (boot/ and lib/modules/, as a Debian package of a kernel holds them). Linux, with cpio, mke2fs and a
// static busybox. Never downloads.
//
//     npm run machine -- KERNEL-FOLDER

import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { messageOf } from "../runtime/errors.ts";
import { makeBase } from "./base.ts";

const root = join(import.meta.dirname, "..");
const work = join(root, "build", "machine");
const busybox = "/bin/busybox";

/** What a guest needs of a kernel: its disk, what is shared with it, a root that can be laid over, the network. */
const modules = [
  "virtio_pci",
  "virtio_blk",
  "crc32c_generic",
  "ext4",
  "overlay",
  "9pnet_virtio",
  "9p",
  "virtio_net",
];

/** What `weir supervise --machine` looks for. */
const machineFiles = ["kernel", "initial.cpio", "root.img"];

/** Megabytes of the root disk beyond what is in it. */
const spareMegabytes = 16;

/** The files of modules, each behind those that it needs; what is built into the kernel has none. */
function moduleFiles(kernel: string): readonly string[] {
  const folder = join(kernel, "lib/modules");
  const all = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const list = all.find((path) => path.endsWith("/modules.builtin"));
  const builtIn = list === undefined ? "" : readFileSync(join(folder, list), "utf8");
  const files = new Set<string>();
  const add = (name: string): void => {
    const found = all.find((path) => path.endsWith(`/${name}.ko`));
    if (found === undefined) {
      if (builtIn.includes(`/${name}.ko`)) return;
      throw new Error(
        `the kernel in ${kernel} has no module ${name}; a general one has, one for clouds may not`,
      );
    }
    const file = join(folder, found);
    const needs = /\0depends=([\w,-]*)\0/.exec(readFileSync(file, "latin1"))?.[1] ?? "";
    for (const each of needs.split(",").filter((need) => need !== "")) add(each);
    files.add(file);
  };
  for (const name of modules) add(name);
  return [...files];
}

/** The first file system: busybox, the modules that find the disks, and what runs first. */
function makeInitial(kernel: string, scratch: string, output: string): void {
  const folder = join(scratch, "initial");
  for (const each of ["bin", "modules", "dev"]) mkdirSync(join(folder, each), { recursive: true });
  copyFileSync(busybox, join(folder, "bin/busybox"));
  cpSync(join(import.meta.dirname, "machine-init.sh"), join(folder, "init"));
  const files = moduleFiles(kernel);
  for (const file of files) copyFileSync(file, join(folder, "modules", basename(file)));
  writeFileSync(join(folder, "modules/order"), files.map((file) => `${basename(file)}\n`).join(""));
  execFileSync("chmod", ["0755", join(folder, "init"), join(folder, "bin/busybox")]);
  const list = execFileSync("find", ["."], { cwd: folder });
  const packed = execFileSync("cpio", ["--quiet", "-o", "-H", "newc"], {
    cwd: folder,
    input: list,
    maxBuffer: 1e9,
  });
  writeFileSync(output, packed);
}

/** The root disk: the image's base, weir, and the places of what is mounted. */
function makeRoot(program: string, scratch: string, output: string): void {
  const folder = join(scratch, "root");
  makeBase(folder);
  cpSync(program, join(folder, "weir"), { recursive: true });
  for (const each of ["proc", "dev", "usr/lib/weir", "run"])
    mkdirSync(join(folder, each), { recursive: true });
  copyFileSync(busybox, join(folder, "usr/lib/weir/busybox"));
  writeFileSync(join(folder, "etc/hosts"), "127.0.0.1 localhost\n");
  // QEMU answers to names there.
  writeFileSync(join(folder, "etc/resolv.conf"), "nameserver 10.0.2.3\n");
  const kilobytes = Number(execFileSync("du", ["-sk", folder], { encoding: "utf8" }).split("\t")[0]);
  const size = `${Math.ceil(kilobytes / 1024) + spareMegabytes}M`;
  execFileSync("mke2fs", ["-q", "-t", "ext4", "-m", "0", "-d", folder, output, size]);
}

/** Makes the system in `output`; `program` is the folder that is /weir inside. */
export function makeMachine(kernel: string, program: string, output: string): void {
  mkdirSync(output, { recursive: true });
  const scratch = mkdtempSync(join(output, "making-"));
  try {
    const image = readdirSync(join(kernel, "boot")).find((name) => name.startsWith("vmlinuz"));
    if (image === undefined) throw new Error(`there is no boot/vmlinuz in ${kernel}`);
    copyFileSync(join(kernel, "boot", image), join(scratch, "kernel"));
    makeInitial(kernel, scratch, join(scratch, "initial.cpio"));
    makeRoot(program, scratch, join(scratch, "root.img"));
    for (const file of machineFiles) renameSync(join(scratch, file), join(output, file));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const kernel = process.argv[2];
  try {
    if (kernel === undefined) throw new Error("usage: npm run machine -- KERNEL-FOLDER");
    const bundle = join(root, "build", "bundle");
    execFileSync(process.execPath, [join(import.meta.dirname, "bundle.ts"), bundle]);
    makeMachine(kernel, bundle, work);
    process.stdout.write(`made ${work}, for weir supervise --driver vm --machine ${work}\n`);
  } catch (error) {
    process.stderr.write(`machine: ${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}
