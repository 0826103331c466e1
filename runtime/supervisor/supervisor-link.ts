// The supervisor's side of its connection to NATS, when there is one: it follows what is wanted, tells what happens, and
// answers who asks how it fares. Nothing that runs waits for it.

import type { Clock } from "../clock.ts";
import type { NatsLink } from "../connect/nats-connection.ts";
import { messageOf } from "../errors.ts";
import type { Log } from "../log.ts";
import { followDesired } from "./desired-bucket.ts";
import type { Supervisor, Told } from "./supervisor.ts";

/** Where a host tells what happens there, as JSON; and where it answers with its status. */
export const eventSubject = (host: string): string => `weir.event.${host}`;
export const statusSubject = (host: string): string => `weir.status.${host}`;

export interface LinkOptions {
  /** Resolves once the server is there, however long that takes. */
  readonly link: Promise<NatsLink>;
  readonly host: string;
  readonly supervisor: Supervisor;
  readonly clock: Clock;
  readonly log: Log;
}

/** Ends by the returned function. */
export function linkSupervisor({ link, host, supervisor, clock, log }: LinkOptions): () => void {
  const stop = new AbortController();
  let opened: NatsLink | null = null;
  const endEvents = supervisor.onTold((told: Told) => {
    if (opened?.connected === true && !opened.nats.isClosed())
      opened.nats.publish(eventSubject(host), JSON.stringify({ host, ...told }));
  });
  const follow = async (): Promise<void> => {
    opened = await link;
    if (stop.signal.aborted) return;
    opened.nats.subscribe(statusSubject(host), {
      callback: (_error, message) => void message.respond(JSON.stringify(supervisor.status())),
    });
    await followDesired(
      opened,
      host,
      ({ state, pipelines }) => {
        // A bucket that says nothing of this host is no order to end what runs.
        if (state === null) return;
        supervisor.hold(state.drain);
        supervisor.want([...pipelines.values()].map(({ pipeline }) => pipeline));
      },
      { clock, log, stopped: stop.signal },
    );
  };
  follow().catch((error: unknown) => {
    if (!stop.signal.aborted) log.warn(`the supervisor has no connection: ${messageOf(error)}`);
  });
  return () => {
    stop.abort();
    endEvents();
  };
}
