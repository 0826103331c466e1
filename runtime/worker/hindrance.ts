// What is in the way of rows that wait for a stream or a subject elsewhere, as far as it is known, for whoever asks why they
// wait. Listens to what is said while the other side is opened, and decides nothing.

import { awayText, type ConnectorLog } from "../connect/connector-log.ts";
import type { NatsLink } from "../connect/nats-connection.ts";

export class Hindrance {
  /** Its name in the settings. */
  readonly connection: string;
  #link: NatsLink | null = null;
  /** By who said so. */
  readonly #waits = new Map<string, string>();

  constructor(connection: string) {
    this.connection = connection;
  }

  opened(link: NatsLink): void {
    this.#link = link;
  }

  /** `log`, heard. */
  heard(log: ConnectorLog): ConnectorLog {
    return {
      info: (message) => log.info(message),
      warn: (message) => log.warn(message),
      waits: (who, what) => {
        if (what === null) this.#waits.delete(who);
        else this.#waits.set(who, what);
        log.waits?.(who, what);
      },
    };
  }

  /** In words; null where nothing is known to be in the way. */
  get text(): string | null {
    if (this.#link?.connected !== true) return awayText(this.connection);
    const [first] = this.#waits;
    return first === undefined ? null : first.join(": ");
  }
}
