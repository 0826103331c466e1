// The system that tests start virtual machines from, made of this machine's Node and the kernel that WEIR_TEST_KERNEL names; or why
// there is none.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const programs = ["qemu-system-x86_64", "cpio", "mke2fs", "busybox"];

/** A kernel's folder; empty: none. */
export const testKernel: string = process.env["WEIR_TEST_KERNEL"] ?? "";

/** Why no machine can be started here; null where some can. */
export function withoutMachines(): string | null {
  if (testKernel === "" || !existsSync(join(testKernel, "boot")))
    return "WEIR_TEST_KERNEL names no kernel: apt-get download linux-image-6.1.0-…-amd64, then dpkg -x";
  const absent = programs.filter((name) => spawnSync(name, ["--help"]).error !== undefined);
  if (absent.length === 0) return null;
  return `no ${absent.join(", ")}: apt-get install qemu-system-x86 cpio e2fsprogs busybox-static`;
}
