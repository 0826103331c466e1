// The image: what the Dockerfile says about it, what is in it, how large it is, and, where there is an engine, that
// its own health check tells a worker that works from none.

import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sleep, wallClock } from "../runtime/clock.ts";
import {
  podmanMissing,
  startPodman,
  type PodmanService,
} from "../runtime/supervisor/drivers/podman-service.ts";
import { librariesOf } from "./base.ts";
import { settingsOf } from "./dockerfile.ts";
import { imageForTests } from "./image.fixture.ts";
import { makeImage } from "./image.ts";

const bytesMax = 60e6;
const dockerfile = readFileSync(join(import.meta.dirname, "Dockerfile"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "weir-image-test-"));
let archive = "";

beforeAll(() => {
  archive = imageForTests();
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function read(file: string): Buffer {
  return execFileSync("tar", ["-xOf", archive, file], { maxBuffer: 1e9 });
}

interface Manifest {
  readonly Config: string;
  readonly Layers: readonly string[];
}

function manifest(): Manifest {
  const [only] = JSON.parse(read("manifest.json").toString()) as readonly Manifest[];
  if (only === undefined) throw new Error("the archive has no image");
  return only;
}

describe("the Dockerfile", () => {
  it("gives the image its settings", () => {
    expect(settingsOf(dockerfile, { VERSION: "1.2.3", REVISION: "abc" })).toEqual({
      User: "65532:65532",
      WorkingDir: "/etc/weir",
      StopSignal: "SIGTERM",
      Entrypoint: ["/usr/bin/node", "/weir/weir.js"],
      Cmd: ["run", "pipelines"],
      Volumes: { "/var/lib/weir": {} },
      Labels: {
        "org.opencontainers.image.title": "weir",
        "org.opencontainers.image.description": expect.stringContaining("edge stream-processing"),
        "org.opencontainers.image.licenses": "Apache-2.0",
        "org.opencontainers.image.version": "1.2.3",
        "org.opencontainers.image.revision": "abc",
      },
      Healthcheck: {
        Test: ["CMD", "/usr/bin/node", "/weir/weir.js", "why", "--json"],
        Interval: 30e9,
        Timeout: 5e9,
        StartPeriod: 20e9,
        Retries: 3,
      },
    });
  });

  it("pins the Node of package.json, and its version", () => {
    const text = readFileSync(join(import.meta.dirname, "../package.json"), "utf8");
    const { version, devDependencies } = JSON.parse(text) as {
      readonly version: string;
      readonly devDependencies: Readonly<Record<string, string>>;
    };
    expect(dockerfile).toContain(`ARG NODE_IMAGE=docker.io/library/node:${devDependencies["node"]}-`);
    expect(dockerfile).toContain(`ARG VERSION=${version}\n`);
  });

  it.each([
    ["a command for a shell", 'CMD ["run", "pipelines"]', "CMD run pipelines", /because there is no shell/],
    [
      "an instruction that is not known",
      "STOPSIGNAL SIGTERM",
      "ONBUILD SIGTERM",
      /ONBUILD SIGTERM: expected/,
    ],
    ["no user", "USER 65532:65532\n", "", /expected USER, WORKDIR/],
    ["a check without a time", "--timeout=5s ", "", /expected --timeout=…s/],
  ])("is refused with %s", (_name, from, to, message) => {
    expect(dockerfile).toContain(from);
    expect(() => settingsOf(dockerfile.replace(from, to), {})).toThrow(message);
  });
});

describe("the image", () => {
  it(`is at most ${bytesMax / 1e6} MB compressed`, () => {
    const bytes = statSync(archive).size;
    expect(bytes).toBeGreaterThan(1e6);
    expect(bytes).toBeLessThanOrEqual(bytesMax);
  });

  it("is what its digests say", () => {
    const { Config, Layers } = manifest();
    const sha256 = (data: Buffer): string => createHash("sha256").update(data).digest("hex");
    const configuration = read(Config);
    expect(`${sha256(configuration)}.json`).toBe(Config);
    const { rootfs, config } = JSON.parse(configuration.toString()) as {
      readonly rootfs: { readonly diff_ids: readonly string[] };
      readonly config: unknown;
    };
    expect(Layers.map((layer) => `sha256:${layer.replace(".tar.gz", "")}`)).toEqual(rootfs.diff_ids);
    expect(config).toMatchObject({ User: "65532:65532" });
  });

  it("holds Node, its libraries and weir: no shell, nothing that gives more rights, and root's", () => {
    const all = manifest().Layers.flatMap((layer) =>
      execFileSync("tar", ["--numeric-owner", "-tvzf", "-"], { input: read(layer), maxBuffer: 1e9 })
        .toString()
        .trim()
        .split("\n")
        .map((line) => {
          const [mode = "", owner = "", , , , path = ""] = line.split(/\s+/);
          return { mode, owner, path };
        }),
    );
    const programs = all.filter(({ mode, path }) => mode.startsWith("-rwx") && !/\.so(\.|$)/.test(path));
    expect(programs.map(({ path }) => path)).toEqual(["./usr/bin/node", "./weir/weir.js"]);
    expect(all.filter(({ mode }) => /s/i.test(mode))).toEqual([]);
    expect(all.filter(({ owner }) => owner !== "0/0").map(({ path }) => path)).toEqual(["./var/lib/weir/"]);
    const writable = all.filter(({ mode }) => mode[8] === "w").map(({ path }) => path);
    expect(writable).toEqual(["./tmp/"]);
    expect(all.map(({ path }) => path)).toEqual(
      expect.arrayContaining(["./etc/passwd", "./weir/weir.js", "./weir/kernel.wasm", "./weir/licences.txt"]),
    );
  });

  it("is the same bytes when it is made again", { timeout: 60_000 }, () => {
    const second = join(folder, "second.tar");
    makeImage(second);
    expect(readFileSync(second).equals(readFileSync(archive))).toBe(true);
  });
});

it("the libraries of a process are its files, without itself and what the kernel maps", () => {
  const objects = ["linux-vdso.so.1", "/usr/bin/node", "/lib/libc.so.6", "/lib64/ld-linux-x86-64.so.2"];
  expect(librariesOf(objects, "/usr/bin/node")).toEqual(["/lib/libc.so.6", "/lib64/ld-linux-x86-64.so.2"]);
});

const missing = podmanMissing(process.env);

describe.skipIf(missing !== null)(
  `the image in Podman${missing === null ? "" : ` (skipped: ${missing})`}`,
  () => {
    let podman: PodmanService;

    beforeAll(async () => {
      if (missing !== null) return;
      podman = await startPodman(process.env);
      podman.load(archive);
    });

    afterAll(() => podman?.stop());

    function run(...parameters: readonly string[]) {
      return spawnSync("podman", parameters, { encoding: "utf8", env: podman.environment });
    }

    const hardened = [
      "--read-only",
      "--read-only-tmpfs=false",
      "--tmpfs=/tmp",
      "--cap-drop=all",
      "--network=none",
    ];

    it("says its version, on a root that is read-only", () => {
      const { status, stdout } = run("run", "--rm", ...hardened, "localhost/weir", "--version");
      expect({ status, stdout: stdout.trim() }).toEqual({ status: 0, stdout: "0.1.0" });
    });

    it("has a health check that a worker passes, and that fails where none answers", {
      timeout: 60_000,
    }, async () => {
      const pipeline = [
        "name: pulse",
        "source: { host: { every: 1s } }",
        "steps:",
        "  - sink: { nothing: {}, format: json }",
      ];
      const file = join(folder, "pulse.yaml");
      const mount = `--volume=${file}:/etc/weir/pipelines/pulse.yaml:ro`;
      writeFileSync(file, `${pipeline.join("\n")}\n`);
      expect(run("run", "--detach", "--name=healthy", ...hardened, mount, "localhost/weir").status).toBe(0);
      while (run("healthcheck", "run", "healthy").status !== 0) {
        expect(run("inspect", "--format={{.State.Status}}", "healthy").stdout.trim()).toBe("running");
        await sleep(wallClock, 100);
      }
      const idle = [
        "run",
        "--detach",
        "--name=idle",
        ...hardened,
        "--entrypoint=/usr/bin/node",
        "localhost/weir",
      ];
      expect(run(...idle, "-e", "setInterval(() => {}, 1000)").status).toBe(0);
      expect(run("healthcheck", "run", "idle").status).not.toBe(0);
      expect(run("stop", "healthy").status).toBe(0);
      expect(run("inspect", "--format={{.State.ExitCode}}", "healthy").stdout.trim()).toBe("0");
    });
  },
);
