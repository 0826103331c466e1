// What an engine is asked for: hardened whatever the worker asks, and refused where a worker asks for too much.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WeirError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { WorkerSpec } from "../driver.ts";
import { checkWorker, containerBody, type ContainerSettings } from "./container-body.ts";

const settings: ContainerSettings = {
  supervisor: "here",
  image: "localhost/weir",
  network: "weir",
  user: "65532:65532",
};
const spec: WorkerSpec = {
  name: "one",
  revision: "r1",
  command: ["run", "pipelines"],
  environment: { WEIR_NATS_URL: "nats://edge:4222" },
  folders: [{ host: "/srv/pipelines", inside: "/etc/weir/pipelines", writable: false }],
  limits: { memory_bytes: 134_217_728, processors: 0.5, pids: 64 },
};

describe("the body of the request", () => {
  it("holds what the worker asks for", () => {
    expect(containerBody(spec, settings)).toMatchObject({
      Image: "localhost/weir",
      Cmd: ["run", "pipelines"],
      Env: ["WEIR_NATS_URL=nats://edge:4222"],
      Labels: { "io.weir.supervisor": "here", "io.weir.worker": "one", "io.weir.revision": "r1" },
      HostConfig: {
        Memory: 134_217_728,
        MemorySwap: 134_217_728,
        NanoCpus: 500_000_000,
        PidsLimit: 64,
        NetworkMode: "weir",
        Mounts: [{ Type: "bind", Source: "/srv/pipelines", Target: "/etc/weir/pipelines", ReadOnly: true }],
      },
    });
  });

  it("has bounds for a worker without any", () => {
    const body = containerBody({ ...spec, limits: {} }, settings) as { HostConfig: Record<string, unknown> };
    expect(body.HostConfig["PidsLimit"]).toBe(limits.worker_pids_default);
    expect(body.HostConfig).not.toHaveProperty("Memory");
  });

  it("leaves a folder of the worker where an engine has one of its own", () => {
    const folders = [{ host: "/srv/a", inside: "/var/tmp", writable: true }];
    const { HostConfig } = containerBody({ ...spec, folders }, settings) as {
      HostConfig: { Tmpfs: Record<string, string> };
    };
    expect(Object.keys(HostConfig.Tmpfs)).toEqual(["/run", "/tmp"]);
  });

  it("is hardened, whatever is asked for", () => {
    const text = fc.string({ maxLength: 20 });
    const any = fc.record({
      name: text,
      revision: text,
      command: fc.array(text),
      environment: fc.dictionary(text, text),
      folders: fc.array(fc.record({ host: text, inside: text, writable: fc.boolean() })),
      limits: fc.record({ memory_bytes: fc.nat(), processors: fc.double(), pids: fc.nat() }),
    });
    fc.assert(
      fc.property(any, (asked) => {
        const body = containerBody(asked, settings) as { User: string; HostConfig: Record<string, unknown> };
        expect(body.User).toBe("65532:65532");
        expect(body.HostConfig).toMatchObject({
          ReadonlyRootfs: true,
          Privileged: false,
          CapDrop: ["ALL"],
          SecurityOpt: ["no-new-privileges"],
          RestartPolicy: { Name: "no" },
        });
        for (const never of [
          "CapAdd",
          "Devices",
          "PidMode",
          "IpcMode",
          "UsernsMode",
          "Binds",
          "PortBindings",
        ]) {
          expect(body.HostConfig).not.toHaveProperty(never);
        }
      }),
    );
  });
});

describe("a worker is refused", () => {
  const folder = (host: string) => ({ folders: [{ host, inside: "/data", writable: true }] });
  it.each<readonly [string, Partial<WorkerSpec>, Partial<ContainerSettings>, RegExp]>([
    ["for a name with a path in it", { name: "../one" }, {}, /the name "..\/one"/],
    ["for a name that is too long", { name: "n".repeat(65) }, {}, /the name/],
    ["for an empty name", { name: "" }, {}, /the name ""/],
    ["for a supervisor's name with a dot", {}, { supervisor: "a.b" }, /the supervisor's name "a.b"/],
    ["as root", {}, { user: "0:0" }, /the user 0:0/],
    ["with root's group", {}, { user: "1000:0" }, /the user 1000:0/],
    ["by a user's name", {}, { user: "root" }, /the user root/],
    ["for a relative folder", folder("data"), {}, /the folder "data"/],
    ["for a folder with .. in it", folder("/srv/../etc"), {}, /the folder "\/srv\/..\/etc"/],
    ["for the engine's socket", folder("/var/run/docker.sock"), {}, /root on this host/],
    ["for the folder of the engine's socket", folder("/srv/engines/"), {}, /root on this host/],
    [
      "for a place inside that is the socket's",
      { folders: [{ host: "/srv/a", inside: "/run", writable: false }] },
      {},
      /root on/,
    ],
    ["for no memory", { limits: { memory_bytes: 0 } }, {}, /memory_bytes of 0/],
    ["for less than no processor", { limits: { processors: -1 } }, {}, /processors of -1/],
    ["for no end of processes", { limits: { pids: Number.POSITIVE_INFINITY } }, {}, /pids of Infinity/],
  ])("%s", (_name, asked, given, message) => {
    let refused: unknown;
    try {
      checkWorker({ ...spec, ...asked }, { ...settings, ...given }, ["/srv/engines/weir.sock"]);
    } catch (error) {
      refused = error;
    }
    expect(refused).toBeInstanceOf(WeirError);
    expect(refused).toMatchObject({ code: "WEIR_WORKER_REFUSED", remedy: expect.any(String) });
    expect((refused as WeirError).message).toMatch(message);
  });

  it("and this one is not", () => {
    expect(() => checkWorker(spec, settings, ["/srv/engines/weir.sock"])).not.toThrow();
  });
});
