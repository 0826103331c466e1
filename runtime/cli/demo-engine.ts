// Workers of the demonstration as containers: an engine of its own, weir's image, and `weir supervise` as anybody starts it.
// All of it lies in the engine's folder, and goes with the process that started it, however that ends.

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, cpSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { WeirError } from "../errors.ts";
import { partUrl, sourceUrl } from "../layout.ts";
import { limits } from "../limits.ts";
import { podmanMissing, type PodmanService, startPodman } from "../supervisor/drivers/podman-service.ts";
import type { SupervisorStatus } from "../supervisor/status.ts";
import { askWorkers } from "../worker/control-client.ts";
import type { WorkerStatus } from "../worker/worker.ts";
import { untilSo } from "./demo-durable.ts";

const leash: string = partUrl("demo-leash.js").href;
/** Where pipelines of the source tree find operators, and where they find them here: in the one folder that workers see. */
const examples = { from: "../operators/examples/", to: "operators/" };

/** What makes the image; throws where there is no engine, or nothing to make one from. */
export function imageMaker(env: NodeJS.ProcessEnv): string {
  const missing = podmanMissing(env);
  if (missing !== null) {
    throw new WeirError("WEIR_ENGINE_MISSING", `no container engine for the demonstration: ${missing}`, {
      remedy:
        "apt-get install podman (as root), or let the set-up do it: WEIR_SETUP_CONTAINERS=1 npm run demo -- --containers",
    });
  }
  const maker = sourceUrl("deploy/image.ts");
  if (maker !== null) return fileURLToPath(maker);
  throw new WeirError("WEIR_USAGE", "the image is made from weir's sources, and this is a bundle of it", {
    remedy: "npm run demo -- --containers, in the folder of the sources",
  });
}

/** A process that ends when this one does. In a session of its own, so that Ctrl-C reaches the demonstration alone. */
function leashed(
  parameters: readonly string[],
  log: number,
  options: { cwd?: string; env?: NodeJS.ProcessEnv },
): ChildProcess {
  const child = spawn(process.execPath, ["--import", leash, ...parameters], {
    stdio: ["pipe", log, log],
    detached: true,
    ...options,
  });
  child.stdin?.on("error", () => undefined);
  return child;
}

async function endOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  return new Promise((resolve) => child.once("close", (code) => resolve(code)));
}

export interface SiteOptions {
  readonly files: readonly string[];
  readonly edge: string;
  readonly cloud: string;
}

export class ContainerSite {
  readonly #podman: PodmanService;
  readonly #log: number;
  #supervisor: ChildProcess | null = null;

  private constructor(podman: PodmanService) {
    this.#podman = podman;
    this.#log = openSync(join(podman.folder, "said.log"), "a");
  }

  /** An engine that has the image. */
  static async open(): Promise<ContainerSite> {
    const maker = imageMaker(process.env);
    const site = new ContainerSite(await startPodman(process.env));
    try {
      const archive = join(site.#podman.folder, "weir.tar");
      const code = await endOf(leashed([maker, archive], site.#log, {}));
      if (code !== 0) throw new WeirError("WEIR_CONTAINER_ENGINE", `the image was not made:\n${site.said()}`);
      site.#podman.load(archive);
      return site;
    } catch (error) {
      await site.close();
      throw error;
    }
  }

  get folder(): string {
    return this.#podman.folder;
  }

  /** The last that image maker and supervisor had to say. */
  said(): string {
    return readFileSync(join(this.folder, "said.log"), "utf8").trimEnd().split("\n").slice(-10).join("\n");
  }

  supervise({ files, edge, cloud }: SiteOptions): void {
    const pipelines = join(this.folder, "pipelines");
    mkdirSync(pipelines);
    cpSync(fileURLToPath(partUrl("operators/examples/")), join(pipelines, examples.to), { recursive: true });
    for (const file of files) {
      const text = readFileSync(file, "utf8").replaceAll(examples.from, examples.to);
      writeFileSync(join(pipelines, basename(file)), text);
    }
    const program = [fileURLToPath(partUrl("weir.js")), "supervise", pipelines, "--state", this.#place("s")];
    // The servers of the demonstration listen on this machine's own address only, which just its own network reaches.
    const how = ["--driver", "container", "--network", "host", "--memory", "256", "--log", "text"];
    const nats = ["--nats", edge, "--nats", `cloud=${cloud}`];
    const env = {
      ...process.env,
      DOCKER_HOST: `unix://${this.#podman.socketPath}`,
      WEIR_RUN_FOLDER: this.#place("r"),
    };
    this.#supervisor = leashed([...program, ...how, ...nats], this.#log, { cwd: this.folder, env });
  }

  async status(): Promise<SupervisorStatus | null> {
    const [said] = await askWorkers(this.#place("r"), "/supervisor");
    return (said?.answer ?? null) as SupervisorStatus | null;
  }

  /** What the workers say of their pipelines. */
  async statuses(): Promise<readonly WorkerStatus[]> {
    const said = await askWorkers(join(this.#place("s"), "run"), "/status");
    return said.flatMap(({ answer }) => (answer ?? []) as readonly WorkerStatus[]);
  }

  /** Ends workers and supervisor in order; why it did not, or null. */
  async drain(): Promise<string | null> {
    const supervisor = this.#supervisor;
    if (supervisor === null) return null;
    supervisor.kill("SIGINT");
    const hasEnded = (): boolean => supervisor.exitCode !== null || supervisor.signalCode !== null;
    if (await untilSo(2 * limits.worker_grace_ms, hasEnded))
      return supervisor.exitCode === 0 ? null : `the supervisor ended badly:\n${this.said()}`;
    return `the supervisor did not end:\n${this.said()}`;
  }

  /** Leaves nothing behind. */
  async close(): Promise<void> {
    this.#supervisor?.kill("SIGKILL");
    if (this.#supervisor !== null) await endOf(this.#supervisor);
    closeSync(this.#log);
    await this.#podman.stop();
  }

  #place(name: string): string {
    return join(this.folder, name);
  }
}
