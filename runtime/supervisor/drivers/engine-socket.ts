// Where the socket file of a container engine may lie: as named, then in the places of Docker and Podman, run by
// root or by a user; and which folders would hand one on. Looks, and never opens one.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { WeirError } from "../../errors.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const remedy =
  "install Podman (apt-get install podman) or Docker and start its socket (systemctl enable --now podman.socket), or name it in DOCKER_HOST (unix:///…)";

/** The places to look at, the likeliest first. One that is named is the only one. */
export function socketPlaces(env: Environment, user: number): readonly string[] {
  const named = [env["DOCKER_HOST"], env["CONTAINER_HOST"]].find(
    (value) => value !== undefined && value !== "",
  );
  if (named !== undefined) {
    if (named.startsWith("unix://")) return [named.slice("unix://".length)];
    throw new WeirError("WEIR_CONTAINER_ENGINE", `${named} is no socket file`, {
      remedy: "weir speaks to an engine of its own host only: name one as unix:///…",
    });
  }
  const users = env["XDG_RUNTIME_DIR"] ?? `/run/user/${user}`;
  const own = [join(users, "podman/podman.sock"), join(users, "docker.sock")];
  const roots = ["/run/podman/podman.sock", "/run/docker.sock", "/var/run/docker.sock"];
  // An engine of the user's own has no more rights than the user.
  return user === 0 ? [...roots, ...own] : [...own, ...roots];
}

/** Where engines have theirs, in /run or what is the same, /var/run; * is any name. */
const usual: readonly (readonly string[])[] = [
  "docker.sock",
  "podman/podman.sock",
  "user/*/docker.sock",
  "user/*/podman/podman.sock",
  "containerd/containerd.sock",
  "docker/containerd/containerd.sock",
  "k3s/containerd/containerd.sock",
  "crio/crio.sock",
  // As weir's own units mount it into a supervisor.
  "engine.sock",
].flatMap((place) => [`/run/${place}`, `/var/run/${place}`].map(partsOf));

/** By its name an engine's, wherever it lies. */
const byName = /\/(docker|podman|containerd|crio)(\/[^/]+)*\.sock$/;

function partsOf(path: string): readonly string[] {
  return path.split("/").filter((part) => part !== "");
}

/** True for a path that is an engine's socket or lies above one: whoever may write to it is root on this host. `own`: further sockets. */
export function reachesEngine(path: string, own: readonly string[]): boolean {
  const parts = partsOf(path);
  const leadsTo = (socket: readonly string[]): boolean =>
    parts.every((part, place) => socket[place] === part || socket[place] === "*");
  return byName.test(path) || [...usual, ...own.map(partsOf)].some(leadsTo);
}

/** The first of them that is there. */
export function findEngineSocket(env: Environment, user: number): string {
  const places = socketPlaces(env, user);
  const found = places.find((place) => existsSync(place));
  if (found !== undefined) return found;
  throw new WeirError("WEIR_CONTAINER_ENGINE", `no container engine: looked for ${places.join(", ")}`, {
    remedy,
  });
}
