// The registry of devices: a key-value bucket of NATS in which each device keeps one entry of its own, and says every few
// seconds by it that it is there. Decides nothing about those that do not.

import type { KV } from "@nats-io/kv";
import { bucketsOf, isBucket, isOutdated } from "../connect/key-value.ts";
import type { NatsLink } from "../connect/nats-connection.ts";
import { entriesOf, jsonOf } from "./bucket-scan.ts";
import { type Device, parseDevice } from "./device.ts";

export const deviceBucket = "weir_devices";

/** A device with how long ago its entry was written. */
export interface Registered {
  readonly device: Device;
  /** Grows with each contact. */
  readonly sequence: number;
  /** ms, by the server's clock: nobody's who asks. */
  readonly silent_ms: number;
}

export class DeviceBucket {
  readonly #link: NatsLink;
  readonly #store: KV;
  /** The number of what it told last; null where that is not known. */
  #last: number | null = null;
  #others = 0;

  private constructor(link: NatsLink, store: KV) {
    this.#link = link;
    this.#store = store;
  }

  /** The registry, which is made where it is not there. */
  static async open(link: NatsLink): Promise<DeviceBucket> {
    return new DeviceBucket(link, await bucketsOf(link).create(deviceBucket, { history: 1 }));
  }

  /** The registry as it is; null where nobody has made it yet, and whoever only looks does not. */
  static async look(link: NatsLink): Promise<DeviceBucket | null> {
    return (await isBucket(link, deviceBucket)) ? DeviceBucket.open(link) : null;
  }

  /**
   * Says that the device is there. Tells how often in a row somebody else had said so under its name meanwhile: once may be
   * a bucket that was made anew, or an answer that was lost.
   */
  async tell(device: Device): Promise<number> {
    const text = JSON.stringify(device);
    const before = this.#last;
    // What comes while this is on its way compares nothing.
    this.#last = null;
    if (before !== null) {
      try {
        this.#last = await this.#store.update(device.id, text, before);
        this.#others = 0;
        return 0;
      } catch (error) {
        if (!isOutdated(error)) throw error;
        this.#others++;
      }
    }
    this.#last = await this.#store.put(device.id, text);
    return this.#others;
  }

  /** Those that can be read, by their names. */
  async all(): Promise<readonly Registered[]> {
    const entries = await entriesOf(this.#link, deviceBucket);
    const found = [...entries].flatMap(([key, entry]) => {
      const device = parseDevice(jsonOf(entry));
      return device === null || device.id !== key
        ? []
        : [{ device, sequence: entry.revision, silent_ms: entry.age_ms }];
    });
    return found.toSorted((a, b) => (a.device.id < b.device.id ? -1 : 1));
  }
}
