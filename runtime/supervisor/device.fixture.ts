// A device as the registry has it, for tests in which only its name matters.

import type { Device } from "./device.ts";

export const plainDevice: Omit<Device, "id"> = {
  location: "",
  labels: {},
  capacity: { cpu: 1, memory: 1, workers: 1 },
  subjects: [],
  runs: [],
  revision: "0",
  since: "2026-01-01T00:00:00Z",
  last_contact: "2026-01-01T00:00:00Z",
};
