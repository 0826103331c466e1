// A connection to NATS that is never given up: it waits for the first connect (for ever, or as long as somebody at a
// terminal would), comes back after every cut
// with back-off, notices a dead link within seconds, and says each change once. Never subscribes or
// publishes; it holds no data, so what is in flight at a cut is the business of sources and sinks.

import {
  connect,
  credsAuthenticator,
  nkeyAuthenticator,
  type Authenticator,
  type NatsConnection,
  type NodeConnectionOptions,
  PermissionViolationError,
  type Status,
} from "@nats-io/transport-node";
import { type Observable, ReplaySubject, Subject } from "rxjs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { sleep, wallClock, type Clock } from "../clock.ts";
import { messageOf, WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import { backOff } from "./back-off.ts";
import { connectionReason, connectionRemedy, refusalRemedy } from "./connection-remedy.ts";
import type { ConnectorLog } from "./connector-log.ts";
import { parseNatsUrl, redact, type NatsAddress } from "./nats-url.ts";

export interface NatsConnectionOptions {
  /** What the connection is called in messages and in the server's monitoring. */
  readonly name: string;
  /** One address or several of one cluster; credentials in them are taken out before anything is shown. */
  readonly servers: string | readonly string[];
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  /** The text of a credentials file. */
  readonly credentials?: string;
  /** The seed of an nkey. */
  readonly nkey?: string;
  /** What subjects for answers begin with, where a server lets a user read only those; `_INBOX` by default. */
  readonly inbox?: string;
  readonly tls?: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string };
  /** Ends the wait for the first connect. */
  readonly signal?: AbortSignal;
  /** How long the first connect is tried; for ever without it. */
  readonly patience_ms?: number;
  readonly clock?: Clock;
}

export type NatsStatus =
  | { readonly kind: "connected"; readonly server: string }
  | { readonly kind: "disconnected"; readonly server: string }
  | { readonly kind: "error"; readonly message: string }
  | { readonly kind: "closed" };

/** A connection with a name. `nats` is the client's own object, valid across reconnects. */
export interface NatsLink {
  readonly name: string;
  readonly nats: NatsConnection;
  /** What subjects for answers begin with, where it is not the client's default. */
  readonly inbox: string | undefined;
  /** The last status at once, then each change; completes when the link is closed. */
  readonly status: Observable<NatsStatus>;
  readonly connected: boolean;
  /** The subject of each message that the server did not take, because this user may not publish there; before the answer to a flush behind it. */
  readonly refused: Observable<string>;
  /** How often the connection was cut. Whoever keeps requests in flight compares it with what it was. */
  readonly cuts: number;
  /**
   * Resolves once the server has all that was published before. One round trip serves all who ask in one
   * go, as the sinks of many pipelines do.
   */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** What the client is given, and what must never be shown. */
interface Access {
  readonly options: NodeConnectionOptions;
  readonly secrets: readonly string[];
  readonly shown: string;
}

/** Connects, waiting for the server. Rejects for a wrong configuration, when `signal` fires, and when `patience_ms` is over. */
export async function connectNats(options: NatsConnectionOptions, log: ConnectorLog): Promise<NatsLink> {
  const clock = options.clock ?? wallClock;
  const access = accessOf(options);
  let [delay, due, attempt] = [0, 0, 0];
  const pace: NodeConnectionOptions = {
    // Asked several times before one dial: the answer may only change when a dial is made, or is due. The client goes by the clock on
    // the wall since its last dial, and where that was set back, would wait for as long as that takes, without rest.
    reconnectDelayHandler: () => (clock.elapsed() < due ? delay : Number.NEGATIVE_INFINITY),
    reconnectToServer: () => {
      delay = backOff(attempt++, Math.random());
      due = clock.elapsed() + delay;
      return null;
    },
  };
  const nats = await firstConnect({ ...access.options, ...pace }, access, options, clock, log);
  return watch(nats, options, access, clock, log, () => {
    [delay, due, attempt] = [0, 0, 0];
  });
}

function accessOf(options: NatsConnectionOptions): Access {
  const given = typeof options.servers === "string" ? options.servers.split(",") : options.servers;
  const addresses = given.map(parseNatsUrl);
  const login = loginOf(options, addresses);
  const tls = options.tls ?? (addresses.some((address) => address.tls) ? {} : undefined);
  const secrets = [login.pass, login.token, options.nkey].filter((secret) => secret !== undefined);
  return {
    options: {
      servers: addresses.map((address) => address.server),
      name: options.name,
      ...login,
      ...(tls === undefined ? {} : { tls }),
      ...(options.inbox === undefined ? {} : { inboxPrefix: options.inbox }),
      maxReconnectAttempts: -1,
      ignoreAuthErrorAbort: true,
      ignoreClusterUpdates: true,
      pingInterval: limits.nats_ping_interval_ms,
      maxPingOut: 2,
      // Whoever waits at a terminal waits no longer for a server that says nothing.
      timeout:
        options.patience_ms === undefined ? limits.nats_handshake_ms_max : limits.nats_command_wait_ms_max,
      // A stack for each request costs more than the request.
      noAsyncTraces: true,
    },
    secrets,
    shown: addresses.map((address) => address.server).join(", "),
  };
}

function loginOf(
  options: NatsConnectionOptions,
  addresses: readonly NatsAddress[],
): Pick<NodeConnectionOptions, "user" | "pass" | "token" | "authenticator"> {
  const authenticators: Authenticator[] = [];
  if (options.credentials !== undefined)
    authenticators.push(credsAuthenticator(new TextEncoder().encode(options.credentials)));
  if (options.nkey !== undefined)
    authenticators.push(nkeyAuthenticator(new TextEncoder().encode(options.nkey)));
  if (authenticators.length > 0) return { authenticator: authenticators };
  const token = options.token ?? addresses.find((address) => address.token !== null)?.token;
  if (token != null) return { token };
  const inUrl = addresses.find((address) => address.user !== null);
  const user = options.user ?? inUrl?.user;
  if (user == null) return {};
  return { user, pass: options.password ?? inUrl?.password ?? "" };
}

async function firstConnect(
  client: NodeConnectionOptions,
  access: Access,
  options: NatsConnectionOptions,
  clock: Clock,
  log: ConnectorLog,
): Promise<NatsConnection> {
  const { name, signal, patience_ms: patience } = options;
  const giveUp = patience === undefined ? Number.POSITIVE_INFINITY : clock.elapsed() + patience;
  const howLong = patience === undefined ? "trying again for ever" : `trying for ${patience / 1000}s`;
  let told = "";
  for (let attempt = 0; ; attempt++) {
    if (signal?.aborted === true) throw stopped(name, access, told);
    try {
      const connection = await connect(client);
      // Whoever read that it is waited for would wait on.
      if (told !== "") log.info(`nats "${name}": connected to ${access.shown}`);
      return connection;
    } catch (fault) {
      const reason = redact(connectionReason(messageOf(fault)), access.secrets);
      // One line for each new reason; a server that is away for a night does not fill the log.
      if (reason !== told) {
        const remedy = refusalRemedy(reason, name);
        const hint = remedy === null ? "" : `; ${remedy}`;
        log.warn(`nats "${name}": waiting for ${access.shown}: ${reason}; ${howLong}${hint}`);
      }
      told = reason;
    }
    const left = giveUp - clock.elapsed();
    if (left <= 0) throw unanswered(name, access, told);
    await pause(clock, Math.min(left, backOff(attempt, Math.random())), signal);
  }
}

function stopped(name: string, access: Access, reason: string): WeirError {
  const why = reason === "" ? "" : `: ${reason}`;
  return new WeirError(
    "WEIR_NATS_UNAVAILABLE",
    `nats "${name}": stopped before ${access.shown} answered${why}`,
    {
      remedy: refusalRemedy(reason, name) ?? "Start a nats-server there, or correct the address.",
    },
  );
}

function unanswered(name: string, access: Access, reason: string): WeirError {
  return new WeirError(
    "WEIR_NATS_UNAVAILABLE",
    `nats "${name}": no connection to ${access.shown}: ${reason}`,
    { remedy: connectionRemedy(reason, name) },
  );
}

/** Sleeps, or returns early when the signal fires. */
async function pause(clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return sleep(clock, ms);
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(ms, resolve);
  const onAbort = (): void => resolve();
  signal.addEventListener("abort", onAbort, { once: true });
  await promise;
  signal.removeEventListener("abort", onAbort);
  cancel();
}

function watch(
  nats: NatsConnection,
  { name, inbox }: NatsConnectionOptions,
  access: Access,
  clock: Clock,
  log: ConnectorLog,
  onReconnect: () => void,
): NatsLink {
  const status = new ReplaySubject<NatsStatus>(1);
  const refused = new Subject<string>();
  let connected = true;
  let cuts = 0;
  let cutAt = 0;
  const told = new Set<string>();
  status.next({ kind: "connected", server: nats.getServer() });
  const take = (event: Status): void => {
    if (event.type === "disconnect") {
      if (connected) {
        connected = false;
        cuts++;
        cutAt = clock.elapsed();
        log.warn(`nats "${name}": lost ${redact(event.server)}; reconnecting for ever`);
        status.next({ kind: "disconnected", server: redact(event.server) });
      }
    } else if (event.type === "reconnect") {
      // The client says it once more for each time that it was not let in meanwhile.
      if (connected) return;
      connected = true;
      told.clear();
      onReconnect();
      log.info(
        `nats "${name}": back on ${redact(event.server)} after ${Math.round(clock.elapsed() - cutAt)} ms`,
      );
      status.next({ kind: "connected", server: redact(event.server) });
    } else if (event.type === "error") {
      const message = redact(messageOf(event.error), access.secrets);
      // What is refused is asked for again and again, for as many subjects as there are devices; each is said once.
      const what = withoutInbox(message, inbox);
      if (!told.has(what) && told.size < limits.nats_errors_told_max) log.warn(`nats "${name}": ${message}`);
      told.add(what);
      const { error } = event;
      if (error instanceof PermissionViolationError && error.operation === "publish")
        refused.next(error.subject);
      status.next({ kind: "error", message });
    }
  };
  void (async () => {
    for await (const event of nats.status()) take(event);
    connected = false;
    status.next({ kind: "closed" });
    status.complete();
  })();
  return {
    name,
    nats,
    inbox,
    status,
    refused,
    get connected() {
      return connected;
    },
    get cuts() {
      return cuts;
    },
    flush: sharedFlush(nats),
    close: () => closeNats(nats, () => connected, clock),
  };
}

/** What was said, whichever subject for answers it was about: each question may have one of its own. */
export function withoutInbox(message: string, inbox = "_INBOX"): string {
  return message.replaceAll(/"[^"]*"/g, (subject) => (subject.startsWith(`"${inbox}.`) ? inbox : subject));
}

function sharedFlush(nats: NatsConnection): () => Promise<void> {
  let asked: Promise<void> | null = null;
  return () => {
    asked ??= Promise.resolve().then(async () => {
      asked = null;
      await nats.flush();
      // What the server refused before its answer is told by the client a turn later.
      await nextTurn();
    });
    return asked;
  };
}

/** Sends what is buffered when the server is there, then closes; a server that is away does not hold it up. */
async function closeNats(nats: NatsConnection, isConnected: () => boolean, clock: Clock): Promise<void> {
  if (nats.isClosed()) return;
  if (isConnected()) {
    const flushed = nats.flush().catch(() => {});
    await Promise.race([flushed, sleep(clock, limits.nats_close_ms_max)]);
  }
  await nats.close();
}
