// Installs what some tests use beside weir itself, where the environment asks for it. Part of deploy/setup.mjs, and plain JavaScript
// as it is. Never fails: what is not there is skipped by name.

import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { programInPath } from "../runtime/connect/nats-server-search.mjs";

/** By the variable that asks for them: which tests, the programs that they run, and the packages that have those. */
const tools = {
  // What Podman needs to run workers with limits and a network, and to bring up a compose file.
  WEIR_SETUP_CONTAINERS: {
    tests: "tests with containers",
    programs: ["podman", "podman-compose"],
    packages: ["podman", "podman-compose", "runc", "netavark", "aardvark-dns", "iptables", "catatonit"],
  },
  // strace fails a system call of one's choice; libfaketime, which comes with faketime, gives a process another time.
  WEIR_SETUP_FAULTS: {
    tests: "faults that need strace and faketime",
    programs: ["strace", "faketime"],
    packages: ["strace", "faketime"],
  },
  WEIR_SETUP_MACHINES: {
    tests: "tests with virtual machines",
    programs: ["qemu-system-x86_64", "cpio", "mke2fs", "busybox"],
    packages: ["qemu-system-x86", "cpio", "e2fsprogs", "busybox-static"],
    kernel: true,
  },
};

/** Takes the newest general kernel of this system apart; the one for clouds lacks what shares folders. */
const fetchKernel = [
  "apt-get download -q \"$(apt-cache depends linux-image-amd64 | awk '/Depends: linux-image/ { print $2; exit }')\"",
  "dpkg -x linux-image-*.deb kernel",
  "rm linux-image-*.deb",
].join(" && ");

/** `folder` gets the kernel. Programs are looked for by `isThere`. */
export function prepareTestTools(
  env,
  { say, run },
  folder,
  user = process.getuid?.(),
  isThere = (name) => programInPath(name, env) !== null,
) {
  for (const [asked, { tests, programs, packages, kernel = false }] of Object.entries(tools)) {
    if (!env[asked]) continue;
    const missing = programs.filter((name) => !isThere(name));
    const needsKernel = kernel && !existsSync(join(folder, "kernel", "boot"));
    if (missing.length === 0 && !needsKernel) continue;
    if (user !== 0 || !isThere("apt-get")) {
      say(`${tests} will be skipped: only root, with apt-get, can install what they need`);
      continue;
    }
    say(`installing what ${tests} need from this system's packages with apt-get`);
    const options = { env: { ...env, DEBIAN_FRONTEND: "noninteractive" } };
    try {
      run("apt-get", ["update", "-q"], options);
      if (missing.length > 0)
        run("apt-get", ["install", "-y", "-q", "--no-install-recommends", ...packages], options);
      if (needsKernel) {
        mkdirSync(folder, { recursive: true });
        run("sh", ["-c", fetchKernel], { ...options, cwd: folder });
      }
    } catch (fault) {
      say(`${tests} will be skipped: ${fault.message}`);
    }
  }
}
