// The named NATS connections of a worker: each opened once, when a pipeline first asks for it.

import type { Clock } from "../clock.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { WeirError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { ConnectionSettings } from "./settings-spec.ts";

/** Connections by name, for as long as somebody wants them. */
export interface Links {
  /** The connection of that name; waits for its server, as a rule for ever. */
  link(name: string): Promise<NatsLink>;
  /** All that were asked for are connected. */
  readonly areConnected: boolean;
  /** The first that was asked for and is not connected; null where all are. */
  readonly missing: string | null;
  /** Ends every wait for a first connect. */
  giveUp(): void;
  close(): Promise<void>;
}

export function unknownConnection(name: string, known: readonly string[]): WeirError {
  return new WeirError("WEIR_CONFIG", `no NATS connection is called ${name}`, {
    remedy: `name it in weir.yaml under nats:, or with --nats ${name}=nats://host:4222 (known: ${known.join(", ")})`,
  });
}

export class Connections implements Links {
  readonly #settings: Readonly<Record<string, ConnectionSettings>>;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #patience: number | undefined;
  readonly #links = new Map<string, Promise<NatsLink>>();
  /** Those whose server was there. */
  readonly #opened = new Map<string, NatsLink>();
  readonly #given = new AbortController();

  /** `patience`: how many ms a server is waited for; for ever without it. */
  constructor(
    settings: Readonly<Record<string, ConnectionSettings>>,
    log: Log,
    clock: Clock,
    patience?: number,
  ) {
    this.#settings = settings;
    this.#log = log;
    this.#clock = clock;
    this.#patience = patience;
  }

  /** The connection of that name, once its server is there. */
  link(name: string): Promise<NatsLink> {
    let link = this.#links.get(name);
    if (link === undefined) {
      link = this.#connect(name);
      this.#links.set(name, link);
      void link.then(
        (opened) => this.#opened.set(name, opened),
        () => undefined,
      );
    }
    return link;
  }

  get areConnected(): boolean {
    return this.missing === null;
  }

  get missing(): string | null {
    return this.#missingOf(this.#links.keys());
  }

  #missingOf(names: Iterable<string>): string | null {
    return [...names].find((name) => this.#opened.get(name)?.connected !== true) ?? null;
  }

  /** Ends every wait for a first connect. */
  giveUp(): void {
    this.#given.abort();
  }

  /** The same connections for one who may give up its waits, or close, without the others being touched. */
  shared(): Links {
    const given = Promise.withResolvers<never>();
    given.promise.catch(() => undefined);
    const giveUp = (): void =>
      given.reject(
        new WeirError("WEIR_NATS_UNAVAILABLE", "stopped before the server of its connection answered"),
      );
    const opened = (name: string): Promise<NatsLink> => Promise.race([this.link(name), given.promise]);
    const asked = new Set<string>();
    const missing = (): string | null => this.#missingOf(asked);
    return {
      link(name) {
        asked.add(name);
        return opened(name);
      },
      get areConnected() {
        return missing() === null;
      },
      get missing() {
        return missing();
      },
      giveUp,
      close() {
        giveUp();
        return Promise.resolve();
      },
    };
  }

  async close(): Promise<void> {
    this.giveUp();
    for (const link of this.#links.values()) {
      const opened = await link.catch(() => null);
      await opened?.close();
    }
  }

  #connect(name: string): Promise<NatsLink> {
    const settings = this.#settings[name];
    if (settings === undefined) return Promise.reject(unknownConnection(name, Object.keys(this.#settings)));
    const { url, tls, user, password, token, credentials, nkey, inbox } = settings;
    return connectNats(
      {
        name,
        servers: url,
        signal: this.#given.signal,
        clock: this.#clock,
        ...(this.#patience === undefined ? {} : { patience_ms: this.#patience }),
        ...defined({ user, password, token, credentials, nkey, inbox }),
        ...(tls === undefined
          ? {}
          : { tls: defined({ caFile: tls.ca, certFile: tls.cert, keyFile: tls.key }) }),
      },
      this.#log,
    );
  }
}

/** The same settings without those that are not set. */
function defined<T extends Record<string, string | undefined>>(settings: T): { [K in keyof T]?: string } {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: string;
  };
}
