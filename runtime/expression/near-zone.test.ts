import { expect, test } from "vitest";
import { nearZone } from "./near-zone.ts";

test.each([
  ["Europe/Berln", "Europe/Berlin"],
  ["Europe/Brelin", "Europe/Berlin"],
  ["Europa/Berlin", "Europe/Berlin"],
  ["Berlin", "Europe/Berlin"],
  ["berln", "Europe/Berlin"],
  ["Germany/Berlin", "Europe/Berlin"],
  ["America/New York", "America/New_York"],
  ["New York", "America/New_York"],
])("%s is near %s", (name, zone) => {
  expect(nearZone(name)).toBe(zone);
});

test.each(["", "Mordor/Barad-dur", "__proto__"])("%j is near none", (name) => {
  expect(nearZone(name)).toBeUndefined();
});
