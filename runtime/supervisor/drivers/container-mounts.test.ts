// Where on the host a path of a supervisor in a container is.

import { describe, expect, it } from "vitest";
import type { WorkerSpec } from "../driver.ts";
import { placeOnHost, specOnHost } from "./container-mounts.ts";

const mounts = [
  { Source: "/volumes/state/_data", Destination: "/var/lib/weir" },
  { Source: "/home/me/site/pipelines/", Destination: "/etc/weir/pipelines/" },
  { Source: "/home/me/special", Destination: "/etc/weir/pipelines/special" },
];

describe("the place on the host", () => {
  it.each([
    ["/var/lib/weir", "/volumes/state/_data"],
    ["/var/lib/weir/data/a", "/volumes/state/_data/data/a"],
    ["/var/lib/weirdo", null],
    ["/etc/weir/pipelines", null],
    ["/etc/weir/pipelines/a.yaml", "/home/me/site/pipelines/a.yaml"],
    ["/etc/weir/pipelines/special/b.yaml", "/home/me/special/b.yaml"],
    ["/tmp", null],
  ])("of %s is %s", (path, place) => {
    expect(placeOnHost(path, mounts)).toBe(place);
  });

  it("is what workers are given, and what has none is refused", () => {
    const at = (host: string): WorkerSpec => ({
      name: "w",
      revision: "r",
      command: [],
      environment: {},
      folders: [{ host, inside: host, writable: true }],
      limits: {},
    });
    expect(specOnHost(at("/var/lib/weir/data"), mounts).folders).toEqual([
      { host: "/volumes/state/_data/data", inside: "/var/lib/weir/data", writable: true },
    ]);
    expect(specOnHost(at("/tmp/x"), null)).toEqual(at("/tmp/x"));
    expect(() => specOnHost(at("/tmp/x"), mounts)).toThrow(/own container only/);
  });
});
