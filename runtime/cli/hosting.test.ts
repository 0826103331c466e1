// What may be said of what runs workers: options of another driver would be typed in vain.

import { expect, test } from "vitest";
import { checkHosting, type HostingOptions } from "./hosting.ts";

const options: HostingOptions = { driver: "process", machine: "m", qemu: "q", image: "i", network: "n" };

test.each<[string, Partial<HostingOptions>, readonly string[], string | null]>([
  ["defaults of others", {}, ["state", "memory"], null],
  ["an image for containers", { driver: "container" }, ["image", "network"], null],
  ["a machine", { driver: "vm" }, ["machine", "qemu"], null],
  ["an image for processes", {}, ["image"], "--image is for workers of --driver container, not process"],
  [
    "qemu for containers",
    { driver: "container" },
    ["qemu"],
    "--qemu is for workers of --driver vm, not container",
  ],
  ["a blank image", { driver: "container", image: " " }, ["image"], "--image is empty"],
])("%s", (_what, more, given, fault) => {
  const check = (): void => checkHosting({ ...options, ...more }, given);
  if (fault === null) check();
  else expect(check).toThrow(fault);
});
