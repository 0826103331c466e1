// A nats-server of a fault run, with a store and a port of its own, so that it comes back where it was with what it had. Can be
// killed, stopped, continued, and come back with an older copy of its store, as after a power cut.

import { cpSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  type NatsServerOptions,
  type RunningNatsServer,
  startNatsServer,
} from "../../connect/nats-server.ts";
import { lasting } from "./waiting.ts";

export class Broker {
  readonly name: string;
  readonly #store: string;
  readonly #copy: string;
  readonly #options: Pick<NatsServerOptions, "domain" | "mqtt">;
  #server: RunningNatsServer;
  /** Further lines of its configuration. */
  #settings = "";
  kills = 0;

  private constructor(
    name: string,
    folder: string,
    server: RunningNatsServer,
    options: Pick<NatsServerOptions, "domain" | "mqtt">,
  ) {
    this.name = name;
    this.#store = join(folder, name);
    this.#copy = join(folder, `${name}-copy`);
    this.#server = server;
    this.#options = options;
  }

  /** Its store is a folder of its name in `folder`; `settings` are further lines of its configuration. */
  static async start(
    name: string,
    folder: string,
    { settings = "", ...options }: Pick<NatsServerOptions, "domain" | "mqtt"> & { settings?: string } = {},
  ): Promise<Broker> {
    const store = join(folder, name);
    mkdirSync(store, { recursive: true });
    const server = await startNatsServer({ name, storeDir: store, extra: settings, ...options }, process.env);
    const broker = new Broker(name, folder, server, options);
    broker.#settings = settings;
    return broker;
  }

  get mqttUrl(): string | null {
    return this.#server.mqttUrl;
  }

  get url(): string {
    return this.#server.url;
  }

  get port(): number {
    return this.#server.port;
  }

  /** SIGKILL, as a crash is. */
  async kill(): Promise<void> {
    await this.#server.kill();
    this.kills++;
  }

  /** Comes back on the same port with what is in its store; `settings` are lines of its configuration from here on. */
  async restart(settings: string = this.#settings): Promise<void> {
    const { port, mqttUrl } = this.#server;
    this.#settings = settings;
    await this.#server.stop();
    this.#server = await startNatsServer(
      {
        name: this.name,
        storeDir: this.#store,
        port,
        extra: settings,
        ...this.#options,
        ...(mqttUrl === null ? {} : { mqttPort: Number(new URL(mqttUrl).port) }),
      },
      process.env,
    );
  }

  /** Goes on, with its clients, by other lines of its configuration. */
  async reload(settings: string): Promise<void> {
    this.#settings = settings;
    await this.#server.reload(settings);
  }

  /** Resolves once it has sent its clients away and has ended, or has had so long for it and was killed. */
  async retire(within_ms: number): Promise<void> {
    await this.#server.retire();
    await Promise.race([this.#server.exited, lasting(within_ms)]);
    await this.kill();
  }

  pause(): Promise<void> {
    return this.#server.pause();
  }

  proceed(): Promise<void> {
    return this.#server.proceed();
  }

  /** Copies the store as it is now: what a power cut would leave of it. */
  async remember(): Promise<void> {
    // Nobody writes while it is copied.
    await this.pause();
    rmSync(this.#copy, { recursive: true, force: true });
    cpSync(this.#store, this.#copy, { recursive: true });
    await this.proceed();
  }

  /** Ends it, and puts back what was remembered; `restart` brings it back. */
  async losePower(): Promise<void> {
    await this.kill();
    rmSync(this.#store, { recursive: true, force: true });
    cpSync(this.#copy, this.#store, { recursive: true });
  }

  async stop(): Promise<void> {
    // One that is stopped ends only when it goes on.
    await this.proceed().catch(() => undefined);
    await this.#server.stop();
  }
}
