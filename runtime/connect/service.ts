// Questions and answers over NATS in plain JSON, by the protocol that `nats micro` lists and asks (PING, INFO, STATS). One
// request is one call; what goes wrong is an answer as well. Keeps nothing but counts, and decides nothing.

import type { Msg, MsgHdrs, Subscription } from "@nats-io/transport-node";
import { headers, PermissionViolationError } from "@nats-io/transport-node";
import { type Clock, stopwatch } from "../clock.ts";
import { isErrorCode, messageOf, WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { NatsLink } from "./nats-connection.ts";

/** What is answered when something is wrong. */
export interface ServiceError {
  readonly error: { readonly code: string; readonly message: string; readonly remedy: string | null };
}

export interface Endpoint {
  readonly name: string;
  readonly subject: string;
  /**
   * `request`: what was sent, read as JSON; undefined for nothing. `subject`: where it was sent to, where the endpoint's has
   * wildcards. What it resolves with is the answer.
   */
  readonly answer: (request: unknown, subject: string) => unknown;
}

export interface ServiceOptions {
  readonly link: NatsLink;
  /** `weir-device`: what services of this kind are called. */
  readonly name: string;
  /** Of this one. */
  readonly id: string;
  readonly version: string;
  readonly description: string;
  readonly endpoints: readonly Endpoint[];
  readonly clock: Clock;
}

interface Counts {
  requests: number;
  errors: number;
  lastError: string;
  spent_ms: number;
}

/** Of several that answer on one subject, one is asked. */
const queue = "weir";
const protocol = "io.nats.micro.v1";

/** Answers from here on; ends by the returned function. */
export function openService(options: ServiceOptions): () => void {
  const { link, name, id, endpoints, clock } = options;
  const started = new Date(clock.now()).toISOString();
  const counts = new Map(endpoints.map((each) => [each.name, none()]));
  const subscriptions: Subscription[] = endpoints.map((endpoint) =>
    link.nats.subscribe(endpoint.subject, {
      queue,
      callback: (error, message) => {
        if (error === null) void serve(endpoint, counts.get(endpoint.name)!, message);
      },
    }),
  );
  const monitor = (verb: string, say: () => unknown): void => {
    for (const subject of [`$SRV.${verb}`, `$SRV.${verb}.${name}`, `$SRV.${verb}.${name}.${id}`]) {
      const callback = (error: Error | null, message: Msg): void => {
        if (error === null) message.respond(JSON.stringify(say()));
      };
      subscriptions.push(link.nats.subscribe(subject, { callback }));
    }
  };
  monitor("PING", () => ({ type: `${protocol}.ping_response`, ...identityOf(options) }));
  monitor("INFO", () => infoOf(options));
  monitor("STATS", () => statsOf(options, started, counts));
  return () => {
    for (const each of subscriptions) each.unsubscribe();
  };
}

async function serve({ answer }: Endpoint, counts: Counts, message: Msg): Promise<void> {
  const began = stopwatch();
  counts.requests++;
  try {
    message.respond(JSON.stringify(await answer(requestOf(message), message.subject)));
  } catch (fault) {
    counts.errors++;
    const said = errorOf(fault);
    counts.lastError = said.error.message;
    message.respond(JSON.stringify(said), { headers: errorHeaders(said) });
  }
  counts.spent_ms += stopwatch() - began;
}

function requestOf(message: Msg): unknown {
  if (message.data.length > limits.service_request_bytes_max)
    throw new WeirError("WEIR_USAGE", `a request holds ${limits.service_request_bytes_max} bytes at most`, {
      remedy: "send less",
    });
  if (message.data.length === 0) return undefined;
  try {
    return message.json();
  } catch {
    throw new WeirError("WEIR_USAGE", "the request is no JSON", {
      remedy: 'send an object, such as {"pipeline":"…"}',
    });
  }
}

export function errorOf(fault: unknown): ServiceError {
  const code = fault instanceof WeirError ? fault.code : "WEIR_INTERNAL";
  const remedy = fault instanceof WeirError ? (fault.remedy ?? null) : null;
  return { error: { code, message: messageOf(fault), remedy } };
}

function errorHeaders({ error }: ServiceError): MsgHdrs {
  const said = headers();
  said.set("Nats-Service-Error-Code", error.code);
  said.set("Nats-Service-Error", error.message.replaceAll(/\s+/g, " "));
  return said;
}

function none(): Counts {
  return { requests: 0, errors: 0, lastError: "", spent_ms: 0 };
}

function identityOf({ name, id, version }: ServiceOptions): Record<string, unknown> {
  return { name, id, version, metadata: {} };
}

function infoOf(options: ServiceOptions): unknown {
  return {
    type: `${protocol}.info_response`,
    ...identityOf(options),
    description: options.description,
    endpoints: options.endpoints.map(endpointOf),
  };
}

function endpointOf({ name, subject }: Endpoint): Record<string, unknown> {
  return { name, subject, queue_group: queue, metadata: {} };
}

/** Times are in nanoseconds there. */
function statsOf(options: ServiceOptions, started: string, counts: ReadonlyMap<string, Counts>): unknown {
  const endpoints = options.endpoints.map((endpoint) => {
    const { requests, errors, lastError, spent_ms } = counts.get(endpoint.name) ?? none();
    const spent = Math.round(spent_ms * 1e6);
    return {
      ...endpointOf(endpoint),
      num_requests: requests,
      num_errors: errors,
      last_error: lastError,
      processing_time: spent,
      average_processing_time: requests === 0 ? 0 : Math.round(spent / requests),
    };
  });
  return { type: `${protocol}.stats_response`, ...identityOf(options), started, endpoints };
}

/** Asks, and gives the answer as it is; rejects with what was answered in place of one, or WEIR_NATS_UNAVAILABLE for none. */
export async function askService(link: NatsLink, subject: string, request: unknown): Promise<unknown> {
  let said: unknown;
  try {
    const timeout = limits.service_answer_ms_max;
    said = (await link.nats.request(subject, JSON.stringify(request ?? null), { timeout })).json();
  } catch (cause) {
    if (isForbidden(cause))
      throw new WeirError("WEIR_REFUSED", `the server does not let this user ask on ${subject}`, {
        remedy: "ask as who the connection is, or have it added to the permissions of that user",
        cause,
      });
    throw new WeirError("WEIR_NATS_UNAVAILABLE", `nobody answers on ${subject}`, {
      remedy: "see that it runs and is connected to the same servers: nats micro list",
      cause,
    });
  }
  if (!isError(said)) return said;
  const { code, message } = said.error;
  throw new WeirError(isErrorCode(code) ? code : "WEIR_INTERNAL", message, remedyOf(said));
}

function isForbidden(fault: unknown): boolean {
  return fault instanceof Error && fault.cause instanceof PermissionViolationError;
}

function remedyOf({ error }: ServiceError): { readonly remedy?: string } {
  return error.remedy === null ? {} : { remedy: error.remedy };
}

function isError(said: unknown): said is ServiceError {
  if (typeof said !== "object" || said === null || !("error" in said)) return false;
  const { error } = said;
  return (
    typeof error === "object" && error !== null && "message" in error && typeof error.message === "string"
  );
}
