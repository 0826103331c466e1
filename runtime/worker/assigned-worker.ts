// A worker that is told what to run, from its start to drained: follows its assignment, beats, and answers questions.
// Composition only; what it says is made of data elsewhere.

import type { AssignedPipeline } from "../assignment.ts";
import type { Clock } from "../clock.ts";
import type { Heartbeat } from "../heartbeat.ts";
import { heartbeatSubject } from "../heartbeat.ts";
import { limits } from "../limits.ts";
import type { Log } from "../log.ts";
import { watchAssigned } from "./assigned-pipelines.ts";
import { Connections } from "./connections.ts";
import { type Answers, WrittenAnswer } from "./control.ts";
import { liveness, probe, readiness } from "./health.ts";
import { Life } from "./lifecycle.ts";
import { openMetricsText, openMetricsType } from "./open-metrics.ts";
import { PipelineSet } from "./pipeline-set.ts";
import { Pulse } from "./pulse.ts";
import type { DeviceSettings } from "./settings.ts";
import { failedAnswer, type WaitingAnswer, waitingAnswers } from "./waiting-answers.ts";
import type { WorkerStatus } from "./worker.ts";

export interface AssignedWorkerOptions {
  /** An assignment, or a folder of pipeline files. */
  readonly path: string;
  readonly host: string;
  readonly worker: string;
  /** A new one for each start of a pipeline. */
  readonly identity: () => string;
  readonly settings: DeviceSettings;
  readonly environment: Readonly<Record<string, string>>;
  /** The connection that heartbeats go over; null for none. */
  readonly heartbeats: string | null;
  readonly clock: Clock;
  readonly log: Log;
}

export class AssignedWorker {
  readonly #options: AssignedWorkerOptions;
  readonly #connections: Connections;
  readonly #pipelines: PipelineSet;
  readonly #pulse: Pulse;
  readonly #life: Life;
  #endWatch: () => void = () => undefined;
  #endBeats: () => void = () => undefined;

  constructor(options: AssignedWorkerOptions) {
    const { clock, log, identity, environment, host, worker } = options;
    this.#options = options;
    // Those to forget are forgotten where they do not fit, by each pipeline's own word, and not at every start of theirs.
    const settings = { ...options.settings, forget: [] };
    this.#connections = new Connections(settings.connections, log, clock);
    const links = () => this.#connections.shared();
    this.#pipelines = new PipelineSet({ settings, clock, log, identity, environment, links });
    this.#pulse = new Pulse({ host, worker, started: clock.now() });
    this.#life = new Life(clock.now());
  }

  /** Runs what it is told from here on. */
  start(): void {
    const { path, clock, heartbeats } = this.#options;
    this.#endWatch = watchAssigned(path, (pipelines) => this.#assign(pipelines), this.#options);
    this.#life.on("opened", clock.now());
    if (heartbeats !== null) this.#endBeats = this.#beatOn(heartbeats);
  }

  /** Drains every pipeline; resolves once all have ended. */
  async stop(): Promise<void> {
    this.#life.on("asked", this.#options.clock.now());
    this.#endWatch();
    await this.#pipelines.drain();
    this.#life.on("drained", this.#options.clock.now());
    this.#endBeats();
    await this.#connections.close();
  }

  heartbeat(): Heartbeat {
    const assignment = this.#pipelines.carriedOut;
    return this.#pulse.beat(
      this.#pipelines.lives(),
      { phase: this.#life.phase, assignment },
      this.#options.clock.now(),
    );
  }

  readonly answers: Answers = (path) => {
    if (path === "/heartbeat") return this.heartbeat();
    if (path === "/healthz") return probe(liveness(this.heartbeat()));
    if (path === "/readyz") return probe(readiness(this.heartbeat()));
    if (path === "/status") return this.#statuses();
    if (path === "/outbox") return this.#pipelines.lives().flatMap(({ life }) => life.outboxes());
    if (path === "/metrics")
      return new WrittenAnswer(200, openMetricsType, openMetricsText(this.#statuses(), this.heartbeat()));
    if (path !== "/pipelines") return undefined;
    return this.#waiting();
  };

  #waiting(): readonly WaitingAnswer[] {
    const { clock } = this.#options;
    const lives = this.#pipelines.lives();
    const failed = lives.filter(({ life }) => life.phase === "failed");
    const unopened = lives.filter(({ life }) => life.phase === "starting" && life.status() === null);
    const statuses = lives.flatMap(({ life }) => (life.phase === "failed" ? [] : (life.status() ?? [])));
    const names = [...statuses, ...unopened].map(({ name }) => name);
    const missing = new Map(
      lives.flatMap(({ name, life }) => (life.waitsFor === null ? [] : [[name, life.waitsFor] as const])),
    );
    const away = new Map(
      lives.flatMap(({ name, life }) => (life.away === null ? [] : [[name, life.away] as const])),
    );
    const times = { now: clock.now(), elapsed: clock.elapsed() };
    return [
      ...waitingAnswers(names, statuses, times, { missing, away }),
      ...failed.map(({ name, life: { revision, fault } }) => failedAnswer({ name, revision, fault })),
    ];
  }

  #statuses(): readonly WorkerStatus[] {
    return this.#pipelines.lives().flatMap(({ life }) => life.status() ?? []);
  }

  #assign(pipelines: readonly AssignedPipeline[]): void {
    const names = pipelines.map(({ name, revision }) => `${name}@${revision}`).join(", ");
    const { log, settings } = this.#options;
    log.info(`to run: ${names === "" ? "nothing" : names}`);
    this.#pipelines.assign(
      pipelines.map((each) => (settings.forget.includes(each.name) ? { ...each, forget: true } : each)),
    );
  }

  /** Beats on a connection while it is there; whoever listens notices when it is not. */
  #beatOn(connection: string): () => void {
    const { host, worker, clock, log } = this.#options;
    const opened = this.#connections.link(connection);
    opened.catch((error: unknown) => log.warn(`heartbeats: ${String(error)}`));
    return clock.every(limits.worker_heartbeat_ms, () => {
      void opened
        .then((link) => {
          if (!link.connected || link.nats.isClosed()) return;
          link.nats.publish(heartbeatSubject(host, worker), JSON.stringify(this.heartbeat()));
        })
        .catch(() => undefined);
    });
  }
}
