// Where an engine's socket is looked for, and what is said where there is none.

import { expect, it } from "vitest";
import { findEngineSocket, reachesEngine, socketPlaces } from "./engine-socket.ts";

it("is the one that is named, and no other", () => {
  expect(socketPlaces({ DOCKER_HOST: "unix:///a.sock" }, 0)).toEqual(["/a.sock"]);
  expect(socketPlaces({ DOCKER_HOST: "", CONTAINER_HOST: "unix:///b.sock" }, 0)).toEqual(["/b.sock"]);
});

it("is no engine of another host", () => {
  expect(() => socketPlaces({ DOCKER_HOST: "tcp://10.0.0.1:2375" }, 0)).toThrow("is no socket file");
});

it("is root's first for root, and the user's own first for a user", () => {
  expect(socketPlaces({}, 0)[0]).toBe("/run/podman/podman.sock");
  expect(socketPlaces({ XDG_RUNTIME_DIR: "/run/user/7" }, 1000)[0]).toBe("/run/user/7/podman/podman.sock");
  expect(socketPlaces({}, 1000)[0]).toBe("/run/user/1000/podman/podman.sock");
});

it("is missing: where it was looked for, and how to get one", () => {
  expect(() => findEngineSocket({ DOCKER_HOST: "unix:///nowhere/engine.sock" }, 0)).toThrow(
    expect.objectContaining({
      message: "no container engine: looked for /nowhere/engine.sock",
      remedy: expect.stringContaining("apt-get install podman"),
    }),
  );
});

it.each<readonly [string, boolean]>([
  // Sockets, as they are usually called and wherever they lie.
  ["/run/docker.sock", true],
  ["/var/run/docker.sock", true],
  ["/run/podman/podman.sock", true],
  ["/run/user/1000/podman/podman.sock", true],
  ["/run/user/1000/docker.sock", true],
  ["/run/containerd/containerd.sock", true],
  ["/run/k3s/containerd/containerd.sock", true],
  ["/run/crio/crio.sock", true],
  ["/run/engine.sock", true],
  ["/home/ada/.docker/run/docker.sock", true],
  ["/tmp/weir-podman-1/podman.sock", true],
  // Folders that one lies in, at any depth.
  ["/run/podman", true],
  ["/run/podman/", true],
  ["/var/run/podman", true],
  ["/run/user/1000/podman", true],
  ["/run/user/1000", true],
  ["/run/user", true],
  ["/run/k3s", true],
  ["/run", true],
  ["/var/run", true],
  ["/var", true],
  ["/", true],
  // The one that the supervisor speaks to.
  ["/srv/weir/engine", true],
  ["/srv/weir/engine/own.sock", true],
  ["/srv", true],
  // What workers are given, and what only begins alike.
  ["/var/lib/weir/data", false],
  ["/var/lib/weir/run", false],
  ["/var/lib", false],
  ["/run/weir", false],
  ["/run/podman-logs", false],
  ["/run/user/1000/weir-1000", false],
  ["/srv/weir/data", false],
  ["/srv/weir/engine/other.sock", false],
  ["/etc/weir/pipelines", false],
])("%s hands an engine on: %s", (path, isReached) => {
  expect(reachesEngine(path, ["/srv/weir/engine/own.sock"])).toBe(isReached);
});
