// What is said to be in the way of rows: the connection first, then what the other side was heard to lack, until it is there.

import { expect, it } from "vitest";
import { silentLog } from "../connect/connector-log.ts";
import type { NatsLink } from "../connect/nats-connection.ts";
import { Hindrance } from "./hindrance.ts";

it("is the connection, then what whoever opens the other side waits for, and nothing once that is there", () => {
  const hindrance = new Hindrance("cloud");
  const log = hindrance.heard(silentLog);
  log.waits?.("sink stream OUT", "no room");
  expect(hindrance.text).toBe("connection cloud is away");
  const link = { connected: true };
  hindrance.opened(link as NatsLink);
  expect(hindrance.text).toBe("sink stream OUT: no room");
  log.waits?.("sink stream OUT", null);
  expect(hindrance.text).toBe(null);
  link.connected = false;
  expect(hindrance.text).toBe("connection cloud is away");
});
