// Installs a container engine for the tests that want a real one, where WEIR_SETUP_CONTAINERS asks for it. Part of
// deploy/setup.mjs, and plain JavaScript as it is. Never fails: without an engine those tests are skipped by name.

import { programInPath } from "../runtime/connect/nats-server-search.mjs";

/** What Podman needs to run workers with limits and a network, and to bring up a compose file. */
const enginePackages = [
  "podman",
  "podman-compose",
  "runc",
  "netavark",
  "aardvark-dns",
  "iptables",
  "catatonit",
];

/** What is to be done: nothing, to install, or to do without, and why. */
export function engineDecision(env, user, isThere) {
  if (!env.WEIR_SETUP_CONTAINERS) return { action: "nothing", why: "nobody asked for containers" };
  if (isThere("podman") && isThere("podman-compose")) return { action: "nothing", why: "podman is there" };
  if (user !== 0) return { action: "without", why: "only root can install one" };
  if (!isThere("apt-get")) return { action: "without", why: "there is no apt-get here" };
  return { action: "install", why: "there is none here" };
}

export function prepareContainers(
  env,
  { say, run },
  user = process.getuid?.(),
  isThere = (name) => programInPath(name, env) !== null,
) {
  const { action, why } = engineDecision(env, user, isThere);
  if (action === "without") say(`tests with containers will be skipped: ${why}`);
  if (action !== "install") return;
  say("installing a container engine for tests from this system's packages with apt-get");
  const options = { env: { ...env, DEBIAN_FRONTEND: "noninteractive" } };
  try {
    run("apt-get", ["update", "-q"], options);
    run("apt-get", ["install", "-y", "-q", "--no-install-recommends", ...enginePackages], options);
  } catch (fault) {
    say(`tests with containers will be skipped: ${fault.message}`);
  }
}
