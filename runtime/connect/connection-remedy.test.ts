// What is advised where no connection comes about.

import { expect, test } from "vitest";
import { connectionReason, connectionRemedy } from "./connection-remedy.ts";

test.each([
  ["Authorization Violation", "check the user and the password"],
  ["authentication timeout", "check the user and the password"],
  ["server does not support 'tls'", "speaks no TLS"],
  [
    "self-signed certificate; if the root CA is installed locally, …",
    "check the certificates: nats: cloud: tls:",
  ],
  ["Hostname/IP does not match certificate's altnames: Host: localhost.", "check the certificates"],
  ["/etc/weir/ca.pem doesn't exist", "check the certificates"],
  ["unable to verify the first certificate", "check the certificates"],
  [
    "connect ECONNREFUSED 127.0.0.1:4222",
    "start a nats-server there, or say where it is: --nats cloud=nats://HOST:PORT",
  ],
  ["timeout", "nothing there answers as a nats-server does"],
  ["getaddrinfo ENOTFOUND nohost.invalid", "no address is known for that name"],
  ["getaddrinfo EAI_AGAIN nohost", "no address is known for that name"],
  ["unable to parse credentials", "${file:edge.creds}"],
])("%s", (reason, told) => {
  expect(connectionRemedy(reason, "cloud")).toContain(told);
});

test("a connection that is closed at once says so, and not what the client makes of it", () => {
  const reason = connectionReason("error connecting - node provided an undefined error");
  expect(reason).toBe("the connection was closed before a server spoke");
  expect(connectionRemedy(reason, "cloud")).toContain("nothing there answers as a nats-server does");
  expect(connectionReason("connection refused")).toBe("connection refused");
});
