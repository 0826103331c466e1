// What is suggested for a name that weir does not have.

import { expect, test } from "vitest";
import { didYouMean } from "./nearest.ts";

const window = ["tumbling", "hopping", "calendar", "offset", "by", "select"];

test.each([
  ["timezone", window, "use calendar: { unit: day, zone: Europe/Berlin } in place of tumbling"],
  ["zone", window, "use calendar: { unit: day, zone: Europe/Berlin } in place of tumbling"],
  ["tz", window, "use calendar: { unit: day, zone: Europe/Berlin } in place of tumbling"],
  ["timezone", ["unit", "shifts", "zone"], "did you mean zone?"],
  ["mqtt", ["nats", "file", "host"], "use nats: nats-server takes MQTT itself"],
  ["uplink", ["nats", "threads", "state"], "use nats: the uplink is one connection's"],
  ["delay", ["throttle", "hold"], "did you mean throttle?"],
  ["count", ["rows", "bytes", "wait"], "did you mean rows?"],
  ["period", ["rows", "bytes", "wait"], "did you mean wait?"],
  ["slect", window, "did you mean select?"],
  ["colour", ["red", "blue"], "expected red or blue"],
] as const)("%s among %j", (name, names, told) => {
  expect(didYouMean(name, names)).toContain(told);
});
