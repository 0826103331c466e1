// Asking JetStream for something while it may be away: a passing fault is waited out with back-off and said
// once, a refusal is an error with a remedy. Holds no state of a source or a sink.

import {
  JetStreamApiCodes,
  JetStreamApiError,
  jetstreamManager,
  type JetStreamManager,
  type StreamInfo,
} from "@nats-io/jetstream";
import { wallClock, sleep, type Clock } from "../clock.ts";
import { messageOf, WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import { backOff } from "./back-off.ts";
import type { ConnectorLog } from "./connector-log.ts";
import { type NatsLink, withoutInbox } from "./nats-connection.ts";

/** Who asks, and until when. */
export interface Asker {
  /** What messages start with: `source SENSORS`. */
  readonly name: string;
  readonly link: NatsLink;
  readonly log: ConnectorLog;
  readonly clock: Clock;
  /** True ends the waiting. */
  isStopped(): boolean;
}

export function asker(
  name: string,
  options: { readonly link: NatsLink; readonly log: ConnectorLog; readonly clock?: Clock },
  isStopped: () => boolean,
): Asker {
  return { name, link: options.link, log: options.log, clock: options.clock ?? wallClock, isStopped };
}

/** The manager of the connection's JetStream, or of another domain's. Asks nothing of the server. */
export function managerOf(link: NatsLink, domain: string | null): Promise<JetStreamManager> {
  return jetstreamManager(link.nats, {
    checkAPI: false,
    timeout: limits.nats_request_ms_max,
    ...(domain === null ? {} : { domain }),
  });
}

export function isCode(fault: unknown, code: number): boolean {
  return fault instanceof JetStreamApiError && fault.code === code;
}

/**
 * The server's codes for an account that has no more room, consumers or streams: who runs the server gives it more, or somebody
 * else's goes.
 */
const exhausted: ReadonlySet<number> = new Set([10_002, 10_026, 10_027]);

/** The same for one whose account or disk has no room for what a new stream reserves. */
const roomless: ReadonlySet<number> = new Set([10_002, 10_023, 10_047]);

/** What creating `name`, which may hold `bytes`, failed of; where that is too much, with what helps. */
export function creationFault(fault: unknown, name: string, bytes: number): unknown {
  if (!(fault instanceof JetStreamApiError) || !roomless.has(fault.code)) return fault;
  const cure = `give its JetStream more room (max_file_store, or the account's max_file), or make ${name} yourself with a smaller --max-bytes`;
  return new Error(`${messageOf(fault)}: one that weir makes reserves ${bytes} bytes; ${cure}`, {
    cause: fault,
  });
}

/** A refusal is not cured by asking again: a bad configuration, what exists and is another. */
function isRefusal(fault: unknown): boolean {
  if (!(fault instanceof JetStreamApiError) || exhausted.has(fault.code)) return false;
  return fault.status >= 400 && fault.status < 500;
}

const missingStream = "the stream does not exist (yet)";

/** Runs `task` until it succeeds; a refusal becomes an error that names what was asked. */
export async function insist<T>(asker: Asker, what: string, task: () => Promise<T>): Promise<T> {
  let told = "";
  for (let attempt = 0; ; attempt++) {
    if (asker.isStopped()) throw stopped(asker, what);
    try {
      const done = await task();
      if (told !== "") asker.log.waits?.(asker.name, null);
      return done;
    } catch (fault) {
      if (fault instanceof WeirError) throw fault;
      const isMissing = isCode(fault, JetStreamApiCodes.StreamNotFound);
      if (isRefusal(fault) && !isMissing) {
        throw new WeirError("WEIR_CONFIG", `${asker.name}: ${what}: ${messageOf(fault)}`, {
          remedy: "The server refused it; change the pipeline or what exists on the server.",
          cause: fault,
        });
      }
      const reason = isMissing
        ? `${missingStream}; who publishes makes it, as weir feed --stream does`
        : messageOf(fault);
      const said = withoutInbox(reason, asker.link.inbox);
      if (said !== told) {
        asker.log.warn(`${asker.name}: ${what}: ${reason}; trying again for ever`);
        asker.log.waits?.(asker.name, isMissing ? missingStream : reason);
      }
      told = said;
    }
    await sleep(asker.clock, backOff(attempt, Math.random()));
  }
}

function stopped(asker: Asker, what: string): WeirError {
  return new WeirError("WEIR_NATS_UNAVAILABLE", `${asker.name}: stopped before it could ${what}`);
}

/** The stream's configuration and state, once it exists. */
export function waitForStream(asker: Asker, manager: JetStreamManager, stream: string): Promise<StreamInfo> {
  return insist(asker, `read stream ${stream}`, () => manager.streams.info(stream));
}

/** Does something whenever the connection is there again, until the function that it returns is called. */
export function onReturn(link: NatsLink, then: () => void): () => void {
  let cut = false;
  const watching = link.status.subscribe((status) => {
    if (status.kind === "disconnected") cut = true;
    if (status.kind === "connected" && cut) then();
  });
  return () => watching.unsubscribe();
}
