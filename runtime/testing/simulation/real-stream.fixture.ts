// A plain port to a real stream, one request for each question, for as long as none faster is there.

import type { JetStreamManager } from "@nats-io/jetstream";
import { headers as messageHeaders, type NatsConnection } from "@nats-io/transport-node";
import type { StoredMessage, StreamPort } from "../../connect/chain/stream-port.ts";
import { outcomeOf } from "../../connect/jetstream-publisher.ts";

export function realStream(nats: NatsConnection, manager: JetStreamManager, name: string): StreamPort {
  const get = async (query: { seq: number } | { last_by_subj: string }): Promise<StoredMessage | null> => {
    try {
      const message = await manager.streams.getMessage(name, query);
      if (message === null) return null;
      const entries = message.header
        .keys()
        .map((key): [string, string] => [key.toLowerCase(), message.header.get(key)]);
      return {
        sequence: message.seq,
        subject: message.subject,
        payload: message.data,
        headers: new Map(entries),
      };
    } catch {
      return null;
    }
  };
  return {
    name,
    publish({ subject, payload, headers }, answered) {
      const header = messageHeaders();
      for (const [key, value] of Object.entries(headers)) header.set(key, value);
      const asked = nats.request(subject, payload, { timeout: 5_000, headers: header });
      asked.then(
        (message) => {
          const outcome = outcomeOf(message.headers?.code ?? 0, message.string());
          if (outcome.kind !== "stored") return answered(outcome);
          answered({ ...outcome, sequence: message.json<{ seq: number }>().seq });
        },
        () => answered({ kind: "absent" }),
      );
    },
    async facts() {
      try {
        const { created, state, config } = await manager.streams.info(name);
        return { created, first: state.first_seq, last: state.last_seq, retention: config.retention };
      } catch {
        return null;
      }
    },
    read: (seq) => get({ seq }),
    readLast: (subject) => get({ last_by_subj: subject }),
    close: () => Promise.resolve(),
  };
}
