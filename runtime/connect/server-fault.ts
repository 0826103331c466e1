// What a server of NATS that is there does not do for a command, as an error that says so and what to do about it. Pure.

import { JetStreamApiCodes, JetStreamApiError, JetStreamError } from "@nats-io/jetstream";
import {
  ClosedConnectionError,
  ConnectionError,
  DrainingConnectionError,
  PermissionViolationError,
  RequestError,
  TimeoutError,
} from "@nats-io/transport-node";
import { messageOf, WeirError } from "../errors.ts";
import { isCode } from "./jetstream-requests.ts";

const unanswered = [
  TimeoutError,
  RequestError,
  ConnectionError,
  ClosedConnectionError,
  DrainingConnectionError,
];

/** `connection`: what the connection is called. What is no fault of the server's is given back as it is. */
export function serverFault(fault: unknown, connection: string): unknown {
  if (fault instanceof WeirError) return fault;
  const cause = fault instanceof Error ? fault.cause : undefined;
  const forbidden = [fault, cause].find((each) => each instanceof PermissionViolationError);
  if (forbidden !== undefined)
    return new WeirError("WEIR_REFUSED", `nats "${connection}": the server says: ${messageOf(forbidden)}`, {
      remedy: "ask as a user who may, or have it added to the permissions of this one",
      cause: fault,
    });
  if (isWithoutJetStream(fault))
    return unavailable(
      fault,
      `nats "${connection}": its server has no JetStream for this account, and keeps no buckets: ${messageOf(fault)}`,
      "name the connection with the buckets, --to NAME, or have JetStream switched on there",
    );
  if (unanswered.some((kind) => fault instanceof kind))
    return unavailable(
      fault,
      `nats "${connection}": the server did not answer: ${messageOf(fault)}`,
      "look whether it was done nevertheless, by weir plan or weir devices, and ask again",
    );
  if (fault instanceof JetStreamError || fault instanceof JetStreamApiError)
    return unavailable(
      fault,
      `nats "${connection}": the server refuses: ${messageOf(fault)}`,
      "whoever runs the server sees to that; then ask again",
    );
  return fault;
}

/** 10076: the server's own code where it is switched off everywhere; the client says by a name what nobody answers at all. */
function isWithoutJetStream(fault: unknown): boolean {
  if (isCode(fault, 10_076) || isCode(fault, JetStreamApiCodes.JetStreamNotEnabledForAccount)) return true;
  return fault instanceof Error && fault.name === "JetStreamNotEnabled";
}

function unavailable(cause: unknown, message: string, remedy: string): WeirError {
  return new WeirError("WEIR_NATS_UNAVAILABLE", message, { remedy, cause });
}
