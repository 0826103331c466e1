// This machine's own sensors as records: one JSON payload for each reading, at an interval. Reads only
// when asked to, so a reader that is late gets the present and not a backlog.

import { PayloadBuilder } from "../batch/payloads.ts";
import { sleep, wallClock, type Clock } from "../clock.ts";
import { limits } from "../limits.ts";
import type { Delivery, ReadLimits, Source, SourceStats } from "./connect.ts";
import { HostSampler, type HostSensor } from "./host-sampler.ts";

export interface HostSourceOptions {
  /** Between two looks, ms. */
  readonly every: number;
  /** Which kinds of readings; empty for all. */
  readonly sensors: readonly HostSensor[];
  readonly root?: string;
  readonly clock?: Clock;
}

export function hostSource(options: HostSourceOptions): Source {
  return new SensorSource(options);
}

class SensorSource implements Source {
  readonly #clock: Clock;
  readonly #every: number;
  readonly #sampler: HostSampler;
  readonly #builder: PayloadBuilder = new PayloadBuilder();
  /** Payloads of the last look that did not fit into a read. */
  #rest: { readonly payload: Uint8Array; readonly subject: string }[] = [];
  #due = 0;
  #closed = false;
  #records = 0;
  #bytes = 0;

  constructor(options: HostSourceOptions) {
    this.#clock = options.clock ?? wallClock;
    this.#every = Math.max(limits.host_every_ms_min, options.every);
    this.#sampler = new HostSampler(options.sensors, options.root);
  }

  async open(): Promise<void> {
    // Rates and shares are between two looks; this is the first.
    await this.#sampler.sample(this.#clock.now(), this.#clock.elapsed());
    this.#due = this.#clock.elapsed() + this.#every;
  }

  async read(limits: ReadLimits): Promise<Delivery | null | "end"> {
    if (this.#closed) return "end";
    this.#builder.reset();
    if (this.#rest.length === 0) {
      const wait = this.#due - this.#clock.elapsed();
      if (wait > 0) await sleep(this.#clock, Math.min(wait, limits.wait_ms));
      if (this.#closed) return "end";
      if (this.#clock.elapsed() < this.#due) return null;
      await this.#look();
    }
    const arrived = this.#clock.now();
    let taken = 0;
    for (const { payload, subject } of this.#rest) {
      if (taken > 0 && (taken >= limits.rows || this.#builder.size + payload.length > limits.bytes)) break;
      if (!this.#builder.fits(payload.length)) break;
      this.#builder.add(payload, subject, arrived);
      taken++;
    }
    this.#rest = this.#rest.slice(taken);
    if (taken === 0) return null;
    const payloads = this.#builder.view();
    this.#records += taken;
    this.#bytes += payloads.bytes.length;
    return { payloads, position: null };
  }

  commit(): Promise<void> {
    return Promise.resolve();
  }

  stats(): SourceStats {
    return { records: this.#records, bytes: this.#bytes, dropped: {}, lag: this.#rest.length };
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  async #look(): Promise<void> {
    const passed = this.#clock.elapsed();
    const readings = await this.#sampler.sample(this.#clock.now(), passed);
    this.#rest = readings.map((reading) => ({
      payload: Buffer.from(JSON.stringify(reading)),
      subject: `host.${reading.sensor}`,
    }));
    // Looks stay on the grid of the interval; those that were missed are left out.
    this.#due += this.#every * Math.max(1, Math.ceil((passed + 1 - this.#due) / this.#every));
  }
}
