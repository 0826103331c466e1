// Where fed rows go: core NATS, JetStream, or an MQTT broker. Each target takes rows as fast as the other
// side confirms them and no faster, and says how many it confirmed.

import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { messageOf, WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import { Conditions } from "./conditions.ts";
import type { Sink } from "./connect.ts";
import { redact } from "./nats-url.ts";

export interface FeedTarget {
  /** Takes a row; resolves when there is room for the next. */
  send(to: string, payload: Uint8Array, at: number, id: string | null): Promise<void> | void;
  /** Resolves once all are confirmed or lost. */
  flush(): Promise<void>;
  /** Confirmed by the other side. */
  readonly confirmed: number;
  readonly lost: number;
  close(): Promise<void>;
}

/** Rows through one of weir's own sinks. */
export function sinkTarget(sink: Sink): FeedTarget {
  let sinceReady = 0;
  return {
    send(to, payload, at, id) {
      sink.write({ subject: to, payload, id, caused: at });
      // Asking for room costs more than the row.
      if (++sinceReady < 64) return undefined;
      sinceReady = 0;
      return sink.ready();
    },
    flush: () => sink.flush(),
    get confirmed() {
      return sink.stats().rows;
    },
    get lost() {
      return Object.values(sink.stats().dropped).reduce((sum, count) => sum + count, 0);
    },
    close: () => sink.close(),
  };
}

/** Rows to MQTT topics, protocol 3.1.1, quality of service 1: the broker confirms each. */
export async function mqttTarget(url: string): Promise<FeedTarget> {
  let client: MqttClient;
  const options: IClientOptions = {
    protocolVersion: 4,
    connectTimeout: limits.nats_command_wait_ms_max,
    reconnectPeriod: limits.nats_reconnect_ms_min,
    clientId: `weir-feed-${process.pid}`,
    clean: true,
  };
  try {
    // Fails at the first refusal; only a broker that was there once is waited for.
    client = await mqtt.connectAsync(url, options, false);
  } catch (fault) {
    throw new WeirError("WEIR_NATS_UNAVAILABLE", `no MQTT broker at ${redact(url)}: ${messageOf(fault)}`, {
      remedy: "Start one, or correct the address; a nats-server with an mqtt listener is one.",
      cause: fault,
    });
  }
  return mqttClientTarget(client);
}

function mqttClientTarget(client: MqttClient): FeedTarget {
  const conditions = new Conditions();
  let inFlight = 0;
  let confirmed = 0;
  let lost = 0;
  let closed = false;
  // The client comes back by itself and repeats what was not confirmed.
  client.on("error", () => {});
  return {
    send(to, payload) {
      if (closed) {
        lost++;
        return undefined;
      }
      inFlight++;
      client.publish(
        to,
        Buffer.from(payload.buffer, payload.byteOffset, payload.length),
        { qos: 1 },
        (fault) => {
          if (closed) return;
          inFlight--;
          if (fault == null) confirmed++;
          else lost++;
          conditions.check();
        },
      );
      return inFlight < limits.feed_in_flight_max
        ? undefined
        : conditions.until(() => inFlight < limits.feed_in_flight_max);
    },
    flush: () => conditions.until(() => inFlight === 0),
    get confirmed() {
      return confirmed;
    },
    get lost() {
      return lost;
    },
    async close() {
      // What is not confirmed by now is given up: to wait for it is what flush is for.
      const isCut = inFlight > 0;
      lost += inFlight;
      inFlight = 0;
      closed = true;
      conditions.check();
      await client.endAsync(isCut);
    },
  };
}
