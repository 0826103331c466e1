// Where an engine's socket is looked for, and what is said where there is none.

import { expect, it } from "vitest";
import { findEngineSocket, socketPlaces } from "./engine-socket.ts";

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
