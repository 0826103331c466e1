// Installs what fault runs use beside signals and files, where WEIR_SETUP_FAULTS asks for it. Part of deploy/setup.mjs, and
// plain JavaScript as it is. Never fails: what is not there is skipped by name.

import { programInPath } from "../runtime/connect/nats-server-search.mjs";

/** strace fails a system call of one's choice; libfaketime, which comes with faketime, gives a process another time. */
const packages = ["strace", "faketime"];

export function prepareFaultTools(
  env,
  { say, run },
  user = process.getuid?.(),
  isThere = (name) => programInPath(name, env) !== null,
) {
  if (!env.WEIR_SETUP_FAULTS) return;
  const missing = packages.filter((name) => !isThere(name));
  if (missing.length === 0) return;
  if (user !== 0 || !isThere("apt-get")) {
    say(
      `faults that need ${missing.join(" and ")} will be skipped: only root, with apt-get, can install them`,
    );
    return;
  }
  say(`installing ${missing.join(" and ")} for fault runs from this system's packages with apt-get`);
  const options = { env: { ...env, DEBIAN_FRONTEND: "noninteractive" } };
  try {
    run("apt-get", ["update", "-q"], options);
    run("apt-get", ["install", "-y", "-q", "--no-install-recommends", ...missing], options);
  } catch (fault) {
    say(`faults that need ${missing.join(" and ")} will be skipped: ${fault.message}`);
  }
}
