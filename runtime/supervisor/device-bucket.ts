// The registry of devices: a key-value bucket of NATS in which each device keeps one entry of its own, and says every few
// seconds by it that it is there. Decides nothing about those that do not.

import type { KV } from "@nats-io/kv";
import { bucketsOf } from "../connect/key-value.ts";
import type { NatsLink } from "../connect/nats-connection.ts";
import { entriesOf, jsonOf } from "./bucket-scan.ts";
import { type Device, parseDevice } from "./device.ts";

export const deviceBucket = "weir_devices";

/** A device with when its entry was written. */
export interface Registered {
  readonly device: Device;
  /** Grows with each contact. */
  readonly sequence: number;
  /** Wall clock ms of the server. */
  readonly written: number;
}

export class DeviceBucket {
  readonly #store: KV;

  private constructor(store: KV) {
    this.#store = store;
  }

  /** The registry, which is made where it is not there. */
  static async open(link: NatsLink): Promise<DeviceBucket> {
    return new DeviceBucket(await bucketsOf(link).create(deviceBucket, { history: 1 }));
  }

  async tell(device: Device): Promise<void> {
    await this.#store.put(device.id, JSON.stringify(device));
  }

  /** Those that can be read, by their names. */
  async all(): Promise<readonly Registered[]> {
    const entries = await entriesOf(this.#store);
    const found = [...entries].flatMap(([key, entry]) => {
      const device = parseDevice(jsonOf(entry));
      return device === null || device.id !== key
        ? []
        : [{ device, sequence: entry.revision, written: entry.created.getTime() }];
    });
    return found.toSorted((a, b) => (a.device.id < b.device.id ? -1 : 1));
  }
}
