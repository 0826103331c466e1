// A small client of the Docker-compatible interface that Docker and Podman offer on a socket file: just the calls
// that workers need, each with a deadline, each answer checked. Decides nothing and retries nothing.

import type { Clock } from "../../clock.ts";
import { limits } from "../../limits.ts";
import {
  type ContainerMount,
  type ContainerStats,
  created,
  type EngineVersion,
  image,
  type InspectedContainer,
  inspected,
  type ListedContainer,
  listed,
  mounted,
  parsed,
  stats,
  version,
} from "./engine-answers.ts";
import { OutputLines } from "./engine-output.ts";
import {
  askEngine,
  type EngineAnswer,
  type EngineCall,
  EngineError,
  nonsense,
  refusal,
} from "./engine-request.ts";

export class ContainerEngine {
  readonly #socketPath: string;
  readonly #clock: Clock;
  /** Of the interface, as the engine speaks it; asked for once. */
  #prefix: string | null = null;

  constructor(socketPath: string, clock: Clock) {
    this.#socketPath = socketPath;
    this.#clock = clock;
  }

  /** What the engine is. Later calls are made in the version of the interface that it names. */
  async version(): Promise<EngineVersion> {
    const call: EngineCall = { method: "GET", path: "/version" };
    const found = parsed(version, call, await this.#wanted(call, [200]));
    this.#prefix = `/v${found.ApiVersion}`;
    return found;
  }

  /** The digest of the image that is called so now; null where it has none. */
  async imageId(name: string): Promise<string | null> {
    const call: EngineCall = { method: "GET", path: await this.#path(`/images/${encodeURI(name)}/json`) };
    const answer = await this.#wanted(call, [200, 404]);
    return answer.status === 404 ? null : parsed(image, call, answer).Id;
  }

  /** Makes a container. A refusal with 409 says that there is one of that name. */
  async create(name: string, body: unknown): Promise<string> {
    const path = await this.#path("/containers/create", { name });
    const call: EngineCall = { method: "POST", path, body, deadline_ms: limits.engine_start_ms_max };
    return parsed(created, call, await this.#wanted(call, [201])).Id;
  }

  /** Starts it; one that runs already is no fault. */
  async start(id: string): Promise<void> {
    const path = await this.#path(`/containers/${id}/start`);
    await this.#wanted({ method: "POST", path, deadline_ms: limits.engine_start_ms_max }, [204, 304]);
  }

  /** Sends a signal; one that is gone or has ended is no fault. */
  async kill(id: string, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const path = await this.#path(`/containers/${id}/kill`, { signal });
    await this.#wanted({ method: "POST", path }, [204, 404, 409]);
  }

  /** Resolves with true once it has ended or is gone, with false when it has not in time. */
  async hasEnded(id: string, deadline_ms: number): Promise<boolean> {
    const path = await this.#path(`/containers/${id}/wait`, { condition: "not-running" });
    try {
      await this.#wanted({ method: "POST", path, deadline_ms }, [200, 404]);
      return true;
    } catch (error) {
      if (error instanceof EngineError && error.fault === "timeout") return false;
      throw error;
    }
  }

  /** What is known of one, by its id or its name; null where there is none. */
  async inspect(id: string): Promise<InspectedContainer | null> {
    const call: EngineCall = { method: "GET", path: await this.#path(`/containers/${id}/json`) };
    const answer = await this.#wanted(call, [200, 404]);
    return answer.status === 404 ? null : parsed(inspected, call, answer);
  }

  /** What one sees of this host; null where there is none of that name. */
  async mounts(name: string): Promise<readonly ContainerMount[] | null> {
    const path = await this.#path(`/containers/${encodeURIComponent(name)}/json`);
    const call: EngineCall = { method: "GET", path };
    const answer = await this.#wanted(call, [200, 404]);
    return answer.status === 404 ? null : parsed(mounted, call, answer).Mounts;
  }

  /** Those with the label, whatever their state. */
  async list(label: string, value: string): Promise<readonly ListedContainer[]> {
    const filters = JSON.stringify({ label: [`${label}=${value}`] });
    const path = await this.#path("/containers/json", { all: "true", filters });
    const call: EngineCall = { method: "GET", path };
    const found = parsed(listed, call, await this.#wanted(call, [200]));
    // An engine that does not understand a filter may leave it out.
    return found.filter(({ Labels }) => Labels[label] === value);
  }

  /** The last lines of its output. */
  async logs(id: string, lines: number): Promise<readonly string[]> {
    const most = Math.min(lines, limits.worker_log_lines_max);
    const query = { stdout: "true", stderr: "true", tail: String(most) };
    const output = new OutputLines(most);
    const call: EngineCall = {
      method: "GET",
      path: await this.#path(`/containers/${id}/logs`, query),
      onChunk: (chunk) => output.push(chunk),
      bytes_max: limits.worker_log_bytes_max,
    };
    await this.#wanted(call, [200]);
    if (output.broken) throw nonsense(call, "it is not made of frames");
    return output.lines();
  }

  async stats(id: string): Promise<ContainerStats> {
    const path = await this.#path(`/containers/${id}/stats`, { stream: "false", "one-shot": "true" });
    const call: EngineCall = { method: "GET", path };
    return parsed(stats, call, await this.#wanted(call, [200]));
  }

  /** Removes one that has ended, with what it wrote; one that runs is refused, one that is gone is no fault. */
  async remove(id: string): Promise<void> {
    const path = await this.#path(`/containers/${id}`, { v: "true", force: "false" });
    const deadline_ms = limits.engine_start_ms_max;
    await this.#wanted({ method: "DELETE", path, deadline_ms }, [200, 204, 404]);
  }

  async #path(path: string, query: Readonly<Record<string, string>> = {}): Promise<string> {
    if (this.#prefix === null) await this.version();
    const text = new URLSearchParams(query).toString();
    return `${this.#prefix}${path}${text === "" ? "" : `?${text}`}`;
  }

  async #wanted(call: EngineCall, statuses: readonly number[]): Promise<EngineAnswer> {
    const answer = await askEngine({ socketPath: this.#socketPath, clock: this.#clock }, call);
    if (!statuses.includes(answer.status)) throw refusal(call, answer);
    return answer;
  }
}
