// The command line of QEMU for a worker's virtual machine, and what the system inside is told to run. Pure; starts nothing.

import { WeirError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { WorkerSpec } from "../driver.ts";
import { checkSpec } from "./worker-name.ts";

/** A system to start machines from: what `npm run machine` makes. */
export interface MachineSystem {
  readonly kernel: string;
  /** The first file system, which brings up the rest. */
  readonly initial: string;
  /** The disk with Node and weir; never written to. */
  readonly root: string;
}

/** Where the files of one machine lie. */
export interface MachinePlaces {
  /** What was ordered, for whoever finds it later. */
  readonly order: string;
  /** A disk with what it is to run. */
  readonly orders: string;
  readonly monitor: string;
  /** What the worker says. */
  readonly output: string;
  /** What its system says of it. */
  readonly report: string;
  /** Where its system listens for the word to end it. */
  readonly word: string;
}

export interface MachineDisk {
  readonly file: string;
  readonly name: string;
  readonly writable: boolean;
}

/** As little noise as can be: what a kernel says would stand among what the worker says. */
const kernelOptions =
  "console=ttyS0 quiet loglevel=0 panic=-1 edd=off mitigations=off random.trust_cpu=1 tsc=unstable rdinit=/init";

function refused(spec: WorkerSpec, what: string, remedy: string): WeirError {
  return new WeirError("WEIR_WORKER_REFUSED", `worker ${JSON.stringify(spec.name)}: ${what}`, { remedy });
}

/** Refuses a worker that no machine can be made for. */
export function checkMachine(spec: WorkerSpec): void {
  checkSpec(spec);
  const { memory_bytes, processors } = spec.limits;
  const least = limits.machine_memory_bytes_min;
  if (memory_bytes !== undefined && !(memory_bytes >= least)) {
    throw refused(
      spec,
      `memory of ${memory_bytes} bytes`,
      `give it ${least} at least: its system needs some of it`,
    );
  }
  if (processors !== undefined && !(processors > 0 && processors <= limits.machine_processors_max)) {
    throw refused(spec, `${processors} processors`, `give it up to ${limits.machine_processors_max}`);
  }
  if (spec.folders.length > limits.machine_folders_max) {
    throw refused(spec, `${spec.folders.length} folders`, `give it ${limits.machine_folders_max} at most`);
  }
  for (const { inside } of spec.folders) {
    if (!/^(\/[\w.-]+)+$/.test(inside) || inside.split("/").includes("..")) {
      throw refused(
        spec,
        `the folder ${JSON.stringify(inside)}`,
        "name it by an absolute path of plain words",
      );
    }
  }
  const names = Object.keys(spec.environment).filter((name) => !/^[A-Za-z_]\w*$/.test(name));
  if (names.length > 0)
    throw refused(spec, `the variable ${JSON.stringify(names[0])}`, "name it by letters, digits, _");
}

/** A text as one word of a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The script that the system inside reads: folders by the names of their disks, bounds, environment, command. */
export function ordersText(
  spec: WorkerSpec,
  folders: readonly { readonly disk: string; readonly inside: string }[],
): string {
  const pids = spec.limits.pids ?? limits.worker_pids_default;
  const variables = Object.entries(spec.environment).map(([name, value]) => quoted(`${name}=${value}`));
  return [
    `folders=${quoted(folders.map(({ disk, inside }) => `${disk}:${inside}`).join(" "))}`,
    `pids=${pids}`,
    `tmp=${limits.worker_tmp_bytes}`,
    `run_worker() { exec env -i PATH=/usr/bin HOME=/tmp ${variables.join(" ")} "$@" ${spec.command.map(quoted).join(" ")}; }`,
    "",
  ].join("\n");
}

function serial(id: string, index: number): string[] {
  return ["-device", `isa-serial,chardev=${id},index=${index}`];
}

/** A comma in a path would end it. */
function path(text: string): string {
  return text.replaceAll(",", ",,");
}

/** The arguments of qemu-system-x86_64. */
export function machineArguments(
  spec: WorkerSpec,
  id: string,
  system: MachineSystem,
  places: MachinePlaces,
  folders: readonly MachineDisk[],
): readonly string[] {
  const memory = Math.floor((spec.limits.memory_bytes ?? limits.machine_memory_bytes_default) / 1_048_576);
  const disks: readonly MachineDisk[] = [
    { file: system.root, name: "root", writable: false },
    { file: places.orders, name: "orders", writable: false },
    ...folders,
  ];
  const options = [
    // Not the smaller board: without a timer to compare with, its kernel does not start on a host that is busy.
    ["-M", "pc,usb=off,vmport=off", "-accel", "tcg", "-cpu", "max"],
    ["-m", String(memory), "-smp", String(Math.ceil(spec.limits.processors ?? 1))],
    ["-kernel", system.kernel, "-initrd", system.initial, "-append", kernelOptions],
    // Nothing that was not asked for, and an end instead of a second start.
    ["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-uuid", id],
    ["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"],
    ["-chardev", `file,id=output,append=on,path=${path(places.output)}`, ...serial("output", 0)],
    ["-chardev", `file,id=report,append=on,path=${path(places.report)}`, ...serial("report", 1)],
    ["-chardev", `socket,id=word,server=on,wait=off,path=${path(places.word)}`, ...serial("word", 2)],
    ["-qmp", `unix:${path(places.monitor)},server=on,wait=off`],
    ...disks.map(({ file, name, writable }) => [
      "-drive",
      `id=${name},file=${path(file)},format=raw,if=none,readonly=${writable ? "off" : "on"}`,
      "-device",
      `virtio-blk-pci,drive=${name},serial=${name}`,
    ]),
    // From inside, this host is 10.0.2.2; from outside, nothing reaches in.
    ["-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net"],
  ];
  return options.flat();
}
