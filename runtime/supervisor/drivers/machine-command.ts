// The command line of QEMU for a worker's virtual machine, and what the system inside is told to run. Pure; starts nothing.

import { join } from "node:path";
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

/** The files of a system by their names in its folder. */
export function systemIn(folder: string): MachineSystem {
  return {
    kernel: join(folder, "kernel"),
    initial: join(folder, "initial.cpio"),
    root: join(folder, "root.img"),
  };
}

/** `kvm`: by the processor itself. `tcg`: emulated, which goes everywhere, and takes ten times as long and more. */
export type Accelerator = "kvm" | "tcg";

/** Which of them, by what the processors of this host can (`/proc/cpuinfo`). */
export function acceleratorOf(processors: string): Accelerator {
  return /^flags\b.*\b(vmx|svm)\b/m.test(processors) ? "kvm" : "tcg";
}

/** Where the files of one machine lie. */
export interface MachinePlaces {
  readonly folder: string;
  /** What was ordered, for whoever finds it later. */
  readonly order: string;
  /** A folder with what it is to run, and with files that it is given. */
  readonly given: string;
  readonly monitor: string;
  /** What the worker says. */
  readonly output: string;
  /** What its system says of it. */
  readonly report: string;
  /** Where its system listens for the word to end it. */
  readonly word: string;
  /** What QEMU itself says. */
  readonly log: string;
}

/** What a guest sees of this host: a folder as it is, shared by the name `tag`; a file as it was, by its name among those given. */
export interface Shared {
  readonly tag: string;
  readonly host: string;
  readonly inside: string;
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

/** The script that the system inside reads: what is shared, its user, bounds, environment, command. Those above come before those in them. */
export function ordersText(
  spec: WorkerSpec,
  user: string,
  { folders, files }: { readonly folders: readonly Shared[]; readonly files: readonly Shared[] },
): string {
  const pids = spec.limits.pids ?? limits.worker_pids_default;
  const variables = Object.entries(spec.environment).map(([name, value]) => quoted(`${name}=${value}`));
  return [
    `folders=${quoted(
      above(folders)
        .map(({ tag, inside, writable }) => `${tag}:${writable ? "rw" : "ro"}:${inside}`)
        .join(" "),
    )}`,
    `files=${quoted(files.map(({ tag, inside }) => `${tag}:${inside}`).join(" "))}`,
    `user=${quoted(user)}`,
    `pids=${pids}`,
    `tmp=${limits.worker_tmp_bytes}`,
    `run_worker() { exec env -i PATH=/usr/bin HOME=/tmp ${variables.join(" ")} "$@" ${spec.command.map(quoted).join(" ")}; }`,
    "",
  ].join("\n");
}

function above(folders: readonly Shared[]): readonly Shared[] {
  return [...folders].sort((a, b) => a.inside.split("/").length - b.inside.split("/").length);
}

function serial(id: string, index: number): string[] {
  return ["-device", `isa-serial,chardev=${id},index=${index}`];
}

/** A comma in a path would end it. */
function path(text: string): string {
  return text.replaceAll(",", ",,");
}

/** A folder of this host, of which the guest sees owners and rights as they are. */
function shareOptions({ tag, host, writable }: Omit<Shared, "inside">): string[] {
  const access = writable ? "" : ",readonly=on";
  return [
    "-fsdev",
    `local,id=${tag},path=${path(host)},security_model=none,multidevs=remap${access}`,
    "-device",
    `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`,
  ];
}

/** The arguments of qemu-system-x86_64. */
export function machineArguments(
  spec: WorkerSpec,
  id: string,
  { system, accelerator }: { readonly system: MachineSystem; readonly accelerator: Accelerator },
  places: MachinePlaces,
  folders: readonly Shared[],
): readonly string[] {
  const memory = Math.floor((spec.limits.memory_bytes ?? limits.machine_memory_bytes_default) / 1_048_576);
  const options = [
    // Not the smaller board: without a timer to compare with, its kernel does not start on a host that is busy.
    ["-M", "pc,usb=off,vmport=off", "-accel", accelerator, "-cpu", "max"],
    ["-m", String(memory), "-smp", String(Math.ceil(spec.limits.processors ?? 1))],
    ["-kernel", system.kernel, "-initrd", system.initial, "-append", kernelOptions],
    // Nothing that was not asked for, and an end instead of a second start.
    ["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-uuid", id],
    ["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"],
    ["-chardev", `file,id=output,append=on,path=${path(places.output)}`, ...serial("output", 0)],
    ["-chardev", `file,id=report,append=on,path=${path(places.report)}`, ...serial("report", 1)],
    ["-chardev", `socket,id=word,server=on,wait=off,path=${path(places.word)}`, ...serial("word", 2)],
    ["-qmp", `unix:${path(places.monitor)},server=on,wait=off`],
    ["-drive", `id=root,file=${path(system.root)},format=raw,if=none,readonly=on`],
    ["-device", "virtio-blk-pci,drive=root"],
    shareOptions({ tag: "orders", host: places.given, writable: false }),
    ...folders.map(shareOptions),
    // One door into it, which answers questions, at a port that is free; only this host can reach it.
    [
      "-netdev",
      `user,id=net,hostfwd=tcp:127.0.0.1:0-10.0.2.15:${limits.machine_door_port}`,
      "-device",
      "virtio-net-pci,netdev=net",
    ],
  ];
  return options.flat();
}
