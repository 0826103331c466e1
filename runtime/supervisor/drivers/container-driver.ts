// Workers as containers of Docker or Podman. What the engine says counts, and what it does not say is unknown:
// nothing is started in the place of what may still be there, and nothing is asked twice.

import type { Clock } from "../../clock.ts";
import { WeirError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { Driver, ObservedWorker, WorkerSpec, WorkerState, WorkerStats } from "../driver.ts";
import {
  checkWorker,
  containerBody,
  containerName,
  type ContainerSettings,
  supervisorLabel,
} from "./container-body.ts";
import { ContainerEngine } from "./container-engine.ts";
import { placeOnHost, specOnHost } from "./container-mounts.ts";
import {
  type ContainerMount,
  type ContainerStats,
  type InspectedContainer,
  isContainerId,
  type ListedContainer,
} from "./engine-answers.ts";
import { EngineError } from "./engine-request.ts";
import { killedForMemory } from "./kernel-log.ts";
import { endedByMemory, observedWorker, stateOf, unknownWorker } from "./observed-container.ts";
import { prepareFolders } from "./worker-folders.ts";

export interface ContainerDriverOptions extends ContainerSettings {
  readonly socketPath: string;
  /** The container that this supervisor is in itself; without one it sees the host as it is. */
  readonly within?: string;
  readonly clock: Clock;
}

function isRefusal(error: unknown, status: number): boolean {
  return error instanceof EngineError && error.status === status;
}

function nobody(id: string): WeirError {
  return new WeirError("WEIR_WORKER_REFUSED", `there is no container ${JSON.stringify(id)}`, {
    remedy: "name one that list names",
  });
}

/** What a worker takes: pages of files that the kernel could drop are not its own. */
export function workerStats({ cpu_stats, memory_stats, pids_stats }: ContainerStats): WorkerStats {
  const { total_inactive_file, inactive_file } = memory_stats.stats;
  const files = [total_inactive_file, inactive_file].find((value) => typeof value === "number") ?? 0;
  return {
    processor_s: cpu_stats.cpu_usage.total_usage / 1e9,
    memory_bytes: Math.max(0, memory_stats.usage - files),
    pids: pids_stats.current,
  };
}

export class ContainerDriver implements Driver {
  readonly kind = "container";
  readonly #options: ContainerDriverOptions;
  readonly #engine: ContainerEngine;
  /** Names of the containers that are being made and started this moment. */
  readonly #starting = new Set<string>();
  /** Those that this driver killed, and those of which it is known why they ended. */
  readonly #killed = new Set<string>();
  readonly #memory = new Map<string, boolean>();
  #mounts: readonly ContainerMount[] | null = null;

  constructor(options: ContainerDriverOptions) {
    this.#options = options;
    this.#engine = new ContainerEngine(options.socketPath, options.clock);
  }

  async open(): Promise<string> {
    await this.#engine.version();
    const { image, within } = this.#options;
    if (within !== undefined) this.#mounts = await this.#mountsOf(within);
    const id = await this.#engine.imageId(image);
    if (id !== null) return id;
    throw new WeirError("WEIR_CONTAINER_ENGINE", `the container engine has no image ${image}`, {
      remedy: "pull it, or make it: npm run image, then podman load -i build/image/weir.tar (or docker load)",
    });
  }

  async start(spec: WorkerSpec): Promise<string> {
    checkWorker(spec, this.#options, this.#sockets());
    const name = containerName(this.#options.supervisor, spec.name);
    if (this.#starting.has(name)) throw this.#isThere(spec);
    this.#starting.add(name);
    try {
      prepareFolders(spec, this.#options.user);
      const id = await this.#make(spec, name);
      await this.#run(id);
      return id;
    } finally {
      this.#starting.delete(name);
    }
  }

  async stop(id: string, grace_ms: number): Promise<void> {
    if (!isContainerId(id)) return;
    // Not the engine's own stop: Podman holds a lock meanwhile that makes its other answers wait.
    await this.#signal(id, "SIGTERM");
    if (!(await this.#engine.hasEnded(id, grace_ms))) await this.kill(id);
  }

  async kill(id: string): Promise<void> {
    if (!isContainerId(id)) return;
    this.#killed.add(id);
    await this.#signal(id, "SIGKILL");
    if (await this.#engine.hasEnded(id, limits.engine_kill_ms_max)) return;
    throw new WeirError("WEIR_CONTAINER_ENGINE", `container ${id} was killed and has not ended`, {
      remedy: "see what holds it (podman ps, docker ps): a disk that does not answer, or the engine itself",
    });
  }

  async remove(id: string): Promise<void> {
    if (!isContainerId(id)) return;
    await this.#engine.remove(id);
    this.#killed.delete(id);
    this.#memory.delete(id);
  }

  async list(): Promise<readonly ObservedWorker[]> {
    const found = await this.#engine.list(supervisorLabel, this.#options.supervisor);
    const all = await Promise.all(found.map((each) => this.#observe(each)));
    return all.filter((worker) => worker !== null);
  }

  async logs(id: string, lines: number): Promise<readonly string[]> {
    if (!isContainerId(id)) throw nobody(id);
    return this.#engine.logs(id, lines);
  }

  async stats(id: string): Promise<WorkerStats> {
    if (!isContainerId(id)) throw nobody(id);
    try {
      return workerStats(await this.#engine.stats(id));
    } catch (error) {
      // Of one that has ended, one engine answers with zeros and the other with nothing at all.
      if ((await this.#stateAfter(id, error)) === "exited")
        return { processor_s: 0, memory_bytes: 0, pids: 0 };
      throw error;
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** One that is gone or has ended needs no signal, whatever the engine says to that. */
  async #signal(id: string, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    try {
      await this.#engine.kill(id, signal);
    } catch (error) {
      const state = await this.#stateAfter(id, error);
      if (state !== "exited" && state !== null) throw error;
    }
  }

  /** After an answer that was none, what the container's state is: null for one that is gone. */
  async #stateAfter(id: string, error: unknown): Promise<WorkerState | null> {
    const answered = error instanceof EngineError && (error.fault === "refused" || error.fault === "garbage");
    if (!answered) return "unknown";
    const found = await this.#engine.inspect(id);
    return found === null ? null : stateOf(found.State.Status, false);
  }

  #isThere(spec: WorkerSpec): WeirError {
    return new WeirError("WEIR_WORKER_REFUSED", `there is a worker ${spec.name} already`, {
      remedy: "stop and remove it first",
    });
  }

  /** The engine's socket as it is called here, and on the host. */
  #sockets(): readonly string[] {
    const { socketPath } = this.#options;
    const onHost = this.#mounts === null ? null : placeOnHost(socketPath, this.#mounts);
    return onHost === null ? [socketPath] : [socketPath, onHost];
  }

  async #mountsOf(container: string): Promise<readonly ContainerMount[]> {
    const mounts = await this.#engine.mounts(container);
    if (mounts !== null) return mounts;
    throw new WeirError("WEIR_CONTAINER_ENGINE", `the engine has no container ${container}`, {
      remedy: "name the container that the supervisor itself is in with --within, or leave that out",
    });
  }

  /** Makes the container. One of its name that was made by an earlier start and never ran is in the way of nobody. */
  async #make(spec: WorkerSpec, name: string): Promise<string> {
    const onHost = specOnHost(spec, this.#mounts);
    checkWorker(onHost, this.#options, this.#sockets());
    const body = containerBody(onHost, this.#options);
    try {
      return await this.#engine.create(name, body);
    } catch (error) {
      if (!isRefusal(error, 409) && !isRefusal(error, 500)) throw error;
      const there = await this.#engine.inspect(name);
      if (there === null) throw error;
      if (!this.#neverRan(there)) throw this.#isThere(spec);
      // Without force: should it run by now after all, the engine refuses.
      await this.#engine.remove(there.Id);
      return await this.#engine.create(name, body);
    }
  }

  #neverRan({ State, Config }: InspectedContainer): boolean {
    const own = Config.Labels[supervisorLabel] === this.#options.supervisor;
    return own && stateOf(State.Status, true) === "starting";
  }

  /** Starts it; where the engine says no, nothing of it stays behind. Where it says nothing, it may be running. */
  async #run(id: string): Promise<void> {
    try {
      await this.#engine.start(id);
    } catch (error) {
      if (error instanceof EngineError && error.fault === "refused") {
        await this.#engine.remove(id).catch(() => undefined);
      }
      throw error;
    }
  }

  /** Null for one that is gone meanwhile. */
  async #observe(listed: ListedContainer): Promise<ObservedWorker | null> {
    let inspected: InspectedContainer | null;
    try {
      inspected = await this.#engine.inspect(listed.Id);
    } catch {
      return unknownWorker(listed);
    }
    if (inspected === null) return null;
    if (inspected.Id !== listed.Id) return unknownWorker(listed);
    const name = containerName(this.#options.supervisor, unknownWorker(listed).name);
    const isStarting = this.#starting.has(name);
    const state = stateOf(inspected.State.Status, isStarting);
    return observedWorker(listed, inspected, state, state === "exited" && this.#endedByMemory(inspected));
  }

  /** Asked once, because the kernel's log forgets. */
  #endedByMemory(inspected: InspectedContainer): boolean {
    const id = inspected.Id;
    const known = this.#memory.get(id);
    if (known !== undefined) return known;
    const found = endedByMemory(inspected, this.#killed.has(id), () => killedForMemory(id));
    this.#memory.set(id, found);
    return found;
  }
}
